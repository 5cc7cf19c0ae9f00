"""What the points of a search gave: each system's error rates on valid, and its best values."""

import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cascade.config.schema import override
from cascade.report.environment import environment
from cascade.report.training_curves import trained
from cascade.runtime.tables import markdown_table
from cascade.sweeps.outputs import keep
from cascade.sweeps.plan import Point
from cascade.sweeps.results import listed, spread, without_a_seed

Rates = dict[str, dict[tuple, list[float]]]  # by system and values: of each seed


def publish(folder: Path, points: Sequence[Point], planned: int) -> Path:
    """Writes what ``points``, all of them trained, of ``planned`` ones gave; returns the table."""
    found = [
        {"system": system, **point.swept, "seed": point.seed, **_of(point, system)}
        for point in points
        for system in point.recipe.systems
    ]
    recipe, told = points[0].recipe, folder / "SEARCH.md"
    text = markdown(recipe.name, found, planned)
    keep(told, text, {folder / "search.json": found}, environment(recipe))
    return told


def _of(point: Point, system: str) -> dict[str, Any]:
    run = trained(point.layout.system(system))
    return {key: run[key] for key in ("valid_per", "best_step")}


def markdown(name: str, found: Sequence[Mapping[str, Any]], planned: int) -> str:
    """The text of ``SEARCH.md``: settings by systems, and the best of each as a recipe has it."""
    keys = [key for key in found[0] if key.startswith("train.")]
    rates: Rates = {}
    seeds: dict[tuple, set[int]] = {}
    for entry in found:
        values = tuple(entry[key] for key in keys)
        rates.setdefault(entry["system"], {}).setdefault(values, []).append(entry["valid_per"])
        seeds.setdefault(values, set()).add(entry["seed"])
    best = {system: _best(by_values) for system, by_values in rates.items()}
    rows = [(*keys, *rates)]
    for values in seeds:
        cells = (_cell(rates[s].get(values, []), best[s] == values) for s in rates)
        rows.append((*map(str, values), *cells))
    chosen = "".join(f"  {s}: {_as_yaml(keys, values)}\n" for s, values in best.items())
    parts = [
        f"# Search of {name} over {', '.join(keys)}",
        f"{sum(map(len, seeds.values()))} of {planned} points (a setting and a seed), each with a"
        " training of every system. Phone error rates on valid in\nper cent: the mean over the"
        f" seeds {listed(set().union(*seeds.values()))}, and in brackets the least and the most."
        " Bold: a system's best. No test set was\ndecoded.",
        *without_a_seed({" ".join(map(str, values)): mine for values, mine in seeds.items()}),
        markdown_table(rows),
        f"The best of each, as a recipe has it:\n\n```yaml\nsystems:\n{chosen}```",
    ]
    return "\n\n".join(parts)


def _best(by_values: Mapping[tuple, Sequence[float]]) -> tuple:
    """The values with the least mean, of those with the most seeds; of equal ones the first."""
    most = max(map(len, by_values.values()))
    tried = [values for values, rates in by_values.items() if len(rates) == most]
    return min(tried, key=lambda values: statistics.mean(by_values[values]))


def _cell(rates: Sequence[float], best: bool) -> str:
    return f"**{spread(rates)}**" if best else spread(rates)


def _as_yaml(keys: Sequence[str], values: Sequence[Any]) -> str:
    """``{train: {dropout: 0.3, augment: {warp: 2}}}``"""
    raw: dict[str, Any] = {}
    for key, value in zip(keys, values, strict=True):
        override(raw, key, str(value))
    return json.dumps(raw, ensure_ascii=False).replace('"', "")
