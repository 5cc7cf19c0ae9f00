"""Scores: hypotheses aligned with references, counted as NIST's sclite counts them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cascade.align import align, batches
from cascade.errors import UserError
from cascade.files import read_text_table
from cascade.speechbox import Counts

EPS = "***"  # a gap, as in Kaldi's wer_details
OPERATIONS = ("correct", "deletion", "insertion", "substitution")

Tokens = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Score:
    """Errors of a test set, in words or in phones.

    ``ref`` and ``hyp`` are the tokens that were compared, by utterance, sorted by id;
    ``counts`` the correct, substituted, inserted and deleted ones of each utterance; ``ops``
    how often (operation, reference, hypothesis) came, by operation, most frequent first;
    ``partial`` the utterances that had no hypothesis and count as deletions.
    ``codes`` and ``names`` are what `pairs` reads.
    """

    sub: int
    dele: int
    ins: int
    total: int
    ref: Tokens
    hyp: Tokens
    counts: dict[str, tuple[int, int, int, int]]
    ops: list[tuple[str, str, str, int]]
    partial: list[str]
    codes: dict[str, np.ndarray] = field(compare=False, repr=False)
    names: list[str] = field(compare=False, repr=False)

    def pairs(self, utterance: str) -> list[tuple[str, str]]:
        """The aligned (reference, hypothesis) tokens of an utterance, `EPS` for a gap."""
        return [self.pair(code) for code in self.codes[utterance].tolist()]

    def pair(self, code: int) -> tuple[str, str]:
        """The tokens that stand behind one of ``codes``."""
        ref, hyp = divmod(code, len(self.names))
        return self.names[ref], self.names[hyp]

    @property
    def errors(self) -> int:
        """Substitutions, deletions and insertions."""
        return self.sub + self.dele + self.ins

    @property
    def terrors(self) -> int:
        """Reference tokens that were not recognised: substitutions and deletions."""
        return self.sub + self.dele


def score_files(ref: Path, hyp: Path, fold: Mapping[str, str] | None = None) -> Score:
    """Scores one Kaldi text file against another; see `score`.

    Raises `UserError` for a file that is missing or not UTF-8, an utterance named twice, and
    a hypothesis of an utterance that the reference does not have.
    """
    references, hypotheses = read_text_table(ref), read_text_table(hyp)
    for utterance in hypotheses:
        if utterance not in references:
            lines = hyp.read_text(encoding="utf-8").split("\n")
            number = next(n for n, line in enumerate(lines, 1) if line.split()[:1] == [utterance])
            raise UserError(
                f"{hyp}, line {number}: '{utterance}' is not in the reference {ref}. Decode the "
                "test set again (stage 4), or take the line out."
            )
    return score(references, hypotheses, fold)


def score(ref: Tokens, hyp: Tokens, fold: Mapping[str, str] | None = None) -> Score:
    """Aligns every utterance of ``ref`` with its hypothesis and counts the errors.

    ``fold`` maps letters to what replaces them in both. An utterance that ``hyp`` lacks
    counts as deleted whole. Raises `UserError` for one that ``ref`` lacks.
    """
    for utterance in hyp:
        if utterance not in ref:
            raise UserError(f"The hypothesis '{utterance}' has no reference.")
    utterances = sorted(ref)
    symbols = _Symbols(fold or {})
    refs = [symbols.ids(ref[u]) for u in utterances]
    hyps = [symbols.ids(hyp.get(u, ())) for u in utterances]
    names = symbols.names
    aligned = [np.zeros(0, dtype=np.int64)] * len(utterances)
    counts = np.zeros((len(utterances), 4), dtype=np.int64)  # C, S, I, D
    for batch in batches(refs, hyps):
        r, h = align([refs[i] for i in batch], [hyps[i] for i in batch])  # (B, T)
        gap_r, gap_h, same = r == 0, h == 0, r == h
        counts[batch, 0] = (same & ~gap_r).sum(axis=1)
        counts[batch, 1] = (~same & ~gap_r & ~gap_h).sum(axis=1)
        counts[batch, 2] = (gap_r & ~gap_h).sum(axis=1)
        counts[batch, 3] = (gap_h & ~gap_r).sum(axis=1)
        codes = r.astype(np.int64) * len(names) + h
        starts = codes.shape[1] - counts[batch].sum(axis=1)
        for i, row, start in zip(batch, codes, starts.tolist(), strict=True):
            aligned[i] = row[start:].copy()
    _, sub, ins, dele = counts.sum(axis=0).tolist()
    return Score(
        sub=sub,
        dele=dele,
        ins=ins,
        total=sum(map(len, refs)),
        ref={u: symbols.folded(ref[u]) for u in utterances},
        hyp={u: symbols.folded(hyp.get(u, ())) for u in utterances},
        counts=dict(zip(utterances, map(tuple, counts.tolist()), strict=True)),
        ops=_operations(np.concatenate([np.zeros(0, int), *aligned]), names),
        partial=[u for u in utterances if u not in hyp],
        codes=dict(zip(utterances, aligned, strict=True)),
        names=names,
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


class _Symbols:
    """Numbers for tokens: 0 is a gap, the same letters after folding the same number."""

    def __init__(self, fold: Mapping[str, str]):
        if any(len(letter) != 1 for letter in fold):
            raise UserError(f"'fold' must map single letters, not {sorted(fold)}.")
        self.fold = str.maketrans(dict(fold))
        self.names = [EPS]
        self.numbers: dict[str, int] = {}  # by folded token
        self.seen: dict[str, int] = {}  # by token as written

    def ids(self, tokens: Sequence[str]) -> np.ndarray:
        """The numbers of ``tokens``; one that folding leaves empty drops out."""
        try:
            ids = np.fromiter(map(self.seen.__getitem__, tokens), np.int32, len(tokens))
        except KeyError:
            for token in tokens:
                if token not in self.seen:
                    self.seen[token] = self._add(token.translate(self.fold))
            return self.ids(tokens)
        return ids[ids > 0] if self.fold else ids

    def folded(self, tokens: Sequence[str]) -> Sequence[str]:
        """``tokens`` as they are compared."""
        return [self.names[i] for i in self.ids(tokens)] if self.fold else tokens

    def _add(self, name: str) -> int:
        if name == EPS:
            raise UserError(f"'{EPS}' stands for a gap in an alignment and can be no word.")
        if name and name not in self.numbers:
            self.numbers[name] = len(self.names)
            self.names.append(name)
        return self.numbers.get(name, 0)


def _operations(codes: np.ndarray, names: list[str]) -> list[tuple[str, str, str, int]]:
    """Counts pairs: (operation, reference, hypothesis, how often), sorted as in `Score`."""
    found, times = np.unique(codes, return_counts=True)
    r, h = np.divmod(found, len(names))
    kind = np.where(r == h, 0, np.where(h == 0, 1, np.where(r == 0, 2, 3)))
    rank = np.empty(len(names), dtype=int)
    rank[sorted(range(len(names)), key=names.__getitem__)] = range(len(names))
    order = np.lexsort((rank[h], rank[r], -times, kind))
    rows = (column[order].tolist() for column in (kind, r, h, times))
    return [(OPERATIONS[k], names[a], names[b], n) for k, a, b, n in zip(*rows, strict=True)]
