"""Worker processes that do not outlive the process that started them."""

import ctypes
import signal
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def die_with_parent() -> None:
    """Asks Linux to kill this process when its parent ends, however that ends.

    Else the workers of a killed run would go on, and write beside those of the next one.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def pool(jobs: int) -> ProcessPoolExecutor:
    """A pool of ``jobs`` forked processes: they share the memory of what is loaded already."""
    return ProcessPoolExecutor(jobs, mp_context=get_context("fork"), initializer=_begin)


def _begin() -> None:
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
