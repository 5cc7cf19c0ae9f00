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
PUBLISHED = ("*.md", "sweep*", "search.json")  # results beside a recipe: no run reads them


def environment(recipe: Recipe) -> dict[str, str]:
    """Return where the figures of a recipe come from, by name."""
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
    """Return the environment as a section of Markdown."""
    return "## Environment\n\n" + "".join(f"- {k}: {_one_line(v)}\n" for k, v in about.items())


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


def _one_line(value: Any) -> str:
    """Return ``value`` without line breaks; a mapping as ``name value, name value``."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_one_line(inner)}" for key, inner in value.items())
    return " ".join(str(value).split())


def _arguments() -> list[str]:
    """Return the command line without what `run.sh` puts in front."""
    return sys.argv[2:] if sys.argv[1:2] == ["run"] else []


def _commit(root: Path) -> str:
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
