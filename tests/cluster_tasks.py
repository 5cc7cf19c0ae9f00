"""Tasks of the tests of clusters: workers import them."""

import os
import signal
from pathlib import Path

from cascade.runtime import workers
from cascade.runtime.errors import UserError


def double(number):
    return 2 * number


def second(_shared, number):
    return number


def mortal(task):
    """Return a number doubled, after a line in a file that all workers share.

    The worker dies with the number ``doomed``, so many times.
    """
    number, path, doomed, deaths = task
    workers.working_on(f"utt_{number}")
    with Path(path).open("a") as stream:
        stream.write(f"{number}\n")
    if number == doomed and Path(path).read_text().split().count(str(number)) <= deaths:
        os.kill(os.getpid(), signal.SIGKILL)
    return 2 * number


def fails(number):
    """Fail with an error that no user made."""
    workers.working_on(f"utt_{number}")
    raise ZeroDivisionError(f"by {number}")


def refuses(task):
    """Fail with an error that a user made."""
    number, path = task
    with Path(path).open("a") as stream:
        stream.write(f"{number}\n")
    raise UserError(f"utt_{number} is wrong.")


def first(path, _number):
    """Return the first line of what the workers share."""
    return path.text


class Text(workers.FromFiles):
    """A file's text, which cannot be pickled."""

    def __init__(self, path, *, upper):
        self.text = path.read_text().upper() if upper else path.read_text()
        self.open = path.open()


def where(_number):
    """Return the worker's process, and its folder before it works for a pool."""
    return os.getpid(), os.getcwd()
