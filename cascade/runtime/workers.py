"""Worker processes: of this machine, or of a cluster (`cascade.cluster`).

Those of this machine do not outlive the process that started them.
"""

import ctypes
import gc
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from itertools import islice
from multiprocessing import get_context
from typing import Any, ParamSpec, Protocol, Self, TypeVar

Shared = TypeVar("Shared")
Task = TypeVar("Task")
Result = TypeVar("Result")
Result_co = TypeVar("Result_co", covariant=True)
Arguments = ParamSpec("Arguments")
PR_SET_PDEATHSIG = 1  # linux/prctl.h


class Part(Protocol[Result_co]):
    """A task that was given to a pool."""

    def result(self) -> Result_co: ...
    def cancel(self) -> bool: ...


class Pool(Protocol):
    """Processes that run tasks: a `ProcessPoolExecutor`, or workers of a cluster.

    A pool may have the attribute ``ahead``, as of `in_order`, where the number of its workers is
    not known to the caller.
    """

    def submit(
        self,
        function: Callable[Arguments, Result],
        /,
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Part[Result]: ...


class Cluster(Protocol):
    """Workers of other machines, which see the project's folder and everything in it.

    ``trains``: they train, too (`cascade.runtime.long_tasks`).
    """

    trains: bool

    def pool(self, shared: object) -> AbstractContextManager[Any]: ...
    def release(self) -> None: ...


def die_with_parent() -> None:
    """Ask Linux to kill this process when its parent ends, for whatever reason.

    Otherwise the workers of a killed run would work on, and write where the next run writes.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


_cluster: Cluster | None = None  # where tasks run; None: on this machine


@contextmanager
def on(cluster: Cluster) -> Iterator[None]:
    """Let the workers of a cluster run the tasks of all pools."""
    global _cluster
    _cluster = cluster
    try:
        yield
    finally:
        _cluster = None
        cluster.release()


def cluster() -> Cluster | None:
    """Return the cluster whose workers run the tasks; None where this machine does."""
    return _cluster


def release() -> None:
    """Let a cluster's workers go until the next pool, unless they train."""
    if _cluster and not _cluster.trains:
        _cluster.release()


@contextmanager
def pool(jobs: int, shared: object = None) -> Iterator[Pool]:
    """A pool of ``jobs`` forked processes, which share the memory of what is loaded already.

    Where there is a cluster (`on`), these are its workers, however many it has.
    ``shared`` is for `shared_map`.

    Garbage collection skips all objects that exist at the start, until the pool ends. To visit
    millions of words takes long. It also writes into every object, so that each process would
    soon have its own copy of the memory.
    """
    if _cluster:
        with _cluster.pool(shared) as cluster_pool:
            yield cluster_pool
        return
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

    ``shared`` may be large: the forked processes have the parent's memory. On a cluster it is
    pickled (see `FromFiles`). A process that changes it changes only its own copy. Tasks and
    results are pickled, so ``function`` must be defined in a module.

    >>> list(shared_map(str.removesuffix, "lexicon.txt", [".txt", ".fst"], 2))
    ['lexicon', 'lexicon.txt']
    """
    with pool(jobs, shared) as processes:
        call = partial(_with_shared, function)
        if isinstance(processes, ProcessPoolExecutor):
            yield from processes.map(call, tasks)
        else:
            yield from in_order(processes, call, tasks, jobs)


class FromFiles:
    """A base of what is read from files: it is pickled as the arguments that it is made with.

    A worker of another machine reads the files again.
    """

    _arguments: tuple[tuple[Any, ...], dict[str, Any]]

    def __new__(cls, *arguments: Any, **named: Any) -> Self:
        new = super().__new__(cls)
        new._arguments = arguments, named
        return new

    def __reduce__(self) -> tuple[Any, ...]:
        arguments, named = self._arguments
        return partial(type(self), **named), arguments


_shared: Any = None  # set in the worker processes of `shared_map`; always None in the parent
_note: Callable[[str], object] | None = None  # set by workers of a cluster


def working_on(utterance: str) -> None:
    """Say which utterance a worker process takes next, for the message if the worker dies."""
    if _note:
        _note(utterance)


@contextmanager
def in_worker(note: Callable[[str], object], shared: object = None) -> Iterator[None]:
    """Run a task of a cluster in this process: ``note`` hears of utterances."""
    global _note, _shared
    _note, _shared = note, shared
    try:
        yield
    finally:
        _note, _shared = None, None


def _with_shared(function: Callable[[Any, Task], Result], task: Task) -> Result:
    """Call the function in a worker process."""
    return function(_shared, task)


def in_order(
    pool: Pool, function: Callable[[Task], Result], tasks: Iterable[Task], ahead: int
) -> Iterator[Result]:
    """Yield ``function(task)`` of every task, in order.

    At most ``ahead`` tasks are taken before their results are used, or as many as the pool says:
    they are waiting, running or done. (`ProcessPoolExecutor.map` takes all tasks at once.)
    """
    tasks = iter(tasks)
    running: deque[Part[Result]] = deque()
    try:
        while True:
            room = max(ahead, getattr(pool, "ahead", 0)) - len(running)
            running.extend(pool.submit(function, task) for task in islice(tasks, max(0, room)))
            if not running:
                return
            yield running.popleft().result()
    finally:
        for part in running:
            part.cancel()


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
