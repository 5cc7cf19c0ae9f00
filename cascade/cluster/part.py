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

from distributed import get_worker

from cascade.runtime import workers
from cascade.runtime.errors import UserError
from cascade.runtime.project import ROOT

ATTEMPTS = 2


class PartFailed(Exception):
    """Why a part failed, and with which utterance."""


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


def run(folder: str, number: int, call: bytes) -> Any:
    """Return what a call returns, or the `UserError` that it raised: that is not tried again.

    ``folder`` is that of the pool, ``call`` is pickled and takes no arguments. Raises
    `PartFailed` for any other error, and where the part was begun twice already.
    """
    os.chdir(ROOT)  # paths are relative to it
    try:
        shared = _shared_of(Path(folder))
        with _attempt(Path(folder), number) as note, workers.in_worker(note, shared):
            return pickle.loads(call)()
    except UserError as error:
        return error


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
        raise PartFailed(f"{_at(utterance)}: the worker died (out of memory, or killed)")
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
        host = socket.gethostname()
        raise PartFailed(f"{_at(utterance)}, on {host}: {type(error).__name__}: {error}") from error
    finally:
        os.close(mark)
    for attempt in range(ATTEMPTS):
        _mark(folder, number, attempt).unlink(missing_ok=True)
