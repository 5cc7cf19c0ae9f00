"""Statistical significance in a sweep: every two systems, at each swept value."""

from collections.abc import Mapping, Sequence
from typing import Any

from cascade.report.differences import UNITS
from cascade.scoring.counts import FILE, read_counts, stacked
from cascade.scoring.significance import compare
from cascade.scoring.verdict import comparison_json, verdict
from cascade.sweeps.plan import Point

SweepComparison = Mapping[str, Any]  # an entry of ``sweep_significance.json``


def compare_systems(points: Sequence[Point]) -> list[SweepComparison]:
    """Compare the systems at each swept value, all its seeds together.

    Returns a comparison for each value, test set and unit. Systems of one language come first:
    they are the reference of the others. Raises `UserError` where seeds were scored on
    different references.
    """
    comparisons: list[SweepComparison] = []
    for values in dict.fromkeys(point.values for point in points):
        seeds = [point for point in points if point.values == values]
        recipe = seeds[0].recipe
        systems = sorted(recipe.systems, key=lambda system: recipe.systems[system].multilingual)
        for test in [test.label for test in recipe.tests]:
            counts = {
                system: [read_counts(p.layout.score(system, test) / FILE) for p in seeds]
                for system in systems
            }
            speakers = counts[systems[0]][0].speakers
            for unit, errors in UNITS.items():
                comparison = compare(*stacked(counts, unit), speakers)
                comparisons.append(
                    {
                        **seeds[0].swept,
                        "test": test,
                        "unit": unit,
                        **comparison_json(comparison),
                        "verdicts": [
                            verdict(p, comparison, errors, test) for p in comparison.pairs
                        ],
                    }
                )
    return comparisons
