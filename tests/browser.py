"""A headless Chromium for tests: the machine's, else Debian's package, unpacked without root."""

import functools
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from filelock import FileLock

from cascade.runtime.project import ROOT

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
PACKAGE = "chromium-headless-shell"  # 64 MB, without a window
FOLDER = ROOT / ".venv" / "chromium"


@functools.cache
def chromium() -> tuple[str, dict[str, str]]:
    """Return the program and its environment; skip the test, with a reason, if there is none."""
    for name in NAMES:
        if found := shutil.which(name):
            return found, {}
    FOLDER.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{FOLDER}.lock"):
        if not FOLDER.exists() and (failure := _fetch(FOLDER)):
            pytest.skip(f"no Chromium: {failure}")
    programs = [
        path for path in FOLDER.rglob(PACKAGE) if path.is_file() and os.access(path, os.X_OK)
    ]
    if not programs:
        pytest.skip(f"no Chromium: the Debian package has no program {PACKAGE}")
    libraries = sorted({str(path.parent) for path in FOLDER.rglob("*.so*")})
    return str(programs[0]), {"LD_LIBRARY_PATH": os.pathsep.join(libraries)}


def _fetch(folder: Path) -> str:
    """Unpack Debian's Chromium, and what it needs that is not installed; return what failed."""
    if not shutil.which("apt-get"):
        return "there is no apt-get on this machine"
    work = folder.with_name("chromium.partial")
    shutil.rmtree(work, ignore_errors=True)
    for part in ("lists/partial", "cache/archives/partial", "debs", "root"):
        (work / part).mkdir(parents=True)
    apt = [
        "apt-get",
        "-qq",
        "-o",
        f"Dir::State::lists={work}/lists",
        "-o",
        f"Dir::Cache={work}/cache",
    ]
    apt += ["-o", "Debug::NoLocking=1"]
    for command in (
        [*apt, "update"],
        [*apt, "--print-uris", "-y", "--no-install-recommends", "install", PACKAGE],
    ):
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode:
            return f"{' '.join(command[:1])} said: {done.stderr.strip()[-200:]}"
    names = re.findall(r"^'.*' (\S+?)_\S+\.deb", done.stdout, re.MULTILINE)
    done = subprocess.run(
        [*apt, "download", *names], cwd=work / "debs", capture_output=True, text=True
    )
    if done.returncode:
        return f"apt-get download said: {done.stderr.strip()[-200:]}"
    for deb in sorted((work / "debs").glob("*.deb")):
        subprocess.run(["dpkg-deb", "-x", deb, work / "root"], check=True)
    (work / "root").rename(folder)
    shutil.rmtree(work)
    return ""
