"""Work done by several threads, in order, with a bar that has a total."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from cascade.runtime.progress import meter

Item = TypeVar("Item")
Result = TypeVar("Result")


def mapped(
    function: Callable[[Item], Result], items: Sequence[Item], jobs: int, what: str
) -> Iterator[Result]:
    """Yields ``function(item)`` for each item, in order, ``jobs`` at a time.

    Threads, since the work is in programs that are waited for, or in a codec which lets
    other threads run. The first exception ends it, and what has not begun is not begun.
    """
    pool = ThreadPoolExecutor(max_workers=max(jobs, 1))
    with pool, meter(what, len(items), "files") as advance:
        futures = [pool.submit(function, item) for item in items]
        try:
            for future in futures:
                yield future.result()
                advance(1)
        finally:
            for future in futures:
                future.cancel()
