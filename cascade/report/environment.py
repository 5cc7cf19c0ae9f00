"""Where figures come from: the commit, the machine, the versions, the command."""

import os
import platform
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from cascade.config.recipe import Recipe
from cascade.runtime.project import ROOT

PACKAGES = ("torch", "lhotse", "kaldi_decoder", "numpy")
CPUINFO = Path("/proc/cpuinfo")
PUBLISHED = ("*.md", "sweep*", "search.json")  # beside a recipe: told of runs, read by none


def environment(recipe: Recipe) -> dict[str, str]:
    """What `RESULTS.md` says of a recipe's figures, by name."""
    return {
        "commit": _commit(ROOT),
        "date": time.strftime("%Y-%m-%d"),
        "target_minutes": recipe.target_minutes,
        "machine": f"{processor()}, {os.cpu_count()} cores, {platform.system()}",
        "python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
        "command": shlex.join(["./run.sh", *_arguments()]),
    }


def section(about: Mapping[str, Any]) -> str:
    """What figures were made with, as a section of Markdown."""
    return "## Environment\n\n" + "".join(f"- {k}: {_one_line(v)}\n" for k, v in about.items())


def processor() -> str:
    """The processor, and the instructions that torch computes with.

    The same seed trains another network where they are others: sums are rounded in another
    order.
    """
    import torch  # takes a second, and a table is made without it

    try:
        lines = CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []  # not Linux
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    name = next(filter(None, names), platform.processor())
    return ", ".join(
        filter(None, (name, platform.machine(), torch.backends.cpu.get_cpu_capability()))
    )


def _one_line(value: Any) -> str:
    """``value`` without line breaks; a mapping as ``name value, name value``."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_one_line(inner)}" for key, inner in value.items())
    return " ".join(str(value).split())


def _arguments() -> list[str]:
    """The command line, without what `run.sh` puts in front."""
    return sys.argv[2:] if sys.argv[1:2] == ["run"] else []


def _commit(root: Path) -> str:
    """The commit of this checkout, with ``+`` where files that figures rest on differ from it."""
    try:
        git = ["git", "-C", str(root)]
        run = {"capture_output": True, "text": True, "check": True}
        top = subprocess.run([*git, "rev-parse", "--show-toplevel"], **run).stdout.strip()
        if Path(top) != root:  # a copy in somebody's other repository
            return "unknown"
        name = subprocess.run([*git, "rev-parse", "--short=12", "HEAD"], **run).stdout.strip()
        rest = (".", *(f":(exclude,glob)recipes/*/{name}" for name in PUBLISHED))
        status = [*git, "status", "--porcelain", "-uno", "--", *rest]
        changed = subprocess.run(status, **run).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return name + ("+" if changed else "")
