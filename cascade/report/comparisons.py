"""What a test set says of the systems: which differ, by how much, and in which phones.

`findings` gives what ``results.json`` has of it, `paragraphs` the same as Markdown.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from cascade.report.phone_analysis import Change, by_class, class_extents
from cascade.runtime.tables import markdown_table
from cascade.scoring.counts import UNITS, UtteranceCounts, stacked
from cascade.scoring.score import EPS, Score
from cascade.scoring.significance import SystemComparison, compare
from cascade.scoring.verdict import comparison_json, tenths, verdict

TOP = 5  # errors that RESULTS.md names of those that went, and of those that came
CLASS_NAMES = {
    "shared": "shared phones",
    "own": "the target's own phones",
    "new": "phones new in the test",
}


def findings(
    test: str,
    counts: Mapping[str, UtteranceCounts],
    scores: Mapping[str, Score],
    training: Mapping[str, Counter],
    changed: Sequence[Change],
) -> dict[str, Any]:
    """Compares systems on ``test``, the first as the reference.

    ``counts`` and ``scores`` (of phones) are by system; ``training`` is of
    `phone_analysis.training_phones`, ``changed`` of `phone_analysis.changes`.
    """
    reference, *others = counts
    speakers = counts[reference].speakers
    found = {}
    for unit in UNITS:
        errors, tokens = stacked({system: [c] for system, c in counts.items()}, unit)
        found[unit] = compare(errors, tokens, speakers)
    classes = by_class(scores, training, speakers) if len(training) > 1 else {}
    extents = class_extents(scores[reference], training)
    sentences = [
        *_verdicts(found["phones"], "phone errors", test),
        *_verdicts(found["words"], "word errors", test),
    ]
    for name, comparison in classes.items():
        sentences += _verdicts(comparison, f"errors in {CLASS_NAMES[name]}", test)
    return {
        "significance": {unit: comparison_json(comparison) for unit, comparison in found.items()},
        "phone_classes": {
            name: {**extents[name], **comparison_json(comparison)}
            for name, comparison in classes.items()
        },
        "verdicts": sentences,
        "phone_changes": {system: _top(system, changed) for system in others},
    }


def paragraphs(test: Mapping[str, Any]) -> list[str]:
    """A test set of ``results.json`` in words: verdicts, intervals, what changed."""
    if "verdicts" not in test:
        return []
    parts = ["\n".join(f"- {sentence}" for sentence in test["verdicts"])] * bool(test["verdicts"])
    parts.append(_intervals(test))
    if test["phone_classes"]:
        parts.append(_class_line(test["phone_classes"]))
    reference = next(iter(test["significance"]["phones"]["rates"]))
    for system, top in test["phone_changes"].items():
        told = [
            f"{name}: {', '.join(_in_words(change) for change in top[key])}"
            for key, name in (("fewer", "went"), ("more", "came"))
            if top[key]
        ]
        if told:
            parts.append(
                f"Phone errors, {system} against {reference}, that {'; that '.join(told)}."
            )
    return parts


def _verdicts(found: SystemComparison, what: str, test: str) -> list[str]:
    """Sentences on the pairs of the reference, the first system."""
    reference = next(iter(found.rates))
    return [verdict(p, found, what, test) for p in found.pairs if p.reference == reference]


def _top(system: str, changed: Sequence[Change]) -> dict[str, list[dict[str, Any]]]:
    """The largest changes of ``system``, those to fewer errors and those to more."""
    mine = [c for c in changed if c.system == system]
    keys = ("operation", "ref", "hyp", "before", "after")
    return {
        name: [{key: getattr(c, key) for key in keys} for c in mine if c.more * sign > 0][:TOP]
        for name, sign in (("fewer", -1), ("more", 1))
    }


def _intervals(test: Mapping[str, Any]) -> str:
    """The table of rates with their intervals, in the phones of each class too."""
    columns = {"WER": test["significance"]["words"], "PER": test["significance"]["phones"]}
    columns |= {f"PER, {name}": c for name, c in test["phone_classes"].items()}
    rows = [("95 % intervals", *columns)]
    for system in test["significance"]["phones"]["rates"]:
        rows.append((system, *(_cell(found["rates"][system]) for found in columns.values())))
    return markdown_table(rows)


def _cell(rate: Mapping[str, Any]) -> str:
    """``71.0 (69.1 to 72.9)``"""
    if rate["percent"] is None:
        return "n/a"
    if rate["interval"] is None or None in rate["interval"]:
        return tenths(rate["percent"])
    low, high = map(tenths, rate["interval"])
    return f"{tenths(rate['percent'])} ({low} to {high})"


def _class_line(classes: Mapping[str, Any]) -> str:
    """``Phone tokens (types) in the test: shared 4,024 (25), own 1,182 (19).``"""
    told = [f"{name} {found['tokens']:,} ({found['phones']})" for name, found in classes.items()]
    return f"Phone tokens (types) in the test: {', '.join(told)}."


def _in_words(change: Mapping[str, Any]) -> str:
    """``a as ʌ (98 to 71)``"""
    ref, hyp = change["ref"], change["hyp"]
    what = (
        f"{hyp} inserted" if ref == EPS else f"{ref} deleted" if hyp == EPS else f"{ref} as {hyp}"
    )
    return f"{what} ({change['before']} to {change['after']})"
