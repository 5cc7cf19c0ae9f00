"""The section on words: frequent errors, and errors by length, speaker, frequency, vocabulary."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from cascade.config.experiment import Experiment
from cascade.html.scored import TestSet
from cascade.runtime.files import read_text_table
from cascade.scoring.score import EPS
from cascade.text.words import WordNormalizer

TOP = 15  # errors of a kind
SPEAKERS = 30  # with the most words; others are not in the chart
LENGTHS = (3, 6, 10, 15, 25)  # words of an utterance: the last of each group
FREQUENCIES = (0, 1, 4, 19, 99)  # times in the training transcripts


def frequent(test: TestSet) -> dict[str, dict[str, list[tuple[str, str, int]]]]:
    """Return the most frequent errors by system and kind: reference, hypothesis, times."""
    tables: dict[str, dict[str, list[tuple[str, str, int]]]] = {}
    for system, table in test.words.items():
        counts: dict[str, Counter[tuple[str, str]]] = {
            kind: Counter() for kind in ("substitutions", "deletions", "insertions")
        }
        for aligned in table.values():
            for ref, hyp in zip(aligned.ref, aligned.hyp, strict=True):
                if ref != hyp:
                    kind = "insertions" if ref == EPS else "deletions" if hyp == EPS else ""
                    counts[kind or "substitutions"][ref, hyp] += 1
        tables[system] = {
            kind: [
                (ref, hyp, times)
                for (ref, hyp), times in sorted(some.items(), key=lambda item: (-item[1], item[0]))
            ][:TOP]
            for kind, some in counts.items()
        }
    return tables


def by_group(experiment: Experiment, test: TestSet, key: str) -> list[dict[str, Any]]:
    """Return word error rates by group: rows of ``by``, ``group``, ``system``, ``rate``, ``words``.

    ``key`` is that of the data set. By word, only substitutions and deletions count: an insertion
    has no word of the reference.
    """
    first = next(iter(test.counts.values()))
    lengths = first.tokens("words")
    rows = [
        *_by_utterance(test, "length", [span(n, LENGTHS) for n in lengths], spans(LENGTHS)),
        *_by_utterance(test, "speaker", first.speakers, _largest(first.speakers, lengths)),
    ]
    frequencies, unknown = _known(experiment, key)
    rows += _by_word(
        test, "frequency", lambda word: span(frequencies[word], FREQUENCIES), spans(FREQUENCIES)
    )
    places = ["in the vocabulary", "out of vocabulary"]
    return rows + _by_word(test, "vocabulary", lambda word: places[word in unknown], places)


def span(number: int, ends: Sequence[int]) -> str:
    """Return the group of a number.

    >>> span(0, FREQUENCIES), span(3, FREQUENCIES), span(500, FREQUENCIES)
    ('0', '2–4', '100+')
    """
    place = int(np.searchsorted(ends, number))
    return spans(ends)[place]


def spans(ends: Sequence[int]) -> list[str]:
    """Return the names of all groups."""
    starts = [0 if ends[0] == 0 else 1, *(end + 1 for end in ends)]
    names = [f"{a}" if a == b else f"{a}–{b}" for a, b in zip(starts, ends, strict=False)]
    return [*names, f"{starts[-1]}+"]


def _by_utterance(
    test: TestSet, by: str, groups: Sequence[str], names: Sequence[str]
) -> list[dict[str, Any]]:
    """Return the word error rates of groups of utterances, in the order of ``names``."""
    rows = []
    chosen = np.array(groups)
    for system, counts in test.counts.items():
        tokens, errors = counts.tokens("words"), counts.errors("words")
        for name in names:
            mine = chosen == name
            rows += _row(by, name, system, int(errors[mine].sum()), int(tokens[mine].sum()))
    return rows


def _by_word(
    test: TestSet, by: str, group: Callable[[str], str], names: Sequence[str]
) -> list[dict[str, Any]]:
    """Return the error rates of groups of reference words, in the order of ``names``."""
    rows = []
    for system, table in test.words.items():
        tokens, errors = Counter[str](), Counter[str]()
        for aligned in table.values():
            for ref, hyp in zip(aligned.ref, aligned.hyp, strict=True):
                if ref != EPS:
                    name = group(ref)
                    tokens[name] += 1
                    errors[name] += ref != hyp
        for name in names:
            rows += _row(by, name, system, errors[name], tokens[name])
    return rows


def _row(by: str, group: str, system: str, errors: int, words: int) -> list[dict[str, Any]]:
    if not words:
        return []
    rate = round(100 * errors / words, 2)
    return [{"by": by, "group": group, "system": system, "rate": rate, "words": words}]


def _largest(speakers: Sequence[str], words: Iterable[int]) -> list[str]:
    """Return the speakers with the most words, sorted by name; none if there is only one."""
    totals: Counter[str] = Counter()
    for speaker, count in zip(speakers, words, strict=True):
        totals[speaker] += int(count)
    most = sorted(totals, key=lambda speaker: (-totals[speaker], speaker))[:SPEAKERS]
    return sorted(most) if len(totals) > 1 else []


def normalizer(experiment: Experiment) -> WordNormalizer:
    """Return how words of reference and hypothesis are compared, as stage 5 does."""
    return WordNormalizer(experiment.recipe.target_language)


def _known(experiment: Experiment, key: str) -> tuple[Counter[str], set[str]]:
    """Count the words of the training transcripts; return those, and unknown words of a test.

    Both are as words are compared.
    """
    layout, compared = experiment.layout, normalizer(experiment)
    counts: Counter[str] = Counter()
    for train in experiment.dataset_keys("train"):
        for words in read_text_table(layout.text(train, "words")).values():
            counts.update(words)
    frequencies: Counter[str] = Counter()
    for parts, times in zip(compared([*counts]), counts.values(), strict=True):
        for part in parts:
            frequencies[part] += times
    spoken = {w for words in read_text_table(layout.text(key, "words")).values() for w in words}
    wanted = {word.encode() for word in spoken}
    with layout.lexicon.open("rb") as lines:  # millions of words
        listed = {word.decode() for line in lines if (word := line.split(b" ", 1)[0]) in wanted}
    known = {part for parts in compared([*listed]) for part in parts}
    unknown = {part for parts in compared([*(spoken - listed)]) for part in parts}
    return frequencies, unknown - known


def table(rows: Sequence[Mapping[str, Any]], systems: Sequence[str]) -> list[list[str]]:
    """Return the rows of `by_group` with a column for each system."""
    cells: dict[tuple[str, str], dict[str, Mapping[str, Any]]] = {}
    for row in rows:
        cells.setdefault((row["by"], row["group"]), {})[row["system"]] = row
    return [
        [by, group, f"{next(iter(some.values()))['words']:,}"]
        + [f"{some[s]['rate']:.1f}" if s in some else "n/a" for s in systems]
        for (by, group), some in cells.items()
    ]
