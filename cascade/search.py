"""What the points of a search gave: each system's error rates on valid, and its best values."""

import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cascade.environment import environment
from cascade.files import write_text
from cascade.findings import markdown_table
from cascade.learning import trained
from cascade.plan import Point
from cascade.schema import override
from cascade.sweep_results import environment_lines, spread

Rates = dict[str, dict[tuple, list[float]]]  # by system and values: of each seed
FIGURES, TOLD = "search.json", "SEARCH.md"


def publish(folder: Path, points: Sequence[Point], planned: int) -> Path:
    """Writes what ``points``, all of them trained, of ``planned`` ones gave; returns the table.

    Files that have these figures already stay as they are.
    """
    found = [
        {"system": system, **point.swept, "seed": point.seed, **_of(point, system)}
        for point in points
        for system in point.recipe.systems
    ]
    text = json.dumps(found, ensure_ascii=False, indent=2) + "\n"
    figures, told = folder / FIGURES, folder / TOLD
    said = f"{len(points)} of {planned} points"
    if not (
        (told.is_file() and said in told.read_text("utf-8"))
        and (figures.is_file() and figures.read_text("utf-8") == text)
    ):
        write_text(
            told, markdown(points[0].recipe.name, found, planned, environment(points[0].recipe))
        )
        write_text(figures, text)  # last, as it tells that the other is written
    return told


def _of(point: Point, system: str) -> dict[str, Any]:
    run = trained(point.layout.system(system))
    return {key: run[key] for key in ("valid_per", "best_step")}


def markdown(
    name: str, found: Sequence[Mapping[str, Any]], planned: int, about: Mapping[str, str]
) -> str:
    """The text of ``SEARCH.md``: settings by systems, and the best of each as a recipe has it."""
    keys = [key for key in found[0] if key.startswith("train.")]
    rates: Rates = {}
    for entry in found:
        values = tuple(entry[key] for key in keys)
        rates.setdefault(entry["system"], {}).setdefault(values, []).append(entry["valid_per"])
    best = {system: _best(by_values) for system, by_values in rates.items()}
    rows = [(*keys, *rates)]
    for values in dict.fromkeys(values for by_values in rates.values() for values in by_values):
        cells = (_cell(rates[s].get(values, []), best[s] == values) for s in rates)
        rows.append((*map(str, values), *cells))
    seeds = sorted({entry["seed"] for entry in found})
    count = len({(*(entry[key] for key in keys), entry["seed"]) for entry in found})
    chosen = "".join(f"  {s}: {_as_yaml(keys, values)}\n" for s, values in best.items())
    parts = [
        f"# Search of {name} over {', '.join(keys)}",
        f"{count} of {planned} points (a setting and a seed), each with a training of every"
        " system. Phone error rates on valid in\nper cent: the mean over the seeds"
        f" {', '.join(map(str, seeds))}, and in brackets the least and the most. Bold: a system's"
        " best. No test set was\ndecoded.",
        markdown_table(rows),
        f"The best of each, as a recipe has it:\n\n```yaml\nsystems:\n{chosen}```",
        environment_lines(about),
    ]
    return "\n\n".join(parts)


def _best(by_values: Mapping[tuple, Sequence[float]]) -> tuple:
    """The values with the least mean; of equal ones the first."""
    return min(by_values, key=lambda values: statistics.mean(by_values[values]))


def _cell(rates: Sequence[float], best: bool) -> str:
    return f"**{spread(rates)}**" if best else spread(rates)


def _as_yaml(keys: Sequence[str], values: Sequence[Any]) -> str:
    """``{train: {dropout: 0.3, augment: {warp: 2}}}``"""
    raw: dict[str, Any] = {}
    for key, value in zip(keys, values, strict=True):
        override(raw, key, str(value))
    return json.dumps(raw, ensure_ascii=False).replace('"', "")
