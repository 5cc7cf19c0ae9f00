"""The errors of each utterance of a scored test set: ``SYSTEM/score_TEST/counts.tsv``.

Three lines of it, of fewer columns (the others are ``words_del words_ins phones_sub ...``)::

    utterance   speaker     words   words_sub
    ru_0011     festvox_ru  17      3
    ru_0025     festvox_ru  14      5
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cascade.runtime.errors import UserError
from cascade.scoring.score import Score

FILE = "counts.tsv"
UNITS = ("words", "phones")
KINDS = ("", "_sub", "_del", "_ins")
HEADER = ("utterance", "speaker", *(unit + kind for unit in UNITS for kind in KINDS))


@dataclass(frozen=True, eq=False)
class UtteranceCounts:
    """The errors of one system in the U utterances of a test set, sorted by id.

    ``counts`` has an array (U, 4) for "words" and one for "phones": reference tokens,
    substitutions, deletions, insertions.
    """

    utterances: tuple[str, ...]
    speakers: tuple[str, ...]
    counts: Mapping[str, np.ndarray]

    def tokens(self, unit: str) -> np.ndarray:
        """Return the reference tokens of each utterance (U,)."""
        return self.counts[unit][:, 0]

    def errors(self, unit: str) -> np.ndarray:
        """Return the substitutions, deletions and insertions of each utterance (U,)."""
        return self.counts[unit][:, 1:].sum(axis=1)


def utterance_counts(words: Score, phones: Score, speakers: Mapping[str, str]) -> UtteranceCounts:
    """Return the counts of one system on one test set.

    Raises `UserError` for an utterance without words, phones or a speaker.
    """
    utterances = tuple(words.counts)
    partial = words.counts.keys() ^ phones.counts.keys() | words.counts.keys() - speakers.keys()
    if partial:
        raise UserError(
            f"'{min(partial)}' lacks its words, its phones or its speaker. "
            "Run stage 1 again with --force."
        )
    counts = {}
    for unit, score in zip(UNITS, (words, phones), strict=True):
        correct, sub, ins, dele = score.numbers.T
        counts[unit] = np.stack([correct + sub + dele, sub, dele, ins], axis=1)
    return UtteranceCounts(utterances, tuple(speakers[u] for u in utterances), counts)


def counts_tsv(counts: UtteranceCounts) -> str:
    """Return the text of ``counts.tsv``: a header, and a line an utterance."""
    lines = ["\t".join(HEADER) + "\n"]
    numbers = np.concatenate([counts.counts[unit] for unit in UNITS], axis=1).tolist()
    for utterance, speaker, row in zip(counts.utterances, counts.speakers, numbers, strict=True):
        lines.append("\t".join((utterance, speaker, *map(str, row))) + "\n")
    return "".join(lines)


def read_counts(path: Path) -> UtteranceCounts:
    """Read a ``counts.tsv``.

    Raises `UserError` for a file that is missing or has another format.
    """
    try:
        header, *lines = path.read_text(encoding="utf-8").splitlines()
        if header.split("\t") != list(HEADER):
            raise ValueError
        rows = [line.split("\t") for line in lines]
        numbers = np.array([row[2:] for row in rows], dtype=np.int64).reshape(-1, 2, 4)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}. Run stage 5.") from None
    except ValueError:
        raise UserError(
            f"{path} is not a table of counts. Run stage 5 again with --force."
        ) from None
    return UtteranceCounts(
        tuple(row[0] for row in rows),
        tuple(row[1] for row in rows),
        {unit: numbers[:, i] for i, unit in enumerate(UNITS)},
    )


def stacked(
    runs: Mapping[str, Sequence[UtteranceCounts]], unit: str
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Stack the runs of each system (S seeds, in the same order) on one test set of U utterances.

    Returns what `cascade.scoring.significance.compare` takes: each system's errors (S, U), and the
    reference tokens (U,). Raises `UserError` for runs with different references.
    """
    first = next(iter(runs.values()))[0]
    for system, counts in runs.items():
        for run in counts:
            same = run.utterances == first.utterances
            if not same or not np.array_equal(run.tokens(unit), first.tokens(unit)):
                raise UserError(
                    f"The runs to compare were scored on different {unit} (see '{system}'). "
                    "Run stages 4 and 5 of each again with --force."
                )
    errors = {system: np.stack([r.errors(unit) for r in c]) for system, c in runs.items()}
    return errors, first.tokens(unit)
