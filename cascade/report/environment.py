"""Where figures come from: the commit, the machine, the versions, the command."""

import os
import platform
import shlex
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from cascade.config.recipe import Recipe
from cascade.runtime.origin import TRAINED_ON, commit, origin, processor
from cascade.runtime.project import ROOT

PACKAGES = ("torch", "lhotse", "kaldi_decoder", "numpy")


def environment(recipe: Recipe, systems: Iterable[Path]) -> dict[str, str]:
    """Return where the figures of a recipe come from, by name.

    ``systems`` are the folders of the trained systems. ``trained on`` says where they were trained
    on another machine or at another commit than these.
    """
    here = origin(processor())
    trained = Counter((folder / TRAINED_ON).read_text("utf-8").strip() for folder in systems)
    elsewhere = [
        f"{text} ({count} of {trained.total()} trainings)"
        for text, count in sorted(trained.items())
        if text != here
    ]
    return {
        "commit": commit(ROOT),
        "date": time.strftime("%Y-%m-%d"),
        "target_minutes": recipe.target_minutes,
        "machine": f"{processor()}, {os.cpu_count()} cores, {platform.system()}",
        **({"trained on": "; ".join(elsewhere)} if elsewhere else {}),
        "python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
        "command": shlex.join(["./run.sh", *_arguments()]),
    }


def section(about: Mapping[str, Any]) -> str:
    """Return the environment as a section of Markdown."""
    return "## Environment\n\n" + "".join(f"- {k}: {_one_line(v)}\n" for k, v in about.items())


def _one_line(value: Any) -> str:
    """Return ``value`` without line breaks; a mapping as ``name value, name value``."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_one_line(inner)}" for key, inner in value.items())
    return " ".join(str(value).split())


def _arguments() -> list[str]:
    """Return the command line without what `run.sh` puts in front."""
    return sys.argv[2:] if sys.argv[1:2] == ["run"] else []
