"""Debian packages, fetched without root, checked, and unpacked in a folder.

A package is named with its version and SHA-256, so whoever fetches it later gets the
same bytes, or an error. A file that is already there is used as it is, and then
neither a network nor ``apt-get`` is needed.
"""

import functools
import hashlib
import logging
import os
import platform
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cascade.corpora.corpus import CorpusRequest
from cascade.runtime.errors import UserError
from cascade.runtime.progress import meter
from local.helpers import archive

log = logging.getLogger("cascade")

ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
MARKER = ".complete"
MB = 1_000_000


@dataclass(frozen=True)
class Package:
    """A Debian package: ``sha256`` maps an architecture ("all", "amd64", ...) to a digest."""

    name: str
    version: str
    sha256: Mapping[str, str]

    @property
    def architecture(self) -> str:
        """The one to fetch for this machine; raises `UserError` where there is none."""
        if "all" in self.sha256:
            return "all"
        machine = platform.machine()
        found = ARCHITECTURES.get(machine.lower())
        if found not in self.sha256:
            known = ", ".join(sorted(self.sha256))
            raise UserError(
                f"Package {self.name} {self.version} is known for {known} only, and this "
                f"machine is {machine}. Use a corpus that is not made with it."
            )
        return found

    @property
    def digest(self) -> str:
        """SHA-256 of the file that this machine needs."""
        return self.sha256[self.architecture]

    @property
    def file(self) -> str:
        """The name that ``apt-get download`` gives the file; an epoch's colon is %3a."""
        return f"{self.name}_{self.version.replace(':', '%3a')}_{self.architecture}.deb"


def fetch(packages: Sequence[Package], request: CorpusRequest) -> list[Path]:
    """The packages' files in ``request.downloads``, in order; fetches those not there.

    Raises `UserError` for a file whose digest is not the recorded one, and for files
    that cannot be fetched: it then lists what to put where.
    """
    missing = []
    for package in packages:
        path = request.downloads / package.file
        if path.exists():
            _check(path, package, "Delete it and run again to fetch it anew.")
        else:
            missing.append(package)
    if missing:
        _download(missing, request.downloads)
    return [request.downloads / package.file for package in packages]


def unpack(
    packages: Sequence[Package],
    request: CorpusRequest,
    folder: str,
    prefixes: Sequence[str] | None = None,
) -> Path:
    """Unpacks packages into ``request.data/folder`` and returns that path.

    ``prefixes`` chooses members by how their path begins ("usr/share/..."). Does
    nothing where the folder already holds the same packages, wholly unpacked.
    """
    final = request.data / folder
    wanted = "".join(f"{p.name} {p.version} {p.digest}\n" for p in packages)
    wanted += "".join(f"only {prefix}\n" for prefix in prefixes or ())
    if complete(final, wanted):
        return final
    files = fetch(packages, request)
    partial = restarted(final)
    for file in files:
        log.info("Unpacking %s into %s", file.name, final)
        archive.extract(file, partial, prefixes)
    finish(partial, final, wanted)
    return final


def complete(folder: Path, wanted: str) -> bool:
    """Whether ``folder`` was finished (see `finish`) with just the description ``wanted``."""
    marker = folder / MARKER
    return marker.is_file() and marker.read_text(encoding="utf-8") == wanted


def restarted(final: Path) -> Path:
    """An empty folder beside ``final`` to work in; what an interrupted run left goes."""
    partial = final.with_name(final.name + ".partial")
    if partial.exists():
        shutil.rmtree(partial)
    partial.mkdir(parents=True)
    return partial


def finish(partial: Path, final: Path, description: str) -> None:
    """Marks ``partial`` as complete and renames it to ``final``, which it replaces."""
    (partial / MARKER).write_text(description, encoding="utf-8")
    if final.exists():
        shutil.rmtree(final)
    partial.rename(final)


def _check(path: Path, package: Package, remedy: str) -> None:
    """Raises `UserError` with ``remedy`` unless ``path`` has the package's digest."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != package.digest:
        raise UserError(
            f"{path} is not the file that was recorded for {package.name} {package.version}: "
            f"its SHA-256 is {found}, expected {package.digest}. {remedy}"
        )


def _download(packages: Sequence[Package], downloads: Path) -> None:
    """Fetches packages with ``apt-get`` into a folder beside, checks and moves them."""
    if shutil.which("apt-get") is None:
        raise _unfetched(packages, downloads, "there is no apt-get on this machine")
    downloads.mkdir(parents=True, exist_ok=True)
    for package in packages:
        log.info("Fetching Debian package %s %s", package.name, package.version)
    failure = _update(downloads / "apt")
    with tempfile.TemporaryDirectory(prefix="fetching.", dir=downloads) as beside:
        names = [f"{package.name}={package.version}" for package in packages]
        # A failed update is not the end: the lists may be good enough.
        failure = _fetch(downloads / "apt", names, Path(beside)) or failure
        for package in packages:
            path = Path(beside) / package.file
            if path.exists():  # what came is kept, also where another one failed
                _check(
                    path,
                    package,
                    "Nothing was kept of it. Check what sits between this machine and the archive.",
                )
                os.replace(path, downloads / package.file)
    left = [package for package in packages if not (downloads / package.file).exists()]
    if left:
        raise _unfetched(left, downloads, f"apt-get said: {failure or 'nothing'}")


@functools.cache
def _update(folder: Path) -> str:
    """Updates the private package lists, once a process; returns the last error or ""."""
    return _apt_get(folder, ["update"], folder)[1]


def _fetch(folder: Path, names: Sequence[str], where: Path) -> str:
    """Downloads packages into the folder ``where``; returns the last error or ""."""
    listed, _ = _apt_get(folder, ["--print-uris", "download", *names], where)
    sizes = re.findall(r"^'.*' \S+ (\d+)", listed, re.M)
    with meter("fetching", sum(map(int, sizes)) // MB or None, "MB") as advance:
        done = 0

        def look() -> None:
            nonlocal done
            with suppress(FileNotFoundError):  # renamed meanwhile
                there = sum(path.stat().st_size for path in where.iterdir()) // MB
                advance(there - done)
                done = there

        return _apt_get(folder, ["download", *names], where, look)[1]


def _apt_get(
    folder: Path, arguments: Sequence[str], where: Path, look: Callable[[], None] = lambda: None
) -> tuple[str, str]:
    """Runs ``apt-get`` with lists and cache under ``folder``, and ``look`` each second.

    Returns what it printed, and the last error or "".
    """
    folder = folder.resolve()
    (folder / "lists" / "partial").mkdir(parents=True, exist_ok=True)
    (folder / "cache" / "archives" / "partial").mkdir(parents=True, exist_ok=True)
    command = ["apt-get", "-qq"]
    command += ["-o", f"Dir::State::lists={folder / 'lists'}"]
    command += ["-o", f"Dir::Cache={folder / 'cache'}"]
    command += ["-o", "Debug::NoLocking=1", "-o", "Acquire::Retries=2", *arguments]
    with subprocess.Popen(
        command,
        cwd=where,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env={**os.environ, "LC_ALL": "C"},
    ) as run:
        try:
            while True:
                try:
                    said, errors = run.communicate(timeout=1.0)
                    break
                except subprocess.TimeoutExpired:
                    look()
        except BaseException:
            run.kill()
            raise
    if run.returncode == 0:
        return said, ""
    lines = [line for line in errors.splitlines() if line.startswith("E:")]
    return said, lines[-1] if lines else f"exit status {run.returncode}"


def _unfetched(packages: Sequence[Package], downloads: Path, why: str) -> UserError:
    """The error that says which files to put where."""
    files = "\n".join(
        f"  {package.file}  (package {package.name}, version {package.version}, "
        f"SHA-256 {package.digest})"
        for package in packages
    )
    return UserError(
        f"Cannot fetch {len(packages)} Debian package(s); {why}. Fetch these on another "
        f"machine, put them into {downloads} and run again:\n{files}"
    )
