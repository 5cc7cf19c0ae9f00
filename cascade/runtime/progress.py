"""How far a long job is: a bar with a total on a terminal, now and then a line elsewhere."""

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

log = logging.getLogger("cascade")
LINE_EVERY = 30.0  # seconds, where the output is no terminal
SILENT = 2.0  # seconds before a bar appears: what is done by then needs none


@contextmanager
def meter(title: str, total: int | None, unit: str) -> Iterator[Callable[[int], None]]:
    """Gives a function that is told how many of ``total`` are done since it was told last.

    ``total`` is None where nobody knows. The bar goes away at the end.
    """
    if sys.stderr.isatty():
        with tqdm(total=total, desc=f"  {title}", unit=unit, leave=False, delay=SILENT) as bar:
            yield bar.update
        return
    done, begun = 0, time.monotonic()
    logged = begun

    def advance(count: int) -> None:
        nonlocal done, logged
        done += count
        now = time.monotonic()
        if now - logged >= LINE_EVERY and done != total:
            logged = now
            of = f" of {total:,}" if total is not None else ""
            left = f", {time_left(now - begun, done, total)}" if total is not None else ""
            log.info("  %s: %s%s %s%s", title, f"{done:,}", of, unit, left)

    yield advance


def time_left(seconds: float, done: int, total: int) -> str:
    """What the rest of ``total`` takes at the pace of the ``done`` in ``seconds``."""
    return f"{tqdm.format_interval(seconds / done * (total - done))} left" if done else "begun"
