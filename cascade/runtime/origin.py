"""Where a network or a figure comes from: the processor, the commit, the version of torch."""

import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

from cascade.runtime.project import ROOT

TRAINED_ON = "trained_on.txt"  # in the folder of a system: the line of `origin`
CPUINFO = Path("/proc/cpuinfo")
PUBLISHED = ("*.md", "sweep*", "search.json")  # results beside a recipe: no run reads them


def origin(hardware: str) -> str:
    """Return in one line what decides a network beside its recipe; ``hardware`` trains it."""
    return f"{hardware}, {platform.system()}, torch {version('torch')}, commit {commit(ROOT)}"


def processor() -> str:
    """Return the processor, and the instructions that torch computes with.

    With other instructions the same seed trains another network: sums are rounded in another
    order.
    """
    import torch  # takes a second

    try:
        lines = CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []  # not Linux
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    name = next(filter(None, names), platform.processor())
    return ", ".join(
        filter(None, (name, platform.machine(), torch.backends.cpu.get_cpu_capability()))
    )


def commit(root: Path) -> str:
    """Return the commit of the checkout, with ``+`` if files that change figures differ."""
    try:
        if Path(_git(root, "rev-parse", "--show-toplevel")) != root:
            return "unknown"  # a copy of the project in another repository
        name = _git(root, "rev-parse", "--short=12", "HEAD")
        files = (".", *(f":(exclude,glob)recipes/*/{name}" for name in PUBLISHED))
        changed = _git(root, "status", "--porcelain", "-uno", "--", *files)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return name + ("+" if changed else "")


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
