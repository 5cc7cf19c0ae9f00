"""The section on utterances: every one in a table, with its errors, alignments and sound.

A page has room for only so much. The rows of the table have every utterance. Alignments and sound
are added until their budgets are used up, first those of utterances that changed most between
systems and of those with the most errors.
"""

import base64
import json
import logging
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from cascade.corpora import audio
from cascade.html.scored import Aligned, Cut, TestSet
from cascade.html.sound import opus, peaks, rate_for
from cascade.runtime.errors import UserError

log = logging.getLogger("cascade")
MB = 1_000_000
ALIGNMENT_BUDGET = 6 * MB  # characters of the page
SOUND_BUDGET = 6 * MB
CHUNK = 200  # utterances that are unpacked together
BATCH = 32  # recordings in memory at once


@dataclass
class Shelf:
    """What the page has of the utterances, in the form in which it is embedded.

    Attributes:
        tables: The rows of each test set, packed.
        chunks: The alignments, packed, `CHUNK` utterances each.
        sounds: Opus files in base64 by the number of the utterance.
        total: The number of utterances; their numbers run through all test sets.
        aligned: How many of them have alignments.
        unread: How many recordings could not be read.
    """

    tables: list[str] = field(default_factory=list)
    chunks: list[str] = field(default_factory=list)
    sounds: dict[int, str] = field(default_factory=dict)
    total: int = 0
    aligned: int = 0
    unread: int = 0


def packed(value: Any) -> str:
    """Return JSON as the page unpacks it: deflated, in base64."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return base64.b64encode(zlib.compress(text, 9)).decode()


def shelf(
    tests: Sequence[TestSet],
    rate: int,
    folder: Path,
    alignment_budget: int = ALIGNMENT_BUDGET,
    sound_budget: int = SOUND_BUDGET,
) -> Shelf:
    """Return the utterances of all test sets for a page in ``folder``.

    ``rate`` is that of the features, in Hz: the sound is what the networks heard.
    """
    result = Shelf()
    queue: list[tuple[int, int, TestSet, str]] = []  # rank in its test, number, test, utterance
    for test in tests:
        ranks = {name: rank for rank, name in enumerate(by_interest(test))}
        queue += [
            (ranks[name], result.total + number, test, name)
            for number, name in enumerate(test.utterances)
        ]
        result.total += len(test.utterances)
    queue.sort(key=lambda item: item[:2])
    where = _add_alignments(result, queue, alignment_budget)
    _add_sounds(result, queue, rate, sound_budget)
    first = 0
    for test in tests:
        numbers = range(first, first + len(test.utterances))
        result.tables.append(packed(_table(test, numbers, where, result.sounds, folder)))
        first = numbers.stop
    return result


def by_interest(test: TestSet) -> list[str]:
    """Return the utterances, in turn the one that changed most and the one with most errors.

    Changes are in phone errors from the reference system to another one.
    """
    errors = np.stack([counts.errors("phones") for counts in test.counts.values()])  # (systems, U)
    change = np.abs(errors - errors[0]).max(axis=0)
    tokens = next(iter(test.counts.values())).tokens("phones")
    worst = errors.max(axis=0) / np.maximum(1, tokens)
    orders = [np.argsort(-values, kind="stable").tolist() for values in (change, worst)]
    mixed = dict.fromkeys(number for pair in zip(*orders, strict=True) for number in pair)
    return [test.utterances[number] for number in mixed]


def _add_alignments(
    result: Shelf, queue: Sequence[tuple[int, int, TestSet, str]], budget: int
) -> dict[int, int]:
    """Add alignments in the order of ``queue``; return the chunk of each utterance by number."""
    where: dict[int, int] = {}
    used = 0
    for start in range(0, len(queue), CHUNK):
        some = queue[start : start + CHUNK]
        chunk = packed({str(number): _alignments(test, name) for _, number, test, name in some})
        used += len(chunk)
        if used > budget:
            break
        where |= {number: len(result.chunks) for _, number, _, _ in some}
        result.chunks.append(chunk)
    result.aligned = len(where)
    return where


def _alignments(test: TestSet, name: str) -> dict[str, Any]:
    """Return the aligned words and phones of an utterance, and the times of words."""
    return {
        "words": [_compact(table[name]) for table in test.words.values()],
        "phones": [_compact(table[name]) for table in test.phones.values()],
        "times": [
            [[word, round(start, 2), round(length, 2), round(confidence, 2)]
             for word, start, length, confidence in times.get(name, ())]
            for times in test.times.values()
        ],
    }  # fmt: skip


def _compact(aligned: Aligned) -> list[str]:
    """Return both sides as text; in a hypothesis ``=`` is the token of the reference.

    >>> _compact(Aligned(["a", "b", "***"], ["a", "***", "c"]))
    ['a b ***', '= *** c']
    """
    same = ["=" if r == h else f"={h}" if h.startswith("=") else h
            for r, h in zip(aligned.ref, aligned.hyp, strict=True)]  # fmt: skip
    return [" ".join(aligned.ref), " ".join(same)]


def _add_sounds(
    result: Shelf, queue: Sequence[tuple[int, int, TestSet, str]], rate: int, budget: int
) -> None:
    """Add the sound of utterances in the order of ``queue``; skip recordings that are not there."""
    used, heard = 0, rate_for(rate)
    with ThreadPoolExecutor() as pool:
        for start in range(0, len(queue), BATCH):
            samples = dict(_samples(result, queue[start : start + BATCH], heard))
            encoded = pool.map(lambda one: opus(one, heard), samples.values())
            for (number, one), sound in zip(samples.items(), encoded, strict=True):
                text = base64.b64encode(sound).decode()
                used += len(text)
                if used > budget:
                    return
                result.sounds[number] = f"{peaks(one)} {text}"


def _samples(
    result: Shelf, some: Sequence[tuple[int, int, TestSet, str]], rate: int
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the samples of utterances with their numbers; count those that cannot be read."""
    for _, number, test, name in some:
        cut = test.cuts.get(name)
        if cut is not None and cut.audio is not None:
            try:
                yield number, audio.read(cut.audio, rate, cut.start, cut.seconds, cut.channel)
            except UserError as error:
                result.unread += 1
                if result.unread == 1:
                    log.warning("warning: the report has no sound of %s: %s", name, error)


def _table(
    test: TestSet,
    numbers: range,
    where: Mapping[int, int],
    sounds: Mapping[int, str],
    folder: Path,
) -> dict[str, Any]:
    """Return the rows of a test set, column by column."""
    first = next(iter(test.counts.values()))
    speakers = sorted(set(first.speakers))
    place = {speaker: index for index, speaker in enumerate(speakers)}
    cuts = [test.cuts.get(name) for name in first.utterances]
    links = [
        None if n in sounds else _link(cut, folder) for n, cut in zip(numbers, cuts, strict=True)
    ]
    return {
        "test": test.name,
        "first": numbers.start,
        "systems": test.systems,
        "speakers": speakers,
        "id": first.utterances,
        "speaker": [place[speaker] for speaker in first.speakers],
        "seconds": [round(cut.seconds, 2) if cut else None for cut in cuts],
        "words": first.tokens("words").tolist(),
        "phones": first.tokens("phones").tolist(),
        "word_errors": [c.errors("words").tolist() for c in test.counts.values()],
        "phone_errors": [c.errors("phones").tolist() for c in test.counts.values()],
        "text": [" ".join(test.texts[name]) for name in first.utterances],
        "chunk": [where.get(number, -1) for number in numbers],
        "link": links if any(links) else [],
    }  # fmt: skip


def _link(cut: Cut | None, folder: Path) -> str | None:
    """Return the relative address of a recording, from a page in ``folder``.

    A part of a recording has its start and end behind a ``#``, as the W3C's media fragments are.
    """
    if cut is None or cut.audio is None:
        return None
    address = quote(os.path.relpath(cut.audio, folder).replace(os.sep, "/"))
    return f"{address}#t={cut.start:.2f},{cut.start + cut.seconds:.2f}" if cut.start else address


def left_out(result: Shelf) -> Iterator[str]:
    """Yield sentences on what the page has not."""
    if result.aligned < result.total:
        yield (
            f"Alignments of {result.aligned:,} of {result.total:,} utterances are in this file:"
            " those that changed most and those with the most errors. The others are in"
            " SYSTEM/score_TEST/per_utt and per_utt_phones."
        )
    if len(result.sounds) < result.total:
        yield (
            f"The sound of {len(result.sounds):,} of {result.total:,} utterances is in this file,"
            " chosen in the same way. The others are links to the recordings."
        )
