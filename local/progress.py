"""Work done by several threads, in order, with a bar that has a total."""

import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")
Result = TypeVar("Result")


def mapped(
    function: Callable[[Item], Result], items: Sequence[Item], jobs: int, what: str
) -> Iterator[Result]:
    """Yields ``function(item)`` for each item, in order, ``jobs`` at a time.

    Threads, since the work is in programs that are waited for, or in a codec which lets
    other threads run. The first exception ends it, and what has not begun is not begun.
    """
    # A terminal is redrawn, a log file grows by a line each time.
    pause = 0.1 if sys.stderr.isatty() else 30.0
    with ThreadPoolExecutor(max_workers=max(jobs, 1)) as pool:
        futures = [pool.submit(function, item) for item in items]
        try:
            for future in tqdm(futures, desc=what, unit="file", mininterval=pause):
                yield future.result()
        finally:
            for future in futures:
                future.cancel()
