"""Scores: hypotheses aligned with references, counted as NIST's sclite counts them.

sclite minimises 3 for a gap and 4 for a substitution; of several best alignments it takes,
from the end backwards, a pair before a gap and an insertion before a deletion. `kaldialign`
has the costs but parts such draws otherwise, so its S, D and I differ from sclite's where
errors are dense. Here the same is done for many utterances at once, diagonal by diagonal.
"""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cascade.errors import UserError
from cascade.files import read_text_table
from cascade.speechbox import Counts

EPS = "***"  # a gap, as in Kaldi's wer_details
GAP, SUBSTITUTION = 3, 4  # sclite's costs
PAIRED, DELETED, INSERTED, DONE = range(4)
OPERATIONS = ("correct", "deletion", "insertion", "substitution")
CELLS = 4_000_000  # of a batch's table of steps, one byte each

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
    codes: dict[str, list[int]]
    names: list[str]

    def pairs(self, utterance: str) -> list[tuple[str, str]]:
        """The aligned (reference, hypothesis) tokens of an utterance, `EPS` for a gap."""
        return [self.pair(code) for code in self.codes[utterance]]

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
    aligned: list[list[int]] = [[]] * len(utterances)
    counts = np.zeros((len(utterances), 4), dtype=np.int64)  # C, S, I, D
    every = [np.zeros(0, dtype=np.int64)]
    for batch in _batches(refs, hyps):
        r, h = _align([refs[i] for i in batch], [hyps[i] for i in batch])  # (B, T)
        gap_r, gap_h, same = r == 0, h == 0, r == h
        counts[batch, 0] = (same & ~gap_r).sum(axis=1)
        counts[batch, 1] = (~same & ~gap_r & ~gap_h).sum(axis=1)
        counts[batch, 2] = (gap_r & ~gap_h).sum(axis=1)
        counts[batch, 3] = (gap_h & ~gap_r).sum(axis=1)
        codes = r.astype(np.int64) * len(names) + h
        every.append(codes[codes > 0])
        starts = codes.shape[1] - counts[batch].sum(axis=1)
        for i, row, start in zip(batch, codes.tolist(), starts.tolist(), strict=True):
            aligned[i] = row[start:]
    _, sub, ins, dele = counts.sum(axis=0).tolist()
    return Score(
        sub=sub,
        dele=dele,
        ins=ins,
        total=sum(map(len, refs)),
        ref={u: [names[i] for i in ids] for u, ids in zip(utterances, refs, strict=True)},
        hyp={u: [names[i] for i in ids] for u, ids in zip(utterances, hyps, strict=True)},
        counts=dict(zip(utterances, map(tuple, counts.tolist()), strict=True)),
        ops=_operations(np.concatenate(every), names),
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


def write_details(
    folder: Path,
    words: Score,
    phones: Score,
    speakers: Mapping[str, str],
    extra: Mapping[str, str] | None = None,
) -> None:
    """Writes everything about one test of one system, in place of ``folder``.

    ``wer`` (Kaldi's lines); for words, and with ``_phones`` for phones: ``per_utt``,
    ``per_spk``, ``ops``, ``confusions_words`` and ``confusions_phones``, ``ref.trn`` and
    ``hyp.trn`` (``sclite -r ref.trn trn -h hyp.trn trn -i spu_id -s -e utf-8``).
    ``speakers`` gives the speaker of each utterance; ``extra`` is more files, name to text.
    """
    lost = next((u for u in words.ref.keys() | phones.ref.keys() if u not in speakers), None)
    if lost is not None:
        raise UserError(f"Nothing says who speaks in '{lost}'. Run stage 0 again with --force.")
    texts = {"wer": _wer_line("WER", words) + _wer_line("PER", phones), **(extra or {})}
    for found, unit, suffix in ((words, "words", ""), (phones, "phones", "_phones")):
        texts[f"per_utt{suffix}"] = "".join(_per_utt(found))
        texts[f"per_spk{suffix}"] = "".join(_per_spk(found, speakers))
        texts[f"ops{suffix}"] = "".join(f"{op:<12} {r} {h} {n}\n" for op, r, h, n in found.ops)
        texts[f"confusions_{unit}"] = "".join(
            f"{n} {r} {h}\n" for op, r, h, n in found.ops if op == "substitution"
        )
        texts[f"ref{suffix}.trn"] = "".join(_trn(found.ref, speakers))
        texts[f"hyp{suffix}.trn"] = "".join(_trn(found.hyp, speakers))
    beside, old = (folder.with_name(f".{folder.name}.{end}") for end in ("partial", "old"))
    for leftover in (beside, old):
        shutil.rmtree(leftover, ignore_errors=True)
    beside.mkdir(parents=True)
    for name, text in texts.items():
        (beside / name).write_text(text, encoding="utf-8", newline="\n")
    if folder.exists():
        folder.rename(old)
    beside.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


class _Symbols:
    """Numbers for tokens: 0 is a gap, the same letters after folding the same number."""

    def __init__(self, fold: Mapping[str, str]):
        if any(len(letter) != 1 for letter in fold):
            raise UserError(f"'fold' must map single letters, not {sorted(fold)}.")
        self.fold = str.maketrans(dict(fold))
        self.names = [EPS]
        self.numbers: dict[str, int] = {}  # by folded token
        self.seen: dict[str, int] = {}  # by token as written

    def ids(self, tokens: Sequence[str]) -> list[int]:
        """The numbers of ``tokens``; one that folding leaves empty drops out."""
        try:
            ids = list(map(self.seen.__getitem__, tokens))
        except KeyError:
            for token in tokens:
                if token not in self.seen:
                    self.seen[token] = self._add(token.translate(self.fold))
            ids = [self.seen[token] for token in tokens]
        return [i for i in ids if i] if 0 in ids else ids

    def _add(self, name: str) -> int:
        if name == EPS:
            raise UserError(f"'{EPS}' stands for a gap in an alignment and can be no word.")
        if name and name not in self.numbers:
            self.numbers[name] = len(self.names)
            self.names.append(name)
        return self.numbers.get(name, 0)


def _batches(refs: list[list[int]], hyps: list[list[int]]) -> Iterator[list[int]]:
    """Indices of utterances of about one length, few enough for a table of `CELLS`."""
    order = sorted(range(len(refs)), key=lambda i: (len(refs[i]), len(hyps[i])))
    batch: list[int] = []
    rows = columns = 0
    for i in order:
        n, m = max(rows, len(refs[i])), max(columns, len(hyps[i]))
        if batch and (n + m + 1) * (n + 1) * (len(batch) + 1) > CELLS:
            yield batch
            batch, n, m = [], len(refs[i]), len(hyps[i])
        rows, columns = n, m
        batch.append(i)
    if batch:
        yield batch


def _align(refs: list[list[int]], hyps: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    """Aligns B utterances of up to N and M tokens.

    Returns two arrays (B, T) of token numbers, reference and hypothesis, 0 for a gap, filled
    up with (0, 0) at the left.
    """
    r, h = _columns(refs), _columns(hyps)  # (N, B), (M, B)
    (n, size), rows = r.shape, np.arange(len(refs))
    steps = _steps(r, h).reshape(-1)  # (N + M + 1, N + 1, B), flat
    takes_r, takes_h = np.array([1, 1, 0, 0]), np.array([1, 0, 1, 0])  # by step
    # Where each utterance stands: in r and in h (one row up, the first a gap), and in steps.
    at_r, at_h = (np.array([len(x) for x in xs]) * size + rows for xs in (refs, hyps))
    at = (at_r // size + at_h // size) * (n + 1) * size + at_r
    back = (takes_r + takes_h) * (n + 1) * size + takes_r * size
    gap = np.zeros((1, size), dtype=r.dtype)
    r, h = np.concatenate([gap, r]).reshape(-1), np.concatenate([gap, h]).reshape(-1)
    out_r: list[np.ndarray] = []
    out_h: list[np.ndarray] = []
    while at.max() >= size:
        step = steps.take(at)
        take_r, take_h = takes_r.take(step), takes_h.take(step)
        out_r.append(r.take(at_r) * take_r)
        out_h.append(h.take(at_h) * take_h)
        at_r -= take_r * size
        at_h -= take_h * size
        at -= back.take(step)
    out_r.append(np.zeros(size, dtype=int))  # an array even where nothing is to align
    out_h.append(np.zeros(size, dtype=int))
    return np.stack(out_r[::-1], axis=1), np.stack(out_h[::-1], axis=1)  # (B, T)


def _columns(rows: list[list[int]]) -> np.ndarray:
    """Lists as the columns of an array (longest, B), zeros below."""
    out = np.zeros((max(map(len, rows)), len(rows)), dtype=np.int32)
    for column, row in enumerate(rows):
        out[: len(row), column] = row
    return out


def _steps(r: np.ndarray, h: np.ndarray) -> np.ndarray:
    """The last step of the best way to each cell.

    r: (N, B) and h: (M, B). Returns (N + M + 1, N + 1, B): [i + j, i] is how ``i`` reference
    and ``j`` hypothesis tokens are best aligned at their end. Diagonals depend only on the
    two before, so each is one array operation over all ``i`` and the batch.
    """
    (n, size), m = r.shape, len(h)
    kind = np.int16 if GAP * (n + m) < 30_000 else np.int32
    steps = np.full((n + m + 1, n + 1, size), DONE, dtype=np.uint8)
    before, last, now = (np.zeros((n + 1, size), dtype=kind) for _ in range(3))
    backwards = h[::-1]  # so that, along a diagonal, both are read forwards
    for k in range(1, n + m + 1):
        if k <= m:
            now[0], steps[k, 0] = GAP * k, INSERTED
        if k <= n:
            now[k], steps[k, k] = GAP * k, DELETED
        low, high = max(1, k - m), min(n, k - 1) + 1
        if low < high:
            differ = r[low - 1 : high - 1] != backwards[m - k + low : m - k + high]
            pair = before[low - 1 : high - 1] + differ * kind(SUBSTITUTION)
            deletion, insertion = last[low - 1 : high - 1], last[low:high]
            gap = np.minimum(deletion, insertion) + kind(GAP)
            np.minimum(pair, gap, out=now[low:high])
            worse = pair > gap
            np.add(worse, worse & (insertion <= deletion), out=steps[k, low:high], dtype=np.uint8)
        before, last, now = last, now, before
    return steps


def _wer_line(name: str, found: Score) -> str:
    rate = f"{100 * found.errors / found.total:.2f}" if found.total else "n/a"
    counts = f"{found.ins} ins, {found.dele} del, {found.sub} sub"
    end = " [PARTIAL]" if found.partial else ""
    return f"%{name} {rate} [ {found.errors} / {found.total}, {counts} ]{end}\n"


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


def _per_utt(found: Score) -> Iterator[str]:
    """Four lines an utterance: reference, hypothesis, C S I or D, and their numbers."""
    cells: dict[int, tuple[str, str, str]] = {}
    for code in {code for codes in found.codes.values() for code in codes}:
        ref, hyp = found.pair(code)
        op = "C" if ref == hyp else "D" if hyp == EPS else "I" if ref == EPS else "S"
        wide = max(len(ref), len(hyp)) + 2
        cells[code] = ref.center(wide), hyp.center(wide), op.center(wide)
    for utterance, codes in found.codes.items():
        rows = list(zip(*map(cells.__getitem__, codes), strict=True)) or [(), (), ()]
        for name, row in zip(("ref", "hyp", "op "), rows, strict=True):
            yield f"{utterance} {name} {''.join(row)}".rstrip() + "\n"
        yield f"{utterance} #csid {' '.join(map(str, found.counts[utterance]))}\n"


def _per_spk(found: Score, speakers: Mapping[str, str]) -> Iterator[str]:
    """Kaldi's table: a line of numbers and a line of per cents for each speaker and for all."""
    names = ("#SENT", "#TOKENS", "Corr", "Sub", "Ins", "Del", "Err", "S.Err")
    sums: dict[str, np.ndarray] = {s: np.zeros(8, int) for s in sorted(set(speakers.values()))}
    for utterance, (c, s, i, d) in found.counts.items():
        sums[speakers[utterance]] += (1, c + s + d, c, s, i, d, s + i + d, s + i + d > 0)
    sums = {speaker: row for speaker, row in sums.items() if row[0]}
    total = sum(sums.values(), np.zeros(8, int))
    wide = max(len("SPEAKER"), *map(len, sums)) if sums else len("SPEAKER")
    yield f"{'SPEAKER':<{wide}} id  {''.join(f'{name:>10}' for name in names)}\n"
    for speaker, row in (*sums.items(), ("SUM", total)):
        yield f"{speaker:<{wide}} raw {''.join(f'{n:>10}' for n in row)}\n"
        by = [max(1, row[1])] * 5 + [max(1, row[0])]
        rates = "".join(f"{100 * n / all_:>10.2f}" for n, all_ in zip(row[2:], by, strict=True))
        yield f"{speaker:<{wide}} sys {row[0]:>10}{row[1]:>10}{rates}\n"


def _trn(tokens: Tokens, speakers: Mapping[str, str]) -> Iterator[str]:
    """sclite's form; it takes the speaker to end at the first ``-`` of the brackets."""
    for utterance, words in tokens.items():
        name = f"({speakers[utterance].replace('-', '_')}-{utterance})"
        yield " ".join((*words, name)) + "\n"
