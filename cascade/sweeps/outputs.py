"""What a sweep leaves beside its recipe: ``SWEEP.md``, figures as JSON, and the picture."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cascade.report.environment import environment, section
from cascade.runtime.files import as_json, write_text
from cascade.sweeps import curve
from cascade.sweeps.earlier import Earlier, joined
from cascade.sweeps.plan import Point
from cascade.sweeps.results import FIGURES, JUDGED, PAGE, markdown, sweep_entries
from cascade.sweeps.significance import compare_systems


def publish_sweep(folder: Path, points: Sequence[Point], planned: int, earlier: Earlier) -> Path:
    """Write the results of the finished ``points``; return the path of ``SWEEP.md``.

    ``planned`` is the number of all points of the sweep. Each value of the ``earlier`` sweep is
    kept until the new one has as many seeds of it.
    """
    ((key, _),) = points[0].values
    recipe = points[0].recipe
    earlier = earlier.beside(points, key)
    kept = earlier.seeds(key)
    new = [point for point in points if point.swept[key] not in kept]
    entries = joined(earlier.entries, sweep_entries(new), key)
    comparisons = joined(earlier.comparisons, compare_systems(new), key)
    path = folder / PAGE
    figures = {folder / FIGURES: entries, folder / JUDGED: comparisons}
    about = environment(recipe, (p.layout.system(s) for p in new for s in p.recipe.systems))
    del about["target_minutes"]
    text = markdown(recipe.name, key, entries, comparisons, planned)
    write_report(path, text, figures, about)
    curve.draw(folder / "sweep.svg", key, entries)
    return path


def write_report(
    path: Path, text: str, figures: Mapping[Path, Any], about: Mapping[str, Any]
) -> None:
    """Write ``text`` and its environment to ``path``, and the ``figures`` as JSON.

    Files that have this text and these figures already keep their date and commit.
    """
    contents = {json_path: as_json(rows) for json_path, rows in figures.items()}
    same_text = _read(path).startswith(f"{text}\n\n{section({})}")
    if same_text and all(_read(json_path) == rows for json_path, rows in contents.items()):
        return
    for json_path, rows in contents.items():
        write_text(json_path, rows)
    write_text(path, f"{text}\n\n{section(about)}")


def _read(path: Path) -> str:
    """Return the text of a file; "" where there is none."""
    return path.read_text("utf-8") if path.is_file() else ""
