"""One part of a stage, in a worker of a Dask cluster.

A worker has the same code and packages as the run that it works for, and sees the same files. A
part leaves a mark in a folder of the run when it begins, and takes it away when it is done. So
it is known how often a part was begun, and with which utterance a worker has died.
"""

import hashlib
import json
import os
import pickle
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from distributed import Event, Status, Worker, get_worker

from cascade.runtime import long_tasks, workers
from cascade.runtime.errors import UserError
from cascade.runtime.project import ROOT

ATTEMPTS = 2


DIED = "the worker died (out of memory, or killed)"


class PartFailed(Exception):
    """With which utterance or where a part failed, and why."""


def conditions() -> dict[str, str]:
    """Return all that must be the same where results are: Python, packages, our own code."""
    listed = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    names = [line.partition("==")[0] for line in listed if "==" in line]
    python = ".".join(map(str, sys.version_info[:2]))
    return {"Python": python, "cascade": CODE} | {name: _version(name) for name in names}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


def _code() -> str:
    digest = hashlib.sha256()
    for path in sorted([*ROOT.glob("cascade/**/*.py"), *ROOT.glob("local/**/*.py")]):
        digest.update(f"{path.relative_to(ROOT)}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:12]


CODE = _code()  # as it was when this process began: later changes of the files are not in it


def run(folder: str, number: int, topic: str, call: bytes) -> Any:
    """Return what a call returns, or the `UserError` that it raised: that is not tried again.

    ``folder`` is that of the pool, ``call`` is pickled and takes no arguments. It reports under
    ``topic``. Raises `PartFailed` for any other error, and where the part was begun twice already.
    """
    os.chdir(ROOT)  # paths are relative to it
    try:
        shared = _shared_of(Path(folder))
        link = DaskLink(get_worker(), folder, number, topic)
        with (
            _attempt(Path(folder), number) as note,
            workers.in_worker(note, shared),
            long_tasks.linked(link),
        ):
            return pickle.loads(call)()
    except UserError as error:
        return error


class DaskLink:
    """What a part has of its run: events that the scheduler passes on, and its own state.

    The client hears of events and of the result in the order in which they were sent.
    """

    def __init__(self, worker: Worker, folder: str, number: int, topic: str):
        self._worker, self._number, self._topic = worker, number, topic
        self._key = worker.get_current_task()
        self._stop = Event(stop_name(folder))

    def report(self, message: object) -> None:
        self._worker.log_event(
            self._topic, {"part": self._number, "message": pickle.dumps(message)}
        )

    def must_end(self) -> str | None:
        """Return why the part has to end now.

        The scheduler takes a part back when its client cancels it, and when the connection to
        the client is lost.
        """
        task = self._worker.state.tasks.get(self._key)
        if self._worker.status not in (Status.running, Status.paused):
            return "the worker was closed"
        if task is None or task.state != "executing":
            return "nobody waits for it"
        try:
            return long_tasks.STOPS if self._stop.is_set() else None
        except OSError as error:
            return f"the worker has lost the scheduler ({error})"


def stop_name(folder: str) -> str:
    """Return the name of the event which says that all parts of a pool have to end."""
    return f"stop {Path(folder).name}"


_pools: dict[Path, Any] = {}  # what the tasks of each pool share, by its folder


def _shared_of(folder: Path) -> Any:
    """Return what the tasks of a pool share; raise `UserError` where this worker cannot help."""
    if folder not in _pools:
        for ended in [other for other in _pools if not other.exists()]:
            del _pools[ended]
        _check(folder)
        _forget()
        # Of the run itself: whoever reaches a Dask worker can run any code without this file, too.
        with (folder / "shared.pickle").open("rb") as stream:
            _pools[folder] = pickle.load(stream)
    return _pools[folder]


def _check(folder: Path) -> None:
    worker = get_worker()
    where = f"The Dask worker {worker.address} on {socket.gethostname()}"
    try:
        wanted = json.loads((folder / "conditions.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(
            f"{where} does not see {ROOT / folder}. Its folder {ROOT} must have the same data/ and"
            " exp/ as that of the run, by a shared disk."
        ) from None
    here = conditions()
    differing = [name for name in wanted if wanted[name] != here.get(name)]
    if differing:
        name = differing[0]
        raise UserError(
            f"{where} has {name} {here.get(name, 'missing')}, and the run has {wanted[name]}."
            " Start the worker again, with the same code and packages."
        )
    if worker.state.nthreads != 1:
        raise UserError(
            f"{where} has {worker.state.nthreads} threads. Start it with --nthreads 1, and with"
            " --nworkers for several processes."
        )


def _forget() -> None:
    """Empty the caches of our functions: the files that they read may have changed since."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in ("cascade", "local"):
            for value in vars(module).values():
                if hasattr(value, "cache_clear"):
                    value.cache_clear()


def _mark(folder: Path, number: int, attempt: int) -> Path:
    return folder / f"{number}.{attempt}"


def _at(utterance: str) -> str:
    return f"utterance '{utterance}'" if utterance else "before its first utterance"


@contextmanager
def _attempt(folder: Path, number: int) -> Iterator[Callable[[str], object]]:
    """Mark that a part has begun; yield a function that adds the utterance to the mark."""
    for attempt in range(ATTEMPTS):
        path = _mark(folder, number, attempt)
        try:
            mark = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
            break
        except FileExistsError:
            pass
    else:
        utterance = path.read_text(encoding="utf-8").partition("\n")[0]
        raise PartFailed(_at(utterance), DIED)
    utterance = ""

    def note(name: str) -> None:
        nonlocal utterance
        utterance = name
        os.pwrite(mark, f"{name}\n".encode(), 0)

    try:
        yield note
    except UserError:
        raise
    except Exception as error:
        died = isinstance(error, long_tasks.Died)
        why = str(error) if died else f"{type(error).__name__}: {error}"
        raise PartFailed(f"{_at(utterance)}, on {socket.gethostname()}", why) from error
    finally:
        os.close(mark)
    for attempt in range(ATTEMPTS):
        _mark(folder, number, attempt).unlink(missing_ok=True)
