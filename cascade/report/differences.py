"""Differences of two systems as text, from the comparisons that ``results.json`` contains."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from cascade.scoring.significance import LEVEL
from cascade.scoring.verdict import p_value, tenths

Comparison = Mapping[str, Any]  # of `cascade.scoring.verdict.comparison_json`
Difference = Mapping[str, Any]  # one of its "pairs"
UNITS = {"phones": "phone errors", "words": "word errors"}
DIFFERENCE_COLUMNS = tuple(c for errors in UNITS.values() for c in (f"fewer {errors}", "p"))


def units(test: Mapping[str, Any]) -> list[str]:
    """Return what was compared in a test set; nothing in the results of an old version."""
    return [unit for unit in UNITS if unit in test.get("significance", {})]


def from_reference(comparison: Comparison, reference: str | None = None) -> dict[str, Difference]:
    """Return how systems differ from ``reference``, by default the first of all.

    A pair has the system that comes first as its reference.
    """
    reference = reference or next(iter(comparison["rates"]))
    return {p["system"]: p for p in comparison["pairs"] if p["reference"] == reference}


def significant(difference: Difference) -> bool:
    """Return whether it is statistically significant, adjusted for all pairs of systems."""
    return difference["p_holm"] is not None and difference["p_holm"] < 1 - LEVEL


def reduction_cell(difference: Difference | None) -> str:
    """Return how many per cent fewer errors, with the interval; bold if significant.

    >>> reduction_cell({"reduction": 6.53, "interval": [4.71, 8.36], "p_holm": 0.0003})
    '**6.5 % (4.7 to 8.4)**'
    """
    if difference is None or difference["reduction"] is None:
        return "n/a"
    text = f"{tenths(difference['reduction'])} %{_interval(difference)}"
    return f"**{text}**" if significant(difference) else text


def p_cell(difference: Difference | None) -> str:
    """Return the adjusted p-value, such as ``0.23`` or ``< 0.001``."""
    return "n/a" if difference is None else p_value(difference["p_holm"]).removeprefix("= ")


def cells(by_unit: Iterable[Difference | None]) -> list[str]:
    """Return the two cells of each unit: the reduction and its p-value."""
    return [f(difference) for difference in by_unit for f in (reduction_cell, p_cell)]


def in_words(difference: Difference, what: str) -> str:
    """Return a difference in words; ``what``: such as "phone errors".

    >>> in_words({"reduction": -1.42, "interval": [-3.5, 0.5], "p_holm": 0.17}, "phone errors")
    '1.4 % more phone errors (95 % interval -0.5 to 3.5, p = 0.17)'
    """
    p = f"p {p_value(difference['p_holm'])}"
    if difference["reduction"] is None:
        return f"{what} where the other makes none ({p})"
    sign = math.copysign(1, round(difference["reduction"], 1))
    kind = "fewer" if sign > 0 else "more"
    interval = _interval(difference, sign)
    evidence = f"{100 * LEVEL:.0f} % interval {interval[2:-1]}, {p}" if interval else p
    return f"{tenths(sign * difference['reduction'])} % {kind} {what} ({evidence})"


def _interval(difference: Difference, sign: float = 1) -> str:
    """Return `` (4.7 to 8.4)``; nothing for an interval without both ends."""
    if difference["interval"] is None or None in difference["interval"]:
        return ""
    low, high = sorted(sign * end for end in difference["interval"])
    return f" ({tenths(low)} to {tenths(high)})"
