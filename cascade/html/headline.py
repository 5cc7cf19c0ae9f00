"""The first screen: the question, the answer, the error rates, and what was trained on."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from language_tags import tags

from cascade.config.recipe import Recipe
from cascade.corpora import corpus
from cascade.html.speech import SpeechSet
from cascade.report.differences import in_words
from cascade.report.results_page import UNITS, answers
from cascade.runtime.tables import joined

CHARACTERS = "characters"
ADAPTED = " (adapted to each speaker)"
RATES = {"phones": "PER", "words": "WER", CHARACTERS: "CER"}
FEW = 3  # languages that a sentence names


class Answer(NamedTuple):
    """The answer on a test set: ``verdict`` such as "yes", and a sentence with its evidence."""

    test: str
    verdict: str
    better: bool
    system: str
    reference: str
    evidence: str


def language_name(code: str) -> str:
    """Return the English name of a language; the code itself if it is not registered.

    >>> language_name("ru"), language_name("pt-br"), language_name("x1")
    ('Russian', 'Portuguese', 'x1')
    """
    language = tags.language(code.split("-")[0].split("_")[0])
    return str(language.description[0]) if language else code


def names(codes: Iterable[str]) -> str:
    """Return the names of languages as a list in words.

    >>> names(["en", "cs"]), names(["en", "cs", "es", "it"])
    ('English and Czech', '4 other languages')
    """
    codes = list(codes)
    if len(codes) > FEW:
        return f"{len(codes)} other languages"
    return joined([language_name(code) for code in codes])


def question(recipe: Recipe) -> str:
    """Return what the experiment asks."""
    target = language_name(recipe.target)
    beside = [names(recipe.ext_languages)] if recipe.ext_languages else []
    beside += ["other speech"] if recipe.target in recipe.ext_streams.values() else []
    if beside:
        return f"Does training beside {joined(beside)} help {target}?"
    return f"How well is {target} recognised?"


def all_answers(results: Mapping[str, Any]) -> list[Answer]:
    """Return an answer for each test set on which systems were compared."""
    return [
        Answer(
            answer.test + (ADAPTED if results["tests"][answer.test].get("adapted") else ""),
            answer.verdict[0].upper() + answer.verdict[1:],
            answer.verdict.startswith("yes"),
            answer.system,
            answer.reference,
            joined([in_words(d, UNITS[unit]) for unit, d in answer.differences.items()]),
        )
        for answer in answers(results["tests"])
    ]


def rates(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a row for each system, test set and unit: its error rate with its interval.

    ``characters`` have no interval, and no row where stage 5 did not count their errors.
    """
    return [
        {"test": name, "system": system, "unit": unit, "rate": rate, "low": low, "high": high}
        for name, test in results["tests"].items()
        for unit in (*UNITS, CHARACTERS)
        for system, rate, low, high in _rates(test, unit)
    ]


def _rates(
    test: Mapping[str, Any], unit: str
) -> Iterator[tuple[str, float | None, float | None, float | None]]:
    """Yield systems, and their error rates with the ends of intervals."""
    compared = test.get("significance", {}).get(unit, {}).get("rates", {})
    key = RATES[unit]
    for system, values in test["systems"].items():
        low, high = compared.get(system, {}).get("interval") or (None, None)
        if key in values:
            yield system, values[key], low, high


def trained_on(recipe: Recipe, sets: Sequence[SpeechSet]) -> str:
    """Return what the systems were trained on, in a line.

    Speech without transcripts counts only if a system has a teacher.
    """
    target = [s for s in sets if s.role == "train"]
    parts = [amount(target, language_name(recipe.target))]
    others: dict[tuple[str, str], list[SpeechSet]] = {}
    for one in sets:
        if one.role == "train_ext":
            kind = "more" if one.language == recipe.target else ""
            kind = "synthetic" if corpus.synthetic(one.corpus) else kind
            others.setdefault((kind, one.language), []).append(one)
        elif one.role == "train_untranscribed" and recipe.teachers:
            others.setdefault(("untranscribed", one.language), []).append(one)
    for (kind, language), some in others.items():
        parts.append(amount(some, f"{kind} {language_name(language)}".strip()))
    return "Trained on " + ", beside ".join([parts[0], joined(parts[1:])] if others else parts)


def amount(sets: Sequence[SpeechSet], what: str) -> str:
    """Return how much speech of how many speakers, such as ``15 min of Russian (1 speaker)``."""
    minutes = math.fsum(s.seconds for s in sets) / 60
    speakers = {speaker for s in sets for speaker in s.speakers} - {"unknown"}
    time = f"{minutes:.0f} min" if minutes < 100 else f"{minutes / 60:.1f} h"
    plural = "" if len(speakers) == 1 else "s"
    who = f" ({len(speakers):,} speaker{plural})" if speakers else ""
    return f"{time} of {what}{who}"
