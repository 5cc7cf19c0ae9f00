"""What a comparison of two systems says: as a sentence, and as ``results.json`` has it."""

import math
from typing import Any

from cascade.scoring.significance import LEVEL, Interval, Pair, SystemComparison


def verdict(pair: Pair, comparison: SystemComparison, what: str, test: str) -> str:
    """Return a sentence about a pair of systems on a test set; ``what``: such as "phone errors".

    ``results.json`` and ``sweep_significance.json`` contain these sentences.
    """
    system, reference = pair.system, pair.reference
    if pair.reduction is None:
        change = f"no {what} of {reference}"
    elif round(pair.reduction, 1) == 0 and not is_significant(pair):
        change = f"as many {what}"
    else:
        size = f"{abs(pair.reduction):.1f}" if round(pair.reduction, 1) else "less than 0.1"
        change = f"{size} % {'fewer' if pair.reduction > 0 else 'more'} {what}"
    end = f"({_evidence(pair, comparison)})."
    if not is_significant(pair):
        return (
            f"The difference between {system} and {reference} on {test} is not statistically"
            f" significant: {change} {end}"
        )
    if pair.reduction is None:
        return f"{system} makes {what} on {test}, {reference} makes none {end}"
    return f"{system} makes {change} than {reference} on {test} {end}"


def is_significant(pair: Pair) -> bool:
    """Return whether a difference is statistically significant, adjusted for all pairs."""
    return pair.p_holm is not None and pair.p_holm < 1 - LEVEL


def comparison_json(comparison: SystemComparison) -> dict[str, Any]:
    """Return a comparison in JSON types: per cents with four decimals, infinity as None."""
    return {
        "drawn": comparison.kind,
        "units": comparison.units,
        "seeds": comparison.seeds,
        "resamples": comparison.resamples,
        "rates": {
            system: {"percent": _rounded(rate.percent), "interval": _ends(rate.interval)}
            for system, rate in comparison.rates.items()
        },
        "pairs": [
            {
                "reference": pair.reference,
                "system": pair.system,
                "reduction": _rounded(pair.reduction),
                "interval": _ends(pair.interval),
                "p": _rounded(pair.p, 6),
                "p_holm": _rounded(pair.p_holm, 6),
            }
            for pair in comparison.pairs
        ],
    }


def _evidence(pair: Pair, comparison: SystemComparison) -> str:
    """Return ``95 % interval 17.9 to 24.6, p < 0.001, 3 seeds``; signs as in the sentence."""
    parts = []
    if pair.reduction is not None and pair.interval and all(map(math.isfinite, pair.interval)):
        low, high = pair.interval
        if round(pair.reduction, 1) < 0 or (is_significant(pair) and pair.reduction < 0):
            low, high = -high, -low
        parts.append(f"{100 * LEVEL:.0f} % interval {tenths(low)} to {tenths(high)}")
    if pair.p is not None:
        parts.append(f"p {p_value(pair.p)}")
        if len(comparison.pairs) > 1:
            parts.append(f"adjusted for {len(comparison.pairs)} pairs p {p_value(pair.p_holm)}")
    else:
        parts.append("1 utterance only")
    parts.append(f"{comparison.seeds} seed{'s' if comparison.seeds > 1 else ''}")
    return ", ".join(parts)


def tenths(per_cent: float) -> str:
    """Return a number with one decimal; 0.0 has no minus sign."""
    return f"{round(per_cent, 1) + 0.0:.1f}"


def p_value(p: float | None) -> str:
    """Return ``= 0.58``, ``= 0.012`` or ``< 0.001``; ``n/a`` for None."""
    if p is None:
        return "n/a"
    if p < 0.001:
        return "< 0.001"
    return f"= {p:.2f}" if p >= 0.1 else f"= {p:.3f}"


def _rounded(value: float | None, digits: int = 4) -> float | None:
    return None if value is None or not math.isfinite(value) else round(value, digits)


def _ends(interval: Interval | None) -> list[float | None] | None:
    return None if interval is None else [_rounded(end) for end in interval]
