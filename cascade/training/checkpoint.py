"""Checkpoints of a training: written beside and renamed, the last two kept."""

import logging
import os
import pickle
import zipfile
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch

from cascade.runtime.files import replacing

log = logging.getLogger("cascade")


class Checkpoints:
    """``last.pt`` and ``previous.pt`` in one folder, written by a thread of their own.

    A checkpoint is a dictionary of tensors and plain values; it is read with
    ``weights_only=True``, so a file from elsewhere cannot run code.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="checkpoint")
        self._writing: Future | None = None

    def save(self, state: dict[str, Any]) -> None:
        """Copies ``state`` and begins to save it; training may go on at once.

        Raises what the saving before this one failed with, such as a full disk.
        """
        self.wait()
        self._writing = self._writer.submit(self._write, _copy(state))

    def wait(self) -> None:
        """Waits until the last checkpoint is on disk; raises what went wrong with it."""
        if self._writing is not None:
            writing, self._writing = self._writing, None
            writing.result()

    def load(self) -> dict[str, Any] | None:
        """The newest checkpoint that reads, or None; says which one does not."""
        for name in ("next.pt", "last.pt", "previous.pt"):
            path = self.folder / name
            if not path.exists():
                continue
            try:
                return torch.load(path, map_location="cpu", weights_only=True)
            except (OSError, RuntimeError, EOFError, ValueError, KeyError) as error:
                reason = error
            except (pickle.UnpicklingError, zipfile.BadZipFile) as error:
                reason = error
            first = str(reason).strip().partition("\n")[0] or type(reason).__name__
            log.warning("%s is damaged (%s); the one before it is used.", path, first)
        return None

    def _write(self, state: dict[str, Any]) -> None:
        """The new one is ``last.pt`` from one moment to the next; the old one stays beside."""
        coming, last = self.folder / "next.pt", self.folder / "last.pt"
        with replacing(coming) as stream:
            torch.save(state, stream)
        if last.exists():
            os.replace(last, self.folder / "previous.pt")
        os.replace(coming, last)


def _copy(value: Any) -> Any:
    """A copy that goes on being what it is while the training changes the original."""
    if isinstance(value, torch.Tensor):
        return value.detach().cpu().clone()
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_copy(item) for item in value]
    return value
