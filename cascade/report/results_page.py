"""The page ``RESULTS.md``: whether other languages help, error rates, differences.

It is made from what ``results.json`` contains; see `cascade.report.results.results`.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from cascade.report.differences import (
    DIFFERENCE_COLUMNS,
    UNITS,
    Difference,
    cells,
    from_reference,
    in_words,
    significant,
    units,
)
from cascade.report.environment import section
from cascade.report.training_speech import table as training_speech
from cascade.runtime.tables import markdown_table, paragraph
from cascade.scoring.significance import LEVEL
from cascade.scoring.speechbox import format_pair

COLUMNS = ("system", "layers", "neurons", "shared", "Wer/Werc", "Per/Perc", "model, KB")
CER = COLUMNS.index("Per/Perc")  # before which CER is, if a table has it
SHARED = {"upper": "upper layers", "lower": "lower layers", "all": "everything"}
ADAPTED = (
    " Where systems adapt, the networks stay those that have heard all utterances of the test."
)


class Speakers(NamedTuple):
    """The speakers of a test set.

    Attributes:
        total: How many they are.
        trained: How many are in the training, too.
        untranscribed: How many more are only in training speech without transcripts.
    """

    total: int
    trained: int
    untranscribed: int


def results_page(
    results: Mapping[str, Any], environment: Mapping[str, Any], speakers: Mapping[str, Speakers]
) -> str:
    """Return the text of ``RESULTS.md``.

    ``environment`` says where the figures come from (`cascade.report.environment.environment`);
    ``speakers`` has the test sets whose speakers are known.
    """
    parts = [f"# Results of {results['recipe']}", summary(results, speakers)]
    parts += ["## The rest", _rest(results), section(environment)]
    return "\n\n".join(parts)


def summary(results: Mapping[str, Any], speakers: Mapping[str, Speakers]) -> str:
    """Return the page without its title, its links and the environment."""
    tests = results["tests"]
    items = [*_answers(tests, speakers)]
    parts = []
    if items:
        parts += ["**Does training with other languages help?**", "\n".join(items)]
    parts += filter(None, [training_speech(results["training"])])
    for name, test in tests.items():
        rows = [_row(system, values) for system, values in test["systems"].items()]
        header: tuple[str, ...] = COLUMNS
        if test.get("unspaced"):  # then WER depends on how words are cut
            cers = [values.get("CER") for values in test["systems"].values()]
            header = (*COLUMNS[:CER], "Cer", *COLUMNS[CER:])
            rows = [
                (*row[:CER], "n/a" if cer is None else f"{cer:.4f}", *row[CER:])
                for row, cer in zip(rows, cers, strict=True)
            ]
        sizes = _sizes(test, speakers.get(name))
        parts += [f"## {name}", markdown_table([header, *rows]), sizes]
    differences = [*_differences(tests)]
    if differences:
        reference = _reference(next(iter(tests.values())))
        parts.append(f"## Differences from `{reference}`")
        parts.append(markdown_table([("test", "system", *DIFFERENCE_COLUMNS), *differences]))
        parts.append(_method(results, reference))
    taught = [*_differences_of_taught(tests)]
    if taught:
        parts.append("## Differences between systems with the same untranscribed speech")
        header = ("test", "system", "compared with", *DIFFERENCE_COLUMNS)
        parts.append(markdown_table([header, *taught]))
    return "\n\n".join(parts)


class Answer(NamedTuple):
    """Whether other languages help on a test set, by the best system that they trained, too.

    ``verdict`` is "yes", "no", "not statistically significant" or "yes, for phones".
    ``differences`` are by unit.
    """

    test: str
    system: str
    reference: str
    verdict: str
    differences: Mapping[str, Difference]


def answers(tests: Mapping[str, Any]) -> Iterator[Answer]:
    """Yield an answer for each test set, on the best system that other languages trained, too.

    It is compared as `_references` says.
    """
    for name, test in tests.items():
        pairs = [
            (system, reference, _difference(test, system, reference))
            for system, reference in _references(test).items()
            if test["systems"][system]["cascade"]
        ]
        if pairs:
            system, reference, by_unit = max(pairs, key=lambda pair: _gain(pair[2]["phones"]))
            yield Answer(name, system, reference, _yes_or_no(by_unit), by_unit)


def _references(test: Mapping[str, Any]) -> dict[str, str]:
    """Return what each system is compared with: the first of all, which is plain if there is one.

    A system with a teacher has heard more of the target than that. So it is compared with the
    first one that has heard the same, if other languages did not train this one.
    """
    references = {}
    first: dict[tuple[str, ...], str] = {}
    for system in test["significance"]["phones"]["rates"] if units(test) else ():
        values = test["systems"][system]
        speech = tuple(values.get("untranscribed", ()))
        if values.get("teacher") and not speech:
            continue  # the results of an old version
        reference = first.setdefault(speech, system)
        if reference != system and not (speech and test["systems"][reference]["cascade"]):
            references[system] = reference
    return references


def _difference(test: Mapping[str, Any], system: str, reference: str) -> dict[str, Difference]:
    """Return the difference of two systems by unit."""
    return {
        unit: from_reference(test["significance"][unit], reference)[system] for unit in units(test)
    }


def _answers(tests: Mapping[str, Any], speakers: Mapping[str, Speakers]) -> Iterator[str]:
    """Yield the answers as items of a list."""
    for name, system, reference, verdict, differences in answers(tests):
        changes = " and ".join(in_words(d, UNITS[unit]) for unit, d in differences.items())
        known = [_who(speakers[name])] if name in speakers else []
        known += ["adapted to each speaker"] if tests[name].get("adapted") else []
        who = f" ({', '.join(known)})" if known else ""
        text = f"- {name}{who}: **{verdict}.** `{system}` makes {changes} than `{reference}`."
        yield paragraph(text, indent="  ")


def _gain(difference: Difference) -> tuple[bool, float]:
    """Return what systems are ordered by: a significant gain first, then its size."""
    reduction = -math.inf if difference["reduction"] is None else difference["reduction"]
    return significant(difference) and reduction > 0, reduction


def _yes_or_no(differences: Mapping[str, Difference]) -> str:
    """Return whether a system makes fewer errors; ``differences`` by unit."""
    changed = {unit: d for unit, d in differences.items() if significant(d)}
    fewer = [unit for unit, d in changed.items() if (d["reduction"] or 0) > 0]
    if not changed:
        return "not statistically significant"
    if not fewer:
        return "no"
    return "yes" if len(fewer) == len(differences) else f"yes, for {fewer[0]}"


def _method(results: Mapping[str, Any], reference: str) -> str:
    comparisons = [test["significance"]["phones"] for test in results["tests"].values()]
    drawn = " or ".join(sorted({c["drawn"] for c in comparisons}, reverse=True))
    several = max(len(c["pairs"]) for c in comparisons) > 1
    adjusted = ", adjusted for all pairs of systems (Holm; intervals are not)" if several else ""
    return paragraph(
        f"How many per cent fewer errors a system makes than `{reference}`, with 95 % intervals; "
        "below 0: more errors. **Bold**: statistically significant (p below "
        f"{1 - LEVEL:.2f}). Method: paired bootstrap of {drawn}, {comparisons[0]['resamples']:,} "
        f"resamples; p is two-sided{adjusted}. Each system was trained once (seed "
        f"{results['seed']}): this says what other {drawn} would give, not another training."
        + ADAPTED
        * any(test.get("adapted") for test in results["tests"].values())
    )


def _rest(results: Mapping[str, Any]) -> str:
    return paragraph(
        "WER and PER count substitutions, deletions and insertions; WERc and PERc leave out the "
        "insertions; all in per cent. [DETAILS.md](DETAILS.md): error rates with intervals, other "
        "pairs of systems, shared phones, phone n-gram, confidences, frequent changes, training. "
        f"`exp/{results['recipe']}/`: `results.json`, `phones_TEST.tsv`, `changes_TEST.tsv`, "
        "`curves.svg`."
    )


def _differences(tests: Mapping[str, Any]) -> Iterator[Sequence[str]]:
    """Yield the rows of the table of differences."""
    for name, test in tests.items():
        by_unit = [from_reference(test["significance"][unit]) for unit in units(test)]
        for system in by_unit[0] if by_unit else ():
            yield name, system, *cells(of_unit[system] for of_unit in by_unit)


def _differences_of_taught(tests: Mapping[str, Any]) -> Iterator[Sequence[str]]:
    """Yield a row for each pair of systems that learned from the same untranscribed speech."""
    for name, test in tests.items():
        for system, reference in _references(test).items():
            if test["systems"][system].get("teacher"):
                pair = _difference(test, system, reference).values()
                yield name, system, reference, *cells(pair)


def _row(system: str, values: Mapping[str, Any]) -> tuple[str, ...]:
    teacher = values.get("teacher")
    return (
        f"{system}, taught by {teacher}" if teacher else system,
        f"{values['layers']} {values.get('encoder', '')}".strip(),
        str(values["neurons"]),
        _shared(values),
        format_pair(values["WER"], values["WERc"]),
        format_pair(values["PER"], values["PERc"]),
        "n/a" if values["model_kb"] is None else str(values["model_kb"]),
    )


def _shared(values: Mapping[str, Any]) -> str:
    """What the languages of a system share; – for a network of one language."""
    if not values["cascade"]:
        return "–"
    outputs_apart = values["share"] == "lower" and values["layers"].endswith("+0")
    return "all layers" if outputs_apart else SHARED[values["share"] or "upper"]


def _sizes(test: Mapping[str, Any], speakers: Speakers | None) -> str:
    """Return ``200 files, 1,234 words, 5,678 phones, OOV 21.3 %.``, and the WER of the graph."""
    parts = [f"{test['files']:,} files" + (f" of {_who(speakers)}" if speakers else "")]
    for key in ("ALL_WORDS", "ALL_PHONES"):
        sizes = [s[key] for s in test["systems"].values() if s[key] is not None]
        if sizes:
            parts.append(f"{sizes[0]:,} {key.removeprefix('ALL_').lower()}")
    if test.get("oov") is not None:
        spelt = ", spelt from pieces" if test.get("open") else ""
        parts.append(f"OOV {test['oov']:.1f} %{spelt}")
    text = ", ".join(parts) + "."
    if adapted := test.get("adapted"):
        text += (
            " Recognised in two passes: before the second, a copy of each network trained on what"
            " it had recognised of the speaker."
        )
        if speakers and min(adapted.values()) < speakers.total:
            counts = ", ".join(f"`{system}` {count}" for system, count in adapted.items())
            text += f" Of some speakers too little was recognised; adapted to: {counts}."
    if test.get("oracle"):
        text += f" With correct phones, the same graph gives {test['oracle']['WER']:.1f} % WER."
    return text


def _who(speakers: Speakers) -> str:
    """Return ``1 training speaker``, ``12 unseen speakers``, ``12 speakers, 3 of them ...``."""
    count, trained, untranscribed = speakers
    plural = "" if count == 1 else "s"
    if untranscribed == count:
        return f"{count} speaker{plural} of untranscribed speech"
    if trained in (0, count) and not untranscribed:
        return f"{count} {'training' if trained else 'unseen'} speaker{plural}"
    places = {"the training": trained, "untranscribed speech": untranscribed}
    parts = [f"{number} of them in {place}" for place, number in places.items() if number]
    return f"{count} speakers, {' and '.join(parts)}"


def _reference(test: Mapping[str, Any]) -> str:
    return next(iter(test["significance"]["phones"]["rates"]))
