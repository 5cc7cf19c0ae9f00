"""Worker processes that do not outlive the process that started them."""

import ctypes
import gc
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import islice
from multiprocessing import get_context
from typing import Any, TypeVar

Shared = TypeVar("Shared")
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
def pool(jobs: int, shared: object = None) -> Iterator[ProcessPoolExecutor]:
    """A pool of ``jobs`` forked processes: they share the memory of what is loaded already.

    ``shared`` is for `shared_map`.

    What there is when it begins is not looked through for garbage until it ends: that takes
    long where there are millions of words, and it writes into every object, so that each
    process would soon have pages of its own.
    """
    gc.freeze()
    try:
        context = get_context("fork")
        with ProcessPoolExecutor(
            jobs, mp_context=context, initializer=_begin, initargs=(shared,)
        ) as executor:
            yield executor
    finally:
        gc.unfreeze()


def shared_map(
    function: Callable[[Shared, Task], Result], shared: Shared, tasks: Iterable[Task], jobs: int
) -> Iterator[Result]:
    """Yields ``function(shared, task)`` of every task, in their order, from ``jobs`` processes.

    ``shared`` may be large, and need not be picklable: the forked processes have the parent's
    memory. What they change in it stays with them. Tasks and results are pickled; ``function``
    is one of a module.

    >>> list(shared_map(str.removesuffix, "lexicon.txt", [".txt", ".fst"], 2))
    ['lexicon', 'lexicon.txt']
    """
    with pool(jobs, shared) as executor:
        yield from executor.map(partial(_with_shared, function), tasks)


_shared: Any = None  # of a worker process of `shared_map`; always None in the parent


def _with_shared(function: Callable[[Any, Task], Result], task: Task) -> Result:
    """In a worker process: the function of what is shared and of one task."""
    return function(_shared, task)


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


def _begin(shared: object) -> None:
    """In a worker process, before its first task."""
    global _shared
    _shared = shared
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
