"""Tasks of hours on the workers of a cluster: what the run and its workers say to each other.

A worker reports while it works, and asks whether it must end. `cascade.cluster` carries both.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any, Protocol

from cascade.runtime import workers

POLL = 0.5  # seconds between two looks of a worker at its work, and at whether it must end
STOPS = "the run stops"


class Died(Exception):
    """A process of a worker has ended before its work was done: it is started again, once."""


class LongTask(Protocol):
    """A task that was given to a worker.

    ``receiver`` gives what the worker reports, in that order, and last the result of the task,
    or the reason of a failure as text. Reports may be left out while nobody receives them.
    """

    receiver: Connection

    def terminate(self) -> None:
        """Ask the long tasks of the pool to end; the result is what they return then."""


class LongPool(Protocol):
    """Workers of a cluster that take one long task each."""

    @property
    def workers(self) -> int:
        """How many there are now, at least 1."""

    def start(self, function: Callable[..., Any], /, *args: Any) -> LongTask: ...


class Link(Protocol):
    """What a worker has of the run that it works for."""

    def report(self, message: object) -> None: ...
    def must_end(self) -> str | None: ...


@contextmanager
def training_pool() -> Iterator[LongPool | None]:
    """The workers of a cluster, where these are to train; None where this machine does."""
    cluster = workers.cluster()
    if cluster is None or not cluster.trains:
        yield None
        return
    with cluster.pool(None) as pool:
        yield pool


_link: Link | None = None  # set in workers while they have a task


@contextmanager
def linked(link: Link) -> Iterator[None]:
    """Let a task in this process report by ``link``."""
    global _link
    _link = link
    try:
        yield
    finally:
        _link = None


def report(message: object) -> None:
    """Send a message from a task on a worker to the run."""
    assert _link
    _link.report(message)


def must_end() -> str | None:
    """Return why a task on a worker has to end now; None where it has not.

    It is `STOPS` where the run waits for the end. Otherwise nobody does, or the worker closes.
    """
    assert _link
    return _link.must_end()
