"""Keeps what a sweep gave beside its recipe: figures, verdicts, tables and the picture."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cascade.report.environment import environment, section
from cascade.runtime.files import as_json, write_text
from cascade.sweeps import curve
from cascade.sweeps.plan import Point
from cascade.sweeps.results import entries, markdown
from cascade.sweeps.verdicts import verdicts


def publish(folder: Path, points: Sequence[Point], planned: int) -> Path:
    """Writes the results of ``points``, all of them done, of ``planned`` ones.

    Returns the file to read.
    """
    ((key, _),) = points[0].values
    recipe = points[0].recipe
    found, judged = entries(points), verdicts(points)
    told = folder / "SWEEP.md"
    figures = {folder / "sweep.json": found, folder / "sweep_significance.json": judged}
    about = environment(recipe)
    del about["target_minutes"]
    keep(told, markdown(recipe.name, key, found, judged, planned), figures, about)
    curve.draw(folder / "sweep.svg", key, found)
    return told


def keep(told: Path, text: str, figures: Mapping[Path, Any], about: Mapping[str, Any]) -> None:
    """Writes ``text`` and what it was made with, ``about``, and the ``figures`` as JSON.

    Where all of it stands there already it stays, with its date and commit.
    """
    wanted = {path: as_json(rows) for path, rows in figures.items()}
    if _read(told).startswith(f"{text}\n\n{section({})}") and all(
        _read(path) == rows for path, rows in wanted.items()
    ):
        return
    for path, rows in wanted.items():
        write_text(path, rows)
    write_text(told, f"{text}\n\n{section(about)}")


def _read(path: Path) -> str:
    return path.read_text("utf-8") if path.is_file() else ""
