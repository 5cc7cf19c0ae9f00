"""The page ``DETAILS.md``: what else ``results.json`` says of the systems, a table each."""

from collections.abc import Mapping
from typing import Any

from cascade.report.differences import DIFFERENCE_COLUMNS, cells, from_reference, units
from cascade.runtime.tables import markdown_table, paragraph
from cascade.scoring.score import EPS
from cascade.scoring.speechbox import format_pair
from cascade.scoring.verdict import tenths

CLASSES = ("shared", "own", "new")  # see `cascade.report.phone_analysis`
Tests = Mapping[str, Mapping[str, Any]]


def details_page(results: Mapping[str, Any]) -> str:
    """Return the text of ``DETAILS.md``; a section without figures is left out."""
    tests = results["tests"]
    sections = (
        ("Error rates", _error_rates(tests)),
        ("Differences between the other systems", _other_pairs(tests)),
        ("Phones that the languages share", _phone_classes(tests)),
        ("Phone n-gram and confidences", _searches(tests)),
        ("Most frequent changes of phone errors", _changes(tests)),
        ("Training", _training(results["training"])),
    )
    parts = [
        f"# Details of {results['recipe']}",
        "[RESULTS.md](RESULTS.md) has the answer and the main table.",
    ]
    for title, paragraphs in sections:
        if paragraphs:
            parts += [f"## {title}", *paragraphs]
    return "\n\n".join(parts) + "\n"


def _error_rates(tests: Tests) -> list[str]:
    classes = _classes(tests)
    cer = any("CER" in values for test in tests.values() for values in test["systems"].values())
    header = ("WER", *(["CER"] if cer else []), "PER", *(f"PER, {name} phones" for name in classes))
    rows = [("test", "system", *header)]
    for name, test in tests.items():
        columns = [test["significance"][unit]["rates"] for unit in reversed(units(test))]
        for c in classes if columns else ():
            columns.append(test["phone_classes"].get(c, {}).get("rates", {}))
        for system in columns[0] if columns else ():
            wer, *others = (_rate(rates.get(system)) for rates in columns)
            of_characters = [_cer(test["systems"][system])] if cer else []
            rows.append((name, system, wer, *of_characters, *others))
    if len(rows) == 1:
        return []
    text = "In per cent, with 95 % intervals."
    if cer:
        text += " CER: errors of the characters of words, without spaces."
    return [text, markdown_table(rows)]


def _other_pairs(tests: Tests) -> list[str]:
    """Return the pairs without the first system, whose differences `RESULTS.md` has."""
    rows = [("test", "system", "compared with", *DIFFERENCE_COLUMNS)]
    for name, test in tests.items():
        compared = [test["significance"][unit] for unit in units(test)]
        for reference in list(compared[0]["rates"])[1:] if compared else ():
            by_unit = [from_reference(comparison, reference) for comparison in compared]
            rows += [
                (name, system, reference, *cells(of_unit[system] for of_unit in by_unit))
                for system in by_unit[0]
            ]
    return ["As in RESULTS.md:", markdown_table(rows)] if len(rows) > 1 else []


def _phone_classes(tests: Tests) -> list[str]:
    classes = _classes(tests)
    if not classes:
        return []
    header = [cell for name in classes for cell in (f"fewer errors in {name} phones", "p")]
    sizes, rows = [("test", *(f"{name} phones" for name in classes))], [("test", "system", *header)]
    for name, test in tests.items():
        of_test = [test.get("phone_classes", {}).get(c) for c in classes]
        sizes.append((name, *(f"{c['tokens']:,} ({c['phones']})" if c else "0" for c in of_test)))
        differences = [from_reference(c) if c else {} for c in of_test]
        for system in dict.fromkeys(system for of_class in differences for system in of_class):
            rows.append((name, system, *cells(of_class.get(system) for of_class in differences)))
    text = (
        "A phone of the target language is *shared* if the training of another language has it, "
        "too. Else it is the target's *own*. *New* phones are in the test only. Phones in the "
        "test, and in brackets how many different ones:"
    )
    paragraphs = [paragraph(text), markdown_table(sizes)]
    if len(rows) > 1:
        paragraphs += ["Differences in their errors, as in RESULTS.md:", markdown_table(rows)]
    return paragraphs


def _searches(tests: Tests) -> list[str]:
    rows = [("test", "system", "Per/Perc with phone n-gram", "NCE", "AUC")]
    for name, test in tests.items():
        ngram, confidence = test.get("phone_ngram", {}), test.get("confidence", {})
        for system in test["systems"] if ngram or confidence else ():
            rates, quality = ngram.get(system, {}), confidence.get(system, {})
            cells = (_decimals(quality.get(key), 3) for key in ("NCE", "AUC"))
            rows.append((name, system, format_pair(rates.get("PER"), rates.get("PERc")), *cells))
    if len(rows) == 1:
        return []
    text = (
        "Per/Perc in RESULTS.md is of greedy decoding, here of a search with a phone n-gram. NCE "
        "and AUC say how well the confidences of words tell correct words from wrong ones. Both "
        "are 1 at best; useless confidences have an NCE of 0 or less, and an AUC of 0.5."
    )
    return [paragraph(text), markdown_table(rows)]


def _changes(tests: Tests) -> list[str]:
    lines = []
    for name, test in tests.items():
        for system, change in test.get("phone_changes", {}).items():
            lines.append(f"- {name}, {system}")
            for key, kind in (("fewer", "fixed"), ("more", "introduced")):
                lines.append(f"    - {kind}: {', '.join(map(_change, change[key])) or 'none'}")
    text = (
        "Compared with the first system, whose number of errors comes first. A run writes all "
        "changes into `changes_TEST.tsv`."
    )
    return [paragraph(text), "\n".join(lines)] if lines else []


def _training(training: Mapping[str, Mapping[str, Any]]) -> list[str]:
    changes = dict.fromkeys(key for system in training.values() for key in system["ablation"])
    rows = [
        (
            "system",
            "best step",
            *("complete" if change == "whole" else change for change in changes),
        )
    ]
    for system, figures in training.items():
        pers = (figures["ablation"].get(change) for change in changes)
        cells = ("" if per is None else f"{per:.1f}" for per in pers)
        rows.append((system, str(figures["best_step"]), *cells))
    text = (
        "PER on valid, in per cent: of the complete network, without one layer (*without layer2*), "
        "and with the target's speech through the layers of another language (*lower of*, *upper "
        "of*)."
    )
    return [paragraph(text), markdown_table(rows)]


def _classes(tests: Tests) -> list[str]:
    """Return the classes of phones that some test compares."""
    return [c for c in CLASSES if any(c in t.get("phone_classes", {}) for t in tests.values())]


def _rate(rate: Mapping[str, Any] | None) -> str:
    """Return ``71.0 (69.1 to 72.9)``."""
    if rate is None or rate["percent"] is None:
        return "n/a"
    if rate["interval"] is None or None in rate["interval"]:
        return tenths(rate["percent"])
    low, high = map(tenths, rate["interval"])
    return f"{tenths(rate['percent'])} ({low} to {high})"


def _cer(values: Mapping[str, Any]) -> str:
    return "n/a" if values.get("CER") is None else tenths(values["CER"])


def _decimals(value: float | None, digits: int) -> str:
    return "n/a" if value is None else f"{value:.{digits}f}"


def _change(change: Mapping[str, Any]) -> str:
    """Return ``a as ʌ (98 to 71)``."""
    ref, hyp = change["ref"], change["hyp"]
    what = (
        f"{hyp} inserted" if ref == EPS else f"{ref} deleted" if hyp == EPS else f"{ref} as {hyp}"
    )
    return f"{what} ({change['before']} to {change['after']})"
