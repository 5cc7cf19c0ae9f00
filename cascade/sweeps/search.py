"""What a search leaves beside its recipe: error rates on valid, and each system's best values."""

import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cascade.config.schema import override
from cascade.report.environment import environment
from cascade.report.training_curves import trained
from cascade.runtime.tables import markdown_table, paragraph
from cascade.sweeps.outputs import write_report
from cascade.sweeps.plan import Point
from cascade.sweeps.results import mean_of, missing_seeds, spread

Values = tuple[Any, ...]  # of the searched keys
Rates = dict[str, dict[Values, list[float]]]  # by system and values: the PER on valid of each seed


def publish_search(folder: Path, points: Sequence[Point], planned: int) -> Path:
    """Write the results of the trained ``points``; return the path of ``SEARCH.md``.

    ``planned`` is the number of all points of the search.
    """
    entries = [
        {"system": system, **point.swept, "seed": point.seed, **_best_step(point, system)}
        for point in points
        for system in point.recipe.systems
    ]
    recipe, path = points[0].recipe, folder / "SEARCH.md"
    text = markdown(recipe.name, entries, planned)
    about = environment(recipe, (p.layout.system(s) for p in points for s in p.recipe.systems))
    write_report(path, text, {folder / "search.json": entries}, about)
    return path


def _best_step(point: Point, system: str) -> dict[str, Any]:
    """Return a system's best validation: its PER on valid and its step."""
    run = trained(point.layout.system(system))
    return {key: run[key] for key in ("valid_per", "best_step")}


def markdown(name: str, entries: Sequence[Mapping[str, Any]], planned: int) -> str:
    """Return the text of ``SEARCH.md``: a table, and the best values as lines of a recipe."""
    keys = [key for key in entries[0] if key.startswith("train.")]
    rates: Rates = {}
    seeds: dict[Values, set[int]] = {}
    for entry in entries:
        values = tuple(entry[key] for key in keys)
        rates.setdefault(entry["system"], {}).setdefault(values, []).append(entry["valid_per"])
        seeds.setdefault(values, set()).add(entry["seed"])
    best = {system: _best_values(by_values) for system, by_values in rates.items()}
    rows: list[Sequence[str]] = [(*keys, *rates)]
    for values in seeds:
        cells = (_cell(rates[s].get(values, []), best[s] == values) for s in rates)
        rows.append((*map(str, values), *cells))
    lines = "".join(f"  {s}: {_as_yaml(keys, values)}\n" for s, values in best.items())
    parts = [
        f"# Search of {name} over {', '.join(keys)}",
        f"{sum(map(len, seeds.values()))} of {planned} points (a setting and a seed). Each point"
        " trains every system. No test set is decoded.",
        paragraph(
            "Phone error rates on valid in per cent, by edit distance."
            f" {mean_of(set().union(*seeds.values()))} Bold: the lowest of each system."
        ),
        *missing_seeds({" ".join(map(str, values)): own for values, own in seeds.items()}),
        markdown_table(rows),
        f"The best values of each system, for the recipe:\n\n```yaml\nsystems:\n{lines}```",
    ]
    return "\n\n".join(parts)


def _best_values(by_values: Mapping[Values, Sequence[float]]) -> Values:
    """Return the values with the lowest mean, of those with the most seeds; the first of equals."""
    most = max(map(len, by_values.values()))
    complete = [values for values, rates in by_values.items() if len(rates) == most]
    return min(complete, key=lambda values: statistics.mean(by_values[values]))


def _cell(rates: Sequence[float], best: bool) -> str:
    return f"**{spread(rates)}**" if best else spread(rates)


def _as_yaml(keys: Sequence[str], values: Sequence[Any]) -> str:
    """Return settings as YAML: ``{train: {dropout: 0.3, augment: {warp: 2}}}``."""
    raw: dict[str, Any] = {}
    for key, value in zip(keys, values, strict=True):
        override(raw, key, str(value))
    return json.dumps(raw, ensure_ascii=False).replace('"', "")
