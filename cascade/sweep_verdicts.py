"""Which differences of a sweep can be told: every two systems, at each of its values."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from cascade.counts import FILE, read_counts, stacked
from cascade.layout import dataset_name
from cascade.plan import Point
from cascade.significance import Comparison, Pair, compare

UNITS = {"PER": "phones", "WER": "words"}
Verdict = Mapping[str, Any]  # as ``sweep_significance.json`` has it


def verdicts(points: Sequence[Point]) -> list[Verdict]:
    """Compares the systems of the points of each value, all seeds of it at once.

    An entry for each value, test set, rate and pair. Raises `UserError` where points were
    scored on different references.
    """
    found = []
    for value in dict.fromkeys(point.value for point in points):
        same = [point for point in points if point.value == value]
        for dataset in same[0].recipe.role("test"):
            test = dataset_name(dataset)
            runs = {
                system: [read_counts(p.layout.score(system, test) / FILE) for p in same]
                for system in same[0].recipe.systems
            }
            speakers = next(iter(runs.values()))[0].speakers
            for rate, unit in UNITS.items():
                comparison = compare(*stacked(runs, unit), speakers)
                found += [
                    {
                        same[0].key: same[0].swept,
                        "test": test,
                        "rate": rate,
                        **_plain(pair, comparison),
                    }
                    for pair in comparison.pairs
                ]
    return found


def _plain(pair: Pair, comparison: Comparison) -> dict[str, Any]:
    """A pair as JSON types; an end of an interval that is not finite is null."""
    ends = pair.interval or (math.nan, math.nan)
    return {
        "reference": pair.reference,
        "system": pair.system,
        "reduction": _rounded(pair.reduction),
        "interval": [_rounded(end) for end in ends],
        "p": _rounded(pair.p),
        "p_holm": _rounded(pair.p_holm),
        "units": comparison.units,
        "kind": comparison.kind,
        "seeds": comparison.seeds,
    }


def _rounded(number: float | None) -> float | None:
    return None if number is None or not math.isfinite(number) else round(number, 4)
