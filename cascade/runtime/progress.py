"""Progress of a long job: a bar on a terminal, a log line now and then elsewhere."""

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

log = logging.getLogger("cascade")
LINE_EVERY = 30.0  # seconds between log lines
SILENT = 2.0  # seconds before a bar appears


@contextmanager
def meter(title: str, total: int | None, unit: str) -> Iterator[Callable[[int], object]]:
    """Yield a function to call with the number of items done since its last call.

    ``total`` is the number of all items, None if it is not known. The bar disappears at the end.
    """
    if sys.stderr.isatty():
        with tqdm(total=total, desc=f"  {title}", unit=unit, leave=False, delay=SILENT) as bar:
            yield bar.update
        return
    done, started = 0, time.monotonic()
    logged = started

    def advance(count: int) -> None:
        nonlocal done, logged
        done += count
        now = time.monotonic()
        if now - logged >= LINE_EVERY and done != total:
            logged = now
            of = f" of {total:,}" if total is not None else ""
            left = f", {time_left(now - started, done, total)}" if total is not None else ""
            log.info("  %s: %s%s %s%s", title, f"{done:,}", of, unit, left)

    yield advance


def time_left(seconds: float, done: int, total: int) -> str:
    """Return how long the rest takes if ``done`` of ``total`` items took ``seconds``.

    >>> time_left(20.0, 1000, 4000)
    '01:00 left'
    """
    return f"{tqdm.format_interval(seconds / done * (total - done))} left" if done else "begun"
