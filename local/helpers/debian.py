"""Debian packages, fetched without root, checked, and unpacked in a folder.

A package is named with its version and SHA-256: whoever fetches it later gets the same bytes or
an error. A file that is already there is used as it is, without a network or ``apt-get``.
"""

import functools
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
from local.helpers import archive, cached_folder, recorded_files
from local.helpers.recorded_files import check, not_fetched

log = logging.getLogger("cascade")

ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
MB = 1_000_000


@dataclass(frozen=True)
class Package:
    """A Debian package: ``sha256`` maps an architecture ("all", "amd64", ...) to a digest.

    >>> Package("wordnet-base", "1:3.0-37", {"all": "6106..."}).file
    'wordnet-base_1%3a3.0-37_all.deb'
    """

    name: str
    version: str
    sha256: Mapping[str, str]

    @property
    def architecture(self) -> str:
        """The one to fetch for this machine; raises `UserError` if there is none."""
        if "all" in self.sha256:
            return "all"
        machine = platform.machine()
        architecture = ARCHITECTURES.get(machine.lower())
        if architecture is None or architecture not in self.sha256:
            raise UserError(
                f"Package {self.name} {self.version} runs on {', '.join(sorted(self.sha256))}"
                f" only, and this machine is {machine}. Use a corpus that is not made with it."
            )
        return architecture

    @property
    def digest(self) -> str:
        """SHA-256 of the file that this machine needs."""
        return self.sha256[self.architecture]

    @property
    def file(self) -> str:
        """The name that ``apt-get download`` gives the file; an epoch's colon is %3a."""
        return f"{self.name}_{self.version.replace(':', '%3a')}_{self.architecture}.deb"

    @property
    def line(self) -> str:
        """Name, version and digest: the line that describes a folder made from it."""
        return f"{self.name} {self.version} {self.digest}\n"


def unpack(
    packages: Sequence[Package],
    request: CorpusRequest,
    folder: str,
    prefixes: Sequence[str] | None = None,
) -> Path:
    """Return ``request.data/folder`` with the packages unpacked in it.

    ``prefixes`` chooses members by how their path begins ("usr/share/..."). A folder that is
    already complete is left as it is. Raises `UserError` as `fetch` and `archive.extract` do.
    """
    final = request.data / folder

    def fill(partial: Path) -> None:
        for file in fetch(packages, request):
            log.info("Unpacking %s into %s", file.name, final)
            archive.extract(file, partial, prefixes)

    description = "".join(package.line for package in packages)
    description += "".join(f"only {prefix}\n" for prefix in prefixes or ())
    return cached_folder.provide(final, description, fill)


def fetch(packages: Sequence[Package], request: CorpusRequest) -> list[Path]:
    """Return the packages' files in ``request.downloads``, in order; fetch those not there.

    Raises `UserError` for a file whose digest is not the recorded one, and for files that
    cannot be fetched: it then lists which file to put where.
    """
    downloads = request.downloads
    return recorded_files.provide(packages, downloads, lambda some: _download(some, downloads))


def _download(packages: Sequence[Package], downloads: Path) -> None:
    """Fetch packages with ``apt-get`` into a folder beside, check them and move them."""
    if shutil.which("apt-get") is None:
        raise not_fetched(packages, downloads, "there is no apt-get on this machine", "Debian ")
    for package in packages:
        log.info("Fetching Debian package %s %s", package.name, package.version)
    failure = _update(downloads / "apt")
    with tempfile.TemporaryDirectory(prefix="fetching.", dir=downloads) as beside:
        names = [f"{package.name}={package.version}" for package in packages]
        # A failed update is not the end: the lists may be good enough.
        failure = _fetch(downloads / "apt", names, Path(beside)) or failure
        for package in packages:
            path = Path(beside) / package.file
            if path.exists():  # what came is kept, also if another one failed
                remedy = (
                    "Nothing was kept of it. Check what is between this machine and the archive."
                )
                check(path, package, remedy)
                os.replace(path, downloads / package.file)
    left = [package for package in packages if not (downloads / package.file).exists()]
    if left:
        raise not_fetched(left, downloads, f"apt-get said: {failure or 'nothing'}", "Debian ")


@functools.cache
def _update(folder: Path) -> str:
    """Update the private package lists, once a process; return the last error or ""."""
    return _apt_get(folder, ["update"], folder)[1]


def _fetch(folder: Path, names: Sequence[str], where: Path) -> str:
    """Download packages into the folder ``where``; return the last error or ""."""
    uris, _ = _apt_get(folder, ["--print-uris", "download", *names], where)
    sizes = re.findall(r"^'.*' \S+ (\d+)", uris, re.M)
    with meter("fetching", sum(map(int, sizes)) // MB or None, "MB") as advance:
        reported = 0

        def report() -> None:
            nonlocal reported
            with suppress(FileNotFoundError):  # renamed meanwhile
                there = sum(path.stat().st_size for path in where.iterdir()) // MB
                advance(there - reported)
                reported = there

        return _apt_get(folder, ["download", *names], where, report)[1]


def _apt_get(
    folder: Path,
    arguments: Sequence[str],
    where: Path,
    every_second: Callable[[], None] = lambda: None,
) -> tuple[str, str]:
    """Run ``apt-get`` in ``where``, with its lists and cache under ``folder``.

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
    ) as process:
        try:
            while True:
                try:
                    output, errors = process.communicate(timeout=1.0)
                    break
                except subprocess.TimeoutExpired:
                    every_second()
        except BaseException:
            process.kill()
            raise
    if process.returncode == 0:
        return output, ""
    lines = [line for line in errors.splitlines() if line.startswith("E:")]
    return output, lines[-1] if lines else f"exit status {process.returncode}"
