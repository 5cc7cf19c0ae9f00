"""What a comparison says, in a sentence; and as ``results.json`` has it."""

import math
from typing import Any

from cascade.scoring.significance import LEVEL, Comparison, Interval, Pair


def verdict(pair: Pair, found: Comparison, what: str, test: str) -> str:
    """A sentence about ``pair`` of ``found``: its ``what``, "phone errors" say, on ``test``."""
    system, reference = pair.system, pair.reference
    if pair.reduction is None:
        change = f"no {what} of {reference}"
    elif round(pair.reduction, 1) == 0 and not told(pair):
        change = f"as many {what}"
    else:
        size = f"{abs(pair.reduction):.1f}" if round(pair.reduction, 1) else "less than 0.1"
        change = f"{size} % {'fewer' if pair.reduction > 0 else 'more'} {what}"
    end = f"({_evidence(pair, found)})."
    if not told(pair):
        return (
            f"No difference between {system} and {reference} on {test} can be told: {change} {end}"
        )
    if pair.reduction is None:
        return f"{system} makes {what} on {test}, {reference} makes none {end}"
    return f"{system} makes {change} than {reference} on {test} {end}"


def told(pair: Pair) -> bool:
    """Whether a difference can be told, among all pairs that were compared."""
    return pair.p_holm is not None and pair.p_holm < 1 - LEVEL


def as_plain(found: Comparison) -> dict[str, Any]:
    """A comparison as JSON types; per cents with four decimals, infinity as null."""
    return {
        "drawn": found.kind,
        "units": found.units,
        "seeds": found.seeds,
        "resamples": found.resamples,
        "rates": {
            system: {"percent": _rounded(rate.percent), "interval": _ends(rate.interval)}
            for system, rate in found.rates.items()
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
            for pair in found.pairs
        ],
    }


def _evidence(pair: Pair, found: Comparison) -> str:
    """``95 % interval 17.9 to 24.6, p < 0.001, 3 seeds``; the interval of what is said."""
    parts = []
    if pair.reduction is not None and pair.interval and all(map(math.isfinite, pair.interval)):
        low, high = pair.interval
        if round(pair.reduction, 1) < 0 or (told(pair) and pair.reduction < 0):
            low, high = -high, -low
        parts.append(f"{100 * LEVEL:.0f} % interval {tenths(low)} to {tenths(high)}")
    if pair.p is not None:
        parts.append(f"p {_p(pair.p)}")
        if len(found.pairs) > 1:
            parts.append(f"adjusted for {len(found.pairs)} pairs p {_p(pair.p_holm)}")
    else:
        parts.append("1 utterance only")
    parts.append(f"{found.seeds} seed{'s' if found.seeds > 1 else ''}")
    return ", ".join(parts)


def tenths(per_cent: float) -> str:
    """One decimal, and no minus before 0.0."""
    return f"{round(per_cent, 1) + 0.0:.1f}"


def _p(p: float) -> str:
    """``= 0.58``, ``= 0.012``, ``< 0.001``"""
    if p < 0.001:
        return "< 0.001"
    return f"= {p:.2f}" if p >= 0.1 else f"= {p:.3f}"


def _rounded(value: float | None, digits: int = 4) -> float | None:
    return None if value is None or not math.isfinite(value) else round(value, digits)


def _ends(interval: Interval | None) -> list[float | None] | None:
    return None if interval is None else [_rounded(end) for end in interval]
