"""Scores: hypotheses aligned with references, counted as NIST's sclite counts them."""

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TypeVar

import numpy as np

from cascade.runtime.errors import UserError
from cascade.runtime.files import read_text_lines
from cascade.scoring.align import DELETED, INSERTED, Rows, align
from cascade.scoring.speechbox import Counts
from cascade.scoring.tokens import by_split, numbered

EPS = "***"  # a gap, as in Kaldi's wer_details
OPERATIONS = ("correct", "deletion", "insertion", "substitution")

Tokens = Mapping[str, Sequence[str]]
Text = TypeVar("Text")
Rule = Callable[[Sequence[str]], Sequence[Sequence[str]]]


@contextmanager
def uncollected() -> Iterator[None]:
    """Stops the search for cyclic garbage.

    Scoring makes millions of tokens and no cycles; looking through them again and again
    would take a fifth of its time.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@dataclass(frozen=True)
class Score:
    """Errors of a test set, in words or in phones.

    ``counts`` are the correct, substituted, inserted and deleted tokens of each utterance,
    sorted by its id; ``partial`` the utterances that had no hypothesis and count as deletions.

    Tokens are numbers here: indices into ``names``, 0 for a gap. ``refs`` and ``hyps`` are
    those that were compared, a row for each utterance. ``table`` (4, P) has the distinct
    aligned ones, sorted as `ops`: an index into `OPERATIONS`, the reference's token, the
    hypothesis's, and how often; ``aligned`` the alignments, as columns of ``table``.
    """

    sub: int
    dele: int
    ins: int
    total: int
    counts: dict[str, tuple[int, int, int, int]]
    partial: list[str]
    names: list[str] = field(repr=False)
    refs: Rows = field(compare=False, repr=False)
    hyps: Rows = field(compare=False, repr=False)
    table: np.ndarray = field(compare=False, repr=False)
    aligned: Rows = field(compare=False, repr=False)

    @cached_property
    def numbers(self) -> np.ndarray:
        """``counts`` as an array (U, 4)."""
        return np.array([*self.counts.values()], dtype=np.int64).reshape(-1, 4)

    @cached_property
    def ref(self) -> dict[str, list[str]]:
        """The reference tokens that were compared, by utterance."""
        return dict(zip(self.counts, self.texts(self.refs), strict=True))

    @cached_property
    def hyp(self) -> dict[str, list[str]]:
        """The tokens of the hypotheses that were compared, by utterance."""
        return dict(zip(self.counts, self.texts(self.hyps), strict=True))

    def texts(self, rows: Rows) -> Iterator[list[str]]:
        """The tokens behind the numbers of each row."""
        tokens = np.array(self.names, dtype=object)[rows.values].tolist()
        for start, end in rows.places():
            yield tokens[start:end]

    @cached_property
    def ops(self) -> list[tuple[str, str, str, int]]:
        """(operation, reference, hypothesis, how often), by operation, most frequent first."""
        names = self.names
        return [(OPERATIONS[o], names[r], names[h], n) for o, r, h, n in self.table.T.tolist()]

    def pairs(self, utterance: str) -> list[tuple[str, str]]:
        """The aligned (reference, hypothesis) tokens of an utterance, `EPS` for a gap."""
        start, end = self._places[utterance]
        found = self.table[1:3, self.aligned.values[start:end]]
        return [(self.names[r], self.names[h]) for r, h in found.T.tolist()]

    @cached_property
    def _places(self) -> dict[str, tuple[int, int]]:
        return dict(zip(self.counts, self.aligned.places(), strict=True))

    @property
    def errors(self) -> int:
        """Substitutions, deletions and insertions."""
        return self.sub + self.dele + self.ins

    @property
    def terrors(self) -> int:
        """Reference tokens that were not recognised: substitutions and deletions."""
        return self.sub + self.dele


@uncollected()
def score_files(ref: Path, hyp: Path, rule: Rule | None = None) -> Score:
    """Scores one Kaldi text file against another; see `score`.

    Raises `UserError` for a file that is missing or not UTF-8, an utterance named twice, and
    a hypothesis of an utterance that the reference does not have.
    """
    references, hypotheses = read_text_lines(ref), read_text_lines(hyp)
    for utterance in hypotheses:
        if utterance not in references:
            lines = hyp.read_text(encoding="utf-8").split("\n")
            number = next(n for n, line in enumerate(lines, 1) if line.split()[:1] == [utterance])
            raise UserError(
                f"{hyp}, line {number}: '{utterance}' is not in the reference {ref}. Decode the "
                "test set again (stage 4), or take the line out."
            )
    return _score(references, hypotheses, numbered, "", rule)


def score(ref: Tokens, hyp: Tokens, rule: Rule | None = None) -> Score:
    """Aligns every utterance of ``ref`` with its hypothesis and counts the errors.

    ``rule`` gives, for each of some tokens of either, the tokens that are compared: one,
    several or none. An utterance that ``hyp`` lacks counts as deleted whole. Raises
    `UserError` for one that ``ref`` lacks.
    """
    for utterance in hyp:
        if utterance not in ref:
            raise UserError(f"The hypothesis '{utterance}' has no reference.")
    return _score(ref, hyp, by_split, (), rule)


def _score(
    ref: Mapping[str, Text],
    hyp: Mapping[str, Text],
    number: Callable[[list[Text]], tuple[Rows, list[str]]],
    empty: Text,
    rule: Rule | None,
) -> Score:
    """Scores texts, which ``number`` makes into numbers of tokens; ``empty`` is one without any."""
    utterances = sorted(ref)
    texts = [ref[u] for u in utterances] + [hyp.get(u, empty) for u in utterances]
    both, names = _compared(*number(texts), rule)
    refs, hyps = _halves(both)
    steps = align(refs, hyps)
    # The steps that take a reference token take all of them, in order; hypotheses likewise.
    r, h = np.zeros((2, len(steps.values)), dtype=np.int64)
    r[steps.values != INSERTED] = refs.values
    h[steps.values != DELETED] = hyps.values
    table, index = _pairs(r, h, len(names))
    of = np.repeat(np.arange(len(utterances)), steps.lengths)
    counts = np.bincount(of * 4 + table[0][index], minlength=4 * len(utterances))
    counts = counts.reshape(-1, 4)[:, [0, 3, 2, 1]]  # C, S, I, D
    _, sub, ins, dele = counts.sum(axis=0).tolist()
    return Score(
        sub=sub,
        dele=dele,
        ins=ins,
        total=len(refs.values),
        counts=dict(zip(utterances, map(tuple, counts.tolist()), strict=True)),
        partial=[u for u in utterances if u not in hyp],
        names=names,
        refs=refs,
        hyps=hyps,
        table=table,
        aligned=Rows(index, steps.lengths),
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


def _compared(rows: Rows, written: list[str], rule: Rule | None) -> tuple[Rows, list[str]]:
    """``rows`` of numbers in ``written`` as those of the tokens that are compared.

    Returns them with the tokens behind the numbers, sorted; number 0 is a gap.
    """
    compared = rule(written) if rule else [(token,) for token in written]
    names = sorted(set(chain.from_iterable(compared)))
    if EPS in names:
        raise UserError(f"'{EPS}' stands for a gap in an alignment and can be no word.")
    number = dict(zip(names, range(1, len(names) + 1), strict=True))
    kind = np.min_scalar_type(len(names))  # the smaller, the faster `align`
    values = np.fromiter(map(number.__getitem__, chain.from_iterable(compared)), kind)
    parts = Rows(values, np.fromiter(map(len, compared), np.int64, len(compared)))
    return _replaced(rows, parts), [EPS, *names]


def _halves(rows: Rows) -> tuple[Rows, Rows]:
    """The first half of the rows, and the second."""
    middle = len(rows.lengths) // 2
    values = np.split(rows.values, [rows.lengths[:middle].sum()])
    return Rows(values[0], rows.lengths[:middle]), Rows(values[1], rows.lengths[middle:])


def _replaced(rows: Rows, parts: Rows) -> Rows:
    """``rows`` with each value v as row v of ``parts``."""
    if (parts.lengths == 1).all():
        return Rows(parts.values[rows.values], rows.lengths)
    each = parts.lengths[rows.values]
    ends = np.concatenate([[0], np.cumsum(each)])
    index = np.repeat(parts.starts[rows.values] - ends[:-1], each) + np.arange(ends[-1])
    lengths = ends[rows.starts + rows.lengths] - ends[rows.starts]
    return Rows(parts.values[index], lengths)


def _pairs(r: np.ndarray, h: np.ndarray, tokens: int) -> tuple[np.ndarray, np.ndarray]:
    """The distinct pairs (4, P) as `Score` has them, and the place of each of ``r, h`` there."""
    codes = r * tokens + h
    if tokens**2 < 4 * len(codes):  # few tokens, many pairs: counting is faster than sorting
        times = np.bincount(codes, minlength=tokens**2)
        found = np.flatnonzero(times)
        index = np.searchsorted(found, np.arange(tokens**2))[codes]
        times = times[found]
    else:
        found, index, times = np.unique(codes, return_inverse=True, return_counts=True)
    r, h = np.divmod(found, tokens)
    kind = np.where(r == h, 0, np.where(h == 0, 1, np.where(r == 0, 2, 3)))
    order = np.lexsort((-times, kind))  # equals stay sorted by reference and hypothesis
    places = np.empty_like(order)
    places[order] = np.arange(len(order))
    return np.stack([kind, r, h, times])[:, order], places[index]
