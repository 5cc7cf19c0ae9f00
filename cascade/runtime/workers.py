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
    """Ask Linux to kill this process when its parent ends, for whatever reason.

    Otherwise the workers of a killed run would work on, and write where the next run writes.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


@contextmanager
def pool(jobs: int, shared: object = None) -> Iterator[ProcessPoolExecutor]:
    """A pool of ``jobs`` forked processes, which share the memory of what is loaded already.

    ``shared`` is for `shared_map`.

    Garbage collection skips all objects that exist at the start, until the pool ends. To visit
    millions of words takes long. It also writes into every object, so that each process would
    soon have its own copy of the memory.
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
    """Yield ``function(shared, task)`` of every task, in order, computed in ``jobs`` processes.

    ``shared`` may be large and need not be picklable: the forked processes have the parent's
    memory. A process that changes it changes only its own copy. Tasks and results are pickled,
    so ``function`` must be defined in a module.

    >>> list(shared_map(str.removesuffix, "lexicon.txt", [".txt", ".fst"], 2))
    ['lexicon', 'lexicon.txt']
    """
    with pool(jobs, shared) as executor:
        yield from executor.map(partial(_with_shared, function), tasks)


_shared: Any = None  # set in the worker processes of `shared_map`; always None in the parent


def _with_shared(function: Callable[[Any, Task], Result], task: Task) -> Result:
    """Call the function in a worker process."""
    return function(_shared, task)


def in_order(
    pool: ProcessPoolExecutor,
    function: Callable[[Task], Result],
    tasks: Iterable[Task],
    ahead: int,
) -> Iterator[Result]:
    """Yield ``function(task)`` of every task, in order.

    At most ``ahead`` tasks are taken before their results are used: they are waiting, running
    or done. (``pool.map`` takes all tasks at once.)
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
    """Yield lists of ``size`` tasks; the last one may be shorter.

    >>> list(chunks("abcde", 2))
    [['a', 'b'], ['c', 'd'], ['e']]
    """
    tasks = iter(tasks)
    while chunk := list(islice(tasks, size)):
        yield chunk


def _begin(shared: object) -> None:
    """Prepare a worker process for its tasks."""
    global _shared
    _shared = shared
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
