"""Keeps what a sweep gave beside its recipe: figures, verdicts, tables and the picture."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from cascade import curve
from cascade.environment import environment
from cascade.files import write_text
from cascade.plan import Point
from cascade.sweep_results import entries, markdown
from cascade.sweep_verdicts import verdicts

FIGURES = "sweep.json"
OTHERS = ("sweep_significance.json", "SWEEP.md", "sweep.svg")


def publish(folder: Path, points: Sequence[Point], planned: int) -> Path:
    """Writes the results of ``points``, all of them done, of ``planned`` ones.

    Returns the file to read. Files that have these figures already, of as many points, stay as
    they are, with their date and commit.
    """
    found = entries(points)
    text = _as_json(found)
    figures, *others = (folder / name for name in (FIGURES, *OTHERS))
    if (
        all(path.is_file() for path in (figures, *others))
        and figures.read_text("utf-8") == text
        and f"{len(points)} of {planned} points" in others[1].read_text("utf-8")
    ):
        return others[1]
    ((key, _),) = points[0].values
    name = points[0].recipe.name
    judged = verdicts(points)
    about = environment(points[0].recipe)
    about.pop("target_minutes")
    write_text(others[0], _as_json(judged))
    write_text(others[1], markdown(name, key, found, judged, planned, about))
    curve.draw(others[2], key, found)
    write_text(figures, text)  # last, as it tells that the others are written
    return others[1]


def _as_json(rows: Sequence[Mapping]) -> str:
    return json.dumps(rows, ensure_ascii=False, indent=2) + "\n"
