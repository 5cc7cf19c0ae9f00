"""Checkpoints of a training: the last two are kept, and a crash damages neither."""

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
UNREADABLE = (
    *(OSError, RuntimeError, EOFError, ValueError, KeyError),
    *(pickle.UnpicklingError, zipfile.BadZipFile),
)


class Checkpoints:
    """``last.pt`` and ``previous.pt`` in one folder, written by a thread.

    A checkpoint is a dictionary of tensors and plain values. It is read with
    ``weights_only=True``, so a file from elsewhere cannot run code.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="checkpoint")
        self._writing: Future[None] | None = None

    def save(self, state: dict[str, Any]) -> None:
        """Copy ``state`` and start to write it; training can continue at once.

        Raises the error of the write before this one, such as `OSError` for a full disk.
        """
        self.wait()
        self._writing = self._writer.submit(self._write, _copy(state))

    def wait(self) -> None:
        """Wait until the last checkpoint is on disk; raise the error of its write."""
        if self._writing is not None:
            writing, self._writing = self._writing, None
            writing.result()

    def load(self) -> dict[str, Any] | None:
        """Return the newest checkpoint that can be read, or None; warn of damaged ones."""
        for name in ("next.pt", "last.pt", "previous.pt"):
            path = self.folder / name
            if not path.exists():
                continue
            try:
                return torch.load(path, map_location="cpu", weights_only=True)
            except UNREADABLE as error:
                reason = str(error).strip().partition("\n")[0] or type(error).__name__
                log.warning("%s is damaged (%s). The checkpoint before it is used.", path, reason)
        return None

    def _write(self, state: dict[str, Any]) -> None:
        """Write ``next.pt``, then rename: ``last.pt`` becomes ``previous.pt``."""
        coming, last = self.folder / "next.pt", self.folder / "last.pt"
        with replacing(coming) as stream:
            torch.save(state, stream)
        if last.exists():
            os.replace(last, self.folder / "previous.pt")
        os.replace(coming, last)


def _copy(value: Any) -> Any:
    """Return a copy that stays the same while the training changes the original."""
    if isinstance(value, torch.Tensor):
        return value.detach().cpu().clone()
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_copy(item) for item in value]
    return value
