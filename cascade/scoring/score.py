"""Scores: hypotheses aligned with references, counted as NIST's sclite counts them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from pathlib import Path

import numpy as np

from cascade.runtime.errors import UserError
from cascade.runtime.files import read_text_table
from cascade.scoring.align import DELETED, INSERTED, Rows, align
from cascade.scoring.speechbox import Counts

EPS = "***"  # a gap, as in Kaldi's wer_details
OPERATIONS = ("correct", "deletion", "insertion", "substitution")

Texts = Mapping[str, Sequence[str]]  # the tokens of each utterance
Normalizer = Callable[[Sequence[str]], Sequence[Sequence[str]]]


@dataclass(frozen=True)
class Score:
    """Errors of a test set, in words or in phones. Utterances are sorted by id.

    Attributes:
        sub: Substitutions.
        dele: Deletions.
        ins: Insertions.
        total: Reference tokens.
        counts: The correct, substituted, inserted and deleted tokens of each utterance.
        partial: Utterances without a hypothesis. All their tokens count as deletions.
        ref: The reference tokens that were compared, by utterance.
        hyp: The tokens of the hypotheses that were compared, by utterance.
        ops: Each distinct aligned pair as (operation, reference, hypothesis, how often): by
            operation, most frequent first. `EPS` is a gap.
        alignments: The aligned pairs of each utterance, as indices into ``ops``.
    """

    sub: int
    dele: int
    ins: int
    total: int
    counts: dict[str, tuple[int, int, int, int]]
    partial: list[str]
    ref: dict[str, Sequence[str]] = field(repr=False)
    hyp: dict[str, Sequence[str]] = field(repr=False)
    ops: list[tuple[str, str, str, int]] = field(repr=False)
    alignments: dict[str, list[int]] = field(repr=False)

    @cached_property
    def numbers(self) -> np.ndarray:
        """``counts`` as an array (U, 4)."""
        return np.array([*self.counts.values()], dtype=np.int64).reshape(-1, 4)

    def pairs(self, utterance: str) -> list[tuple[str, str]]:
        """Return the aligned (reference, hypothesis) tokens of an utterance."""
        return [self.ops[index][1:3] for index in self.alignments[utterance]]

    @property
    def errors(self) -> int:
        """Substitutions, deletions and insertions."""
        return self.sub + self.dele + self.ins

    @property
    def terrors(self) -> int:
        """Reference tokens that were not recognised: substitutions and deletions."""
        return self.sub + self.dele


def score_files(ref: Path, hyp: Path, normalizer: Normalizer | None = None) -> Score:
    """Score one Kaldi text file against another; see `score`.

    Raises `UserError` for a file that is missing or not UTF-8, an utterance that appears twice,
    and a hypothesis of an utterance that the reference does not have.
    """
    references, hypotheses = read_text_table(ref), read_text_table(hyp)
    for utterance in hypotheses:
        if utterance not in references:
            lines = hyp.read_text(encoding="utf-8").split("\n")
            number = next(n for n, line in enumerate(lines, 1) if line.split()[:1] == [utterance])
            raise UserError(
                f"{hyp}, line {number}: '{utterance}' is not in the reference {ref}. Decode the "
                "test set again (stage 4), or remove the line."
            )
    return score(references, hypotheses, normalizer)


def score(ref: Texts, hyp: Texts, normalizer: Normalizer | None = None) -> Score:
    """Align every utterance of ``ref`` with its hypothesis, and count the errors.

    ``normalizer`` takes some tokens and returns for each of them the tokens to compare: one,
    several or none. An utterance without a hypothesis counts as deleted.

    Raises `UserError` for a hypothesis without a reference.

    >>> result = score({"u1": ["a", "b", "c"], "u2": ["d"]}, {"u1": ["a", "x", "c", "e"]})
    >>> result.sub, result.dele, result.ins, result.total, result.partial
    (1, 1, 1, 4, ['u2'])
    >>> result.pairs("u1")
    [('a', 'a'), ('b', 'x'), ('c', 'c'), ('***', 'e')]
    """
    for utterance in hyp:
        if utterance not in ref:
            raise UserError(f"The hypothesis '{utterance}' has no reference.")
    utterances = sorted(ref)
    texts = [ref[u] for u in utterances] + [hyp.get(u, []) for u in utterances]
    if normalizer:
        texts = _normalized(texts, normalizer)
    refs, hyps = texts[: len(utterances)], texts[len(utterances) :]
    tokens = sorted(set(chain.from_iterable(texts)))
    if EPS in tokens:
        raise UserError(f"'{EPS}' means a gap in an alignment. It cannot be a word or a phone.")
    ops, alignments = _aligned(refs, hyps, [EPS, *tokens])
    counts = [_counts(ops, alignment) for alignment in alignments]
    _, sub, ins, dele = (sum(column) for column in zip((0, 0, 0, 0), *counts, strict=True))
    return Score(
        sub=sub,
        dele=dele,
        ins=ins,
        total=sum(map(len, refs)),
        counts=dict(zip(utterances, counts, strict=True)),
        partial=[u for u in utterances if u not in hyp],
        ref=dict(zip(utterances, refs, strict=True)),
        hyp=dict(zip(utterances, hyps, strict=True)),
        ops=ops,
        alignments=dict(zip(utterances, alignments, strict=True)),
    )


def counts_of(words: Score, phones: Score, memory_mb: int | None) -> Counts:
    """What the SpeechBox log of a test says."""
    return Counts(
        errors=words.errors,
        terrors=words.terrors,
        all_words=words.total,
        ph_errors=phones.errors,
        ph_terrors=phones.terrors,
        all_phones=phones.total,
        memory_mb=memory_mb,
    )


def _normalized(texts: list[Sequence[str]], normalizer: Normalizer) -> list[Sequence[str]]:
    """Return ``texts`` in the tokens to compare. Each distinct token is normalised once."""
    tokens = list(set(chain.from_iterable(texts)))
    parts = dict(zip(tokens, normalizer(tokens), strict=True))
    return [[part for token in text for part in parts[token]] for text in texts]


def _aligned(
    refs: Sequence[Sequence[str]], hyps: Sequence[Sequence[str]], tokens: Sequence[str]
) -> tuple[list[tuple[str, str, str, int]], list[list[int]]]:
    """Align utterances; return ``ops`` and ``alignments`` as `Score` has them.

    ``tokens`` are all tokens, sorted, behind the gap: number 0.
    """
    number = {token: i for i, token in enumerate(tokens)}
    ref_rows, hyp_rows = _rows(refs, number), _rows(hyps, number)
    steps = align(ref_rows, hyp_rows)
    # The steps that use a reference token use all of them, in order. So do those of hypotheses.
    r, h = np.zeros((2, len(steps.values)), dtype=np.int64)
    r[steps.values != INSERTED] = ref_rows.values
    h[steps.values != DELETED] = hyp_rows.values
    pairs, index, times = np.unique(r * len(tokens) + h, return_inverse=True, return_counts=True)
    r, h = np.divmod(pairs, len(tokens))
    operation = np.where(r == h, 0, np.where(h == 0, 1, np.where(r == 0, 2, 3)))
    order = np.lexsort((-times, operation))  # equal ones stay sorted by reference and hypothesis
    columns = (column[order].tolist() for column in (operation, r, h, times))
    ops = [(OPERATIONS[o], tokens[i], tokens[j], n) for o, i, j, n in zip(*columns, strict=True)]
    places = np.argsort(order)[index].tolist()
    return ops, [places[start:end] for start, end in steps.places()]


def _rows(texts: Sequence[Sequence[str]], number: Mapping[str, int]) -> Rows:
    """Return ``texts`` as numbers of tokens."""
    kind = np.min_scalar_type(len(number))  # `align` is faster with fewer bytes
    values = np.fromiter(map(number.__getitem__, chain.from_iterable(texts)), kind)
    return Rows(values, np.fromiter(map(len, texts), np.int64, len(texts)))


def _counts(
    ops: Sequence[tuple[str, str, str, int]], alignment: Sequence[int]
) -> tuple[int, int, int, int]:
    """Return the correct, substituted, inserted and deleted tokens of an utterance."""
    times = dict.fromkeys(OPERATIONS, 0)
    for index in alignment:
        times[ops[index][0]] += 1
    return times["correct"], times["substitution"], times["insertion"], times["deletion"]
