"""Which differences of a sweep can be told: every two systems, at each of its values."""

from collections.abc import Mapping, Sequence
from typing import Any

from cascade.scoring.counts import FILE, read_counts, stacked
from cascade.scoring.significance import compare
from cascade.scoring.verdict import comparison_json, verdict
from cascade.sweeps.plan import Point

UNITS = {"phones": "phone errors", "words": "word errors"}
Judged = Mapping[str, Any]  # a comparison as ``sweep_significance.json`` has it


def verdicts(points: Sequence[Point]) -> list[Judged]:
    """Compares the systems of the points of each value, all seeds of it at once.

    A comparison for each value, test set and unit; the plain systems come first, as what
    cascades are set against. Raises `UserError` where seeds were scored on different
    references.
    """
    found = []
    for values in dict.fromkeys(point.values for point in points):
        seeds = [point for point in points if point.values == values]
        recipe = seeds[0].recipe
        systems = sorted(recipe.systems, key=lambda system: recipe.systems[system].multilingual)
        for test in (dataset.label for dataset in recipe.role("test")):
            runs = {
                system: [read_counts(p.layout.score(system, test) / FILE) for p in seeds]
                for system in systems
            }
            speakers = runs[systems[0]][0].speakers
            for unit, what in UNITS.items():
                comparison = compare(*stacked(runs, unit), speakers)
                found.append(
                    {
                        **seeds[0].swept,
                        "test": test,
                        "unit": unit,
                        **comparison_json(comparison),
                        "verdicts": [verdict(p, comparison, what, test) for p in comparison.pairs],
                    }
                )
    return found
