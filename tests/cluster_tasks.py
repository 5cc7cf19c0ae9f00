"""Tasks of the tests of clusters: workers import them."""

import os
import signal
import time
from pathlib import Path

from cascade.runtime import long_tasks, workers
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


def reports(count):
    """Report numbers; return their sum."""
    for number in range(count):
        long_tasks.report(number)
    return sum(range(count))


def works(path, deaths=0):
    """Work until it must end; write why into a file, and return it.

    The worker dies the first ``deaths`` times.
    """
    with Path(path).open("a") as stream:
        stream.write("begun\n")
        stream.flush()
        if Path(path).read_text().count("begun") <= deaths:
            os.kill(os.getpid(), signal.SIGKILL)
        long_tasks.report("begun")
        while not (reason := long_tasks.must_end()):
            time.sleep(0.05)
        stream.write(f"{reason}\n")
    return reason
