"""The errors of each utterance of a scored test set: ``SYSTEM/score_TEST/counts.tsv``."""

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
    """The U utterances of a test set, sorted by id, and what one system made of them.

    ``counts`` by unit, "words" and "phones": (U, 4) of reference tokens, substitutions,
    deletions and insertions.
    """

    utterances: tuple[str, ...]
    speakers: tuple[str, ...]
    counts: Mapping[str, np.ndarray]

    def tokens(self, unit: str) -> np.ndarray:
        """(U,) numbers of reference tokens."""
        return self.counts[unit][:, 0]

    def errors(self, unit: str) -> np.ndarray:
        """(U,) numbers of substitutions, deletions and insertions."""
        return self.counts[unit][:, 1:].sum(axis=1)


def utterance_counts(words: Score, phones: Score, speakers: Mapping[str, str]) -> UtteranceCounts:
    """The counts of one system on one test set.

    Raises `UserError` for an utterance without words, phones or a speaker.
    """
    utterances = tuple(words.counts)
    lost = words.counts.keys() ^ phones.counts.keys() | words.counts.keys() - speakers.keys()
    if lost:
        raise UserError(
            f"'{min(lost)}' has not words, phones and a speaker. Run stage 1 again with --force."
        )
    counts = {}
    for unit, found in zip(UNITS, (words, phones), strict=True):
        correct, sub, ins, dele = found.numbers.T
        counts[unit] = np.stack([correct + sub + dele, sub, dele, ins], axis=1)
    return UtteranceCounts(utterances, tuple(speakers[u] for u in utterances), counts)


def as_tsv(found: UtteranceCounts) -> str:
    """The text of ``counts.tsv``: a header, and a line an utterance."""
    lines = ["\t".join(HEADER) + "\n"]
    numbers = np.concatenate([found.counts[unit] for unit in UNITS], axis=1).tolist()
    for utterance, speaker, row in zip(found.utterances, found.speakers, numbers, strict=True):
        lines.append("\t".join((utterance, speaker, *map(str, row))) + "\n")
    return "".join(lines)


def read_counts(path: Path) -> UtteranceCounts:
    """Reads a ``counts.tsv``.

    Raises `UserError` for a file that is missing, or that stage 5 has not written so.
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
        raise UserError(f"{path} is no table of counts. Run stage 5 again with --force.") from None
    return UtteranceCounts(
        tuple(row[0] for row in rows),
        tuple(row[1] for row in rows),
        {unit: numbers[:, i] for i, unit in enumerate(UNITS)},
    )


def stacked(
    runs: Mapping[str, Sequence[UtteranceCounts]], unit: str
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Systems and their runs (one a seed, in the same order of seeds) on one test set.

    Returns what `cascade.scoring.significance.compare` takes: each system's errors (S, U), and the
    reference tokens (U,). Raises `UserError` where runs are not of the same references.
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
