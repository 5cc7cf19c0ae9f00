"""Checkpoints of a training: written beside and renamed, the last two kept."""

import logging
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import torch

from cascade.files import replacing

log = logging.getLogger("cascade")


class Checkpoints:
    """``last.pt`` and ``previous.pt`` in one folder.

    A checkpoint is a dictionary of tensors and plain values; it is read with
    ``weights_only=True``, so a file from elsewhere cannot run code.
    """

    def __init__(self, folder: Path):
        self.folder = folder

    def save(self, state: dict[str, Any]) -> None:
        """Saves ``state`` as the last checkpoint; the one that was becomes the previous."""
        last = self.folder / "last.pt"
        with replacing(self.folder / "next.pt") as stream:
            torch.save(state, stream)
        if last.exists():
            os.replace(last, self.folder / "previous.pt")
        os.replace(self.folder / "next.pt", last)

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
            log.warning("%s is damaged (%s); the one before it is used.", path, reason)
        return None
