"""Who may write where: one owner an experiment, and turns in the folder that all share."""

import fcntl
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from cascade.runtime.errors import UserError

log = logging.getLogger("cascade")


@contextmanager
def owner(root: Path) -> Iterator[None]:
    """Holds ``root`` for this process; the system lets go of it when the process ends.

    Raises `UserError` that names the holder where there is one.
    """
    root.mkdir(parents=True, exist_ok=True)
    with (root / ".lock").open("a+") as lock:
        if not _taken(lock):
            raise UserError(f"{root} is in use: {_holder(lock)}.")
        yield


@contextmanager
def turn(folder: Path) -> Iterator[None]:
    """Waits until no other process is in ``folder``, and keeps them out meanwhile."""
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK):  # where nobody can write, nobody is in the way
        yield
        return
    with (folder / ".lock").open("a+") as lock:
        if not _taken(lock):
            log.info("%s is in use: %s. Waiting.", folder, _holder(lock))
            fcntl.lockf(lock, fcntl.LOCK_EX)
            _sign(lock)
        yield


def _taken(lock: IO[str]) -> bool:
    """Takes a lock if nobody has it; returns whether it did."""
    try:
        # Not flock: worker processes would inherit it, and outlive us with it.
        fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):  # which of them is the system's choice
        return False
    _sign(lock)
    return True


def _sign(lock: IO[str]) -> None:
    lock.truncate(0)
    lock.write(f"process {os.getpid()}, since {time.strftime('%Y-%m-%d %H:%M:%S')}\n")
    lock.flush()


def _holder(lock: IO[str]) -> str:
    lock.seek(0)
    return lock.read().strip()
