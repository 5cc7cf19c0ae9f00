"""The systems on a test set compared: in phones, in words, and in which phones they differ."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from cascade.report.phone_analysis import Change, by_class, class_extents
from cascade.scoring.counts import UNITS, UtteranceCounts, stacked
from cascade.scoring.score import Score
from cascade.scoring.significance import SystemComparison, compare
from cascade.scoring.verdict import comparison_json, verdict

TOP = 5  # errors fixed, and errors introduced, that results.json has
CLASS_NAMES = {
    "shared": "shared phones",
    "own": "the target's own phones",
    "new": "phones new in the test",
}


def compare_systems(
    test: str,
    counts: Mapping[str, UtteranceCounts],
    scores: Mapping[str, Score],
    training: Mapping[str, Counter],
    changed: Sequence[Change],
) -> dict[str, Any]:
    """Compare systems on ``test``, and return the result as ``results.json`` has it.

    ``counts`` and ``scores`` (of phones) are by system; the first one is the reference.
    ``training`` is of `phone_analysis.training_phones`, ``changed`` of `phone_analysis.changes`.
    """
    reference, *others = counts
    speakers = counts[reference].speakers
    comparisons = {}
    for unit in UNITS:
        errors, tokens = stacked({system: [c] for system, c in counts.items()}, unit)
        comparisons[unit] = compare(errors, tokens, speakers)
    classes = by_class(scores, training, speakers) if len(training) > 1 else {}
    extents = class_extents(scores[reference], training)
    sentences = [
        *_verdicts(comparisons["phones"], "phone errors", test),
        *_verdicts(comparisons["words"], "word errors", test),
    ]
    for name, comparison in classes.items():
        sentences += _verdicts(comparison, f"errors in {CLASS_NAMES[name]}", test)
    return {
        "significance": {
            unit: comparison_json(comparison) for unit, comparison in comparisons.items()
        },
        "phone_classes": {
            name: {**extents[name], **comparison_json(comparison)}
            for name, comparison in classes.items()
        },
        "verdicts": sentences,
        "phone_changes": {system: _top(system, changed) for system in others},
    }


def _verdicts(comparison: SystemComparison, what: str, test: str) -> list[str]:
    """Return sentences about the pairs with the reference, the first system."""
    reference = next(iter(comparison.rates))
    pairs = [pair for pair in comparison.pairs if pair.reference == reference]
    return [verdict(pair, comparison, what, test) for pair in pairs]


def _top(system: str, changed: Sequence[Change]) -> dict[str, list[dict[str, Any]]]:
    """Return the largest changes of ``system``: those to fewer errors, and those to more."""
    mine = [c for c in changed if c.system == system]
    keys = ("operation", "ref", "hyp", "before", "after")
    return {
        name: [{key: getattr(c, key) for key in keys} for c in mine if c.more * sign > 0][:TOP]
        for name, sign in (("fewer", -1), ("more", 1))
    }
