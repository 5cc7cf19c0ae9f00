"""Work in several threads, in order, with a progress bar that has a total."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from cascade.runtime.progress import meter

Item = TypeVar("Item")


def for_each(function: Callable[[Item], None], items: Sequence[Item], jobs: int, bar: str) -> None:
    """Call ``function(item)`` for each item, ``jobs`` at a time; ``bar`` names the progress bar.

    Threads are enough: the work waits for programs, or for a codec that lets other threads
    run. The first exception is raised, and calls that have not begun are dropped.
    """
    pool = ThreadPoolExecutor(max_workers=max(jobs, 1))
    try:
        with meter(bar, len(items), "files") as advance:
            done: Iterable[None] = pool.map(function, items)
            for _ in done:
                advance(1)
    finally:
        pool.shutdown(cancel_futures=True)
