"""Locks: one process an experiment, and one at a time in folders that experiments share."""

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
    """Lock ``root`` for this process. The system frees it when the process ends.

    Raises `UserError` that names the process which has the lock.
    """
    root.mkdir(parents=True, exist_ok=True)
    with (root / ".lock").open("a+") as lock:
        if not _acquire(lock):
            raise UserError(f"{root} is in use by {_holder(lock)}. Wait for it, or stop it.")
        yield


@contextmanager
def turn(folder: Path) -> Iterator[None]:
    """Lock ``folder`` for this process; wait while another one has it."""
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK):  # no process can write here
        yield
        return
    with (folder / ".lock").open("a+") as lock:
        if not _acquire(lock):
            log.info("%s is in use by %s. Waiting.", folder, _holder(lock))
            fcntl.lockf(lock, fcntl.LOCK_EX)
            _sign(lock)
        yield


def _acquire(lock: IO[str]) -> bool:
    """Take a lock if it is free; return whether it was."""
    try:
        # Not flock: worker processes inherit it, and may keep it after this process has ended.
        fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):  # which of the two depends on the system
        return False
    _sign(lock)
    return True


def _sign(lock: IO[str]) -> None:
    """Write which process has the lock."""
    lock.truncate(0)
    lock.write(f"process {os.getpid()}, since {time.strftime('%Y-%m-%d %H:%M:%S')}\n")
    lock.flush()


def _holder(lock: IO[str]) -> str:
    """Return which process has the lock."""
    lock.seek(0)
    return lock.read().strip() or "another process"
