"""Worker processes that do not outlive the process that started them."""

import ctypes
import gc
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from itertools import islice
from multiprocessing import get_context
from typing import TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")
PR_SET_PDEATHSIG = 1  # linux/prctl.h


def die_with_parent() -> None:
    """Asks Linux to kill this process when its parent ends, however that ends.

    Else the workers of a killed run would go on, and write beside those of the next one.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


@contextmanager
def pool(jobs: int) -> Iterator[ProcessPoolExecutor]:
    """A pool of ``jobs`` forked processes: they share the memory of what is loaded already.

    What there is when it begins is not looked through for garbage until it ends: that takes
    long where there are millions of words, and it writes into every object, so that each
    process would soon have pages of its own.
    """
    gc.freeze()
    try:
        context = get_context("fork")
        with ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin) as executor:
            yield executor
    finally:
        gc.unfreeze()


def in_order(
    pool: ProcessPoolExecutor,
    function: Callable[[Task], Result],
    tasks: Iterable[Task],
    ahead: int,
) -> Iterator[Result]:
    """Yields ``function(task)`` of every task, in their order.

    Tasks are taken as they are needed: no more than ``ahead`` of them are waiting, at work,
    or done and not yet asked for. (``pool.map`` takes all of them at once.)
    """
    tasks = iter(tasks)
    running = deque(pool.submit(function, task) for task in islice(tasks, ahead))
    try:
        while running:
            yield running.popleft().result()
            running.extend(pool.submit(function, task) for task in islice(tasks, 1))
    finally:
        for future in running:
            future.cancel()


def chunks(tasks: Iterable[Task], size: int) -> Iterator[list[Task]]:
    """Lists of ``size`` tasks, the last one perhaps shorter."""
    tasks = iter(tasks)
    while chunk := list(islice(tasks, size)):
        yield chunk


def _begin() -> None:
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
