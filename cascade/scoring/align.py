"""Alignment of token numbers as NIST's sclite does it, for many utterances at once.

sclite minimises a cost: 3 for a gap, 4 for a substitution. Several alignments may be equally
good. From the end backwards, sclite then takes a pair before a gap, and an insertion before a
deletion. `kaldialign` has the same costs but takes a gap before a pair: its substitutions,
deletions and insertions differ from sclite's where errors are dense. That is why this module
exists.

A batch is aligned diagonal by diagonal, in a band around the diagonal (Ukkonen 1985). An
alignment that costs less than any that leaves the band is the one of the full table. The other
utterances are aligned again, in a band that their cost proves wide enough.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

GAP, SUBSTITUTION = 3, 4  # sclite's costs
PAIRED, DELETED, INSERTED, DONE = range(4)
CELLS = 16_000_000  # of the table of steps of one batch, one byte each


@dataclass(frozen=True)
class Rows:
    """Rows of different lengths as one array: the ``values`` of all rows, one after another."""

    values: np.ndarray
    lengths: np.ndarray

    @property
    def starts(self) -> np.ndarray:
        """Where each row begins."""
        return np.cumsum(self.lengths) - self.lengths

    def places(self) -> Iterator[tuple[int, int]]:
        """Yield where each row begins and ends."""
        ends = np.cumsum(self.lengths).tolist()
        return zip([0, *ends[:-1]], ends, strict=True) if ends else iter(())


def align(refs: Rows, hyps: Rows) -> Rows:
    """Return the steps (`PAIRED`, `DELETED`, `INSERTED`) of each utterance, first to last.

    Values are token numbers, 0 or greater.

    >>> refs = Rows(np.array([1, 2, 3]), np.array([3]))  # one utterance: a b c
    >>> hyps = Rows(np.array([1, 3, 4]), np.array([3]))  # a c d
    >>> align(refs, hyps).values.tolist() == [PAIRED, DELETED, PAIRED, INSERTED]
    True
    """
    lengths = np.zeros(len(refs.lengths), dtype=np.int64)
    parts: list[tuple[np.ndarray, np.ndarray]] = []
    todo, band = np.arange(len(lengths)), 4 + np.maximum(refs.lengths, hyps.lengths) // 6
    while len(todo):
        again = [todo[:0]]
        for batch in _batches(refs.lengths, hyps.lengths, todo, band):
            n, m = refs.lengths[batch], hyps.lengths[batch]
            wide = int(band[batch].max())
            steps, cost = _align(_columns(refs, batch), _columns(hyps, batch), n, m, wide)
            # An alignment that leaves the band has at least so many gaps.
            sure = cost < GAP * (2 * (wide + 1) + abs(n - m))
            rest = batch[~sure]
            band[rest] = cost[~sure] // (2 * GAP)
            again.append(rest)
            steps, batch = steps[sure], batch[sure]
            used = steps != DONE
            lengths[batch] = used.sum(axis=1)
            parts.append((batch, steps[used]))
        todo = np.concatenate(again)
    return Rows(_joined(parts, lengths), lengths)


def _joined(parts: list[tuple[np.ndarray, np.ndarray]], lengths: np.ndarray) -> np.ndarray:
    """Return the values of all rows in order; each of ``parts`` has some rows and their values."""
    starts = np.cumsum(lengths) - lengths
    out = np.empty(lengths.sum(), dtype=np.uint8)
    for rows, values in parts:
        each = lengths[rows]
        shift = starts[rows] - (np.cumsum(each) - each)
        out[np.repeat(shift, each) + np.arange(len(values))] = values
    return out


def _batches(
    refs: np.ndarray, hyps: np.ndarray, todo: np.ndarray, band: np.ndarray
) -> Iterator[np.ndarray]:
    """Yield parts of ``todo`` of similar lengths and bands, whose table fits into `CELLS`."""
    order = todo[np.lexsort((hyps[todo], refs[todo]))]
    start = rows = columns = wide = 0
    sizes = zip(refs[order].tolist(), hyps[order].tolist(), band[order].tolist(), strict=True)
    for i, (n, m, w) in enumerate(sizes):
        rows, columns, wide = max(rows, n), max(columns, m), max(wide, w)
        if (rows + columns + 1) * (min(rows, wide) + 2) * (i + 1 - start) > CELLS and i > start:
            yield order[start:i]
            start, rows, columns, wide = i, n, m, w
    if start < len(order):
        yield order[start:]


def _columns(rows: Rows, batch: np.ndarray) -> np.ndarray:
    """Return some rows as the columns of an array (longest, B), padded with zeros."""
    lengths = rows.lengths[batch]
    down = np.arange(lengths.max())[:, None]
    if not len(down):
        return np.zeros((0, len(batch)), dtype=rows.values.dtype)
    return np.where(down < lengths, rows.values.take(rows.starts[batch] + down, mode="clip"), 0)


def _align(
    r: np.ndarray, h: np.ndarray, n: np.ndarray, m: np.ndarray, band: int
) -> tuple[np.ndarray, np.ndarray]:
    """Align B utterances, the columns of ``r`` (N, B) and ``h`` (M, B).

    ``n`` and ``m`` are their lengths. Returns the steps (B, T), padded with `DONE` at the left,
    and the costs (B,) of the best alignments between the diagonals through (0, 0) and (n, m), or
    at most ``band`` tokens outside of them.
    """
    table, lows, cost = _steps(r, h, n, m, band)
    k, i = n + m, n.copy()
    width, size = table.shape[1:]
    flat, here = table.reshape(-1), np.arange(size)
    back_k, back_i = np.array([2, 1, 1, 0]), np.array([1, 1, 0, 0])  # by step
    out = []
    while k.any():
        step = flat.take((k * width + i - lows.take(k)) * size + here)
        out.append(step)
        k -= back_k.take(step)
        i -= back_i.take(step)
    if not out:
        return np.zeros((size, 0), dtype=np.uint8), cost
    return np.stack(out[::-1], axis=1), cost


def _steps(
    r: np.ndarray, h: np.ndarray, n: np.ndarray, m: np.ndarray, band: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the last step of the best path to each cell, and the cost of the path to (n, m).

    In cell (i, j), ``i`` reference tokens are aligned with ``j`` tokens of the hypothesis. Its
    step is at [i + j, i - lows[i + j]] of the first array (N + M + 1, W, B). ``lows`` is the
    second array, the costs (B,) are the third. A diagonal (all cells of one i + j) depends only
    on the two before it: it is one array operation over its ``i`` and the batch.
    """
    (longest_n, size), longest_m = r.shape, len(h)
    k = np.arange(longest_n + longest_m + 1)
    least, most = min(0, int((m - n).min())) - band, max(0, int((m - n).max())) + band
    lows = np.maximum(np.maximum(0, k - longest_m), (k - most + 1) // 2)
    highs = np.minimum(np.minimum(longest_n, k), (k - least) // 2) + 1
    steps = np.empty((len(k), int((highs - lows).max()), size), dtype=np.uint8)

    # Scores in place of costs: 0 for a gap; for a pair, half of what it costs less than two gaps.
    # They are small numbers, and cells outside of the band or the table have a score of 0.
    kind = np.min_scalar_type(GAP * min(longest_n, longest_m)).type
    # The last three diagonals: a row for each i from -1 to N + 1, so that all have neighbours.
    before, last, now = (np.zeros((longest_n + 3, size), dtype=kind) for _ in range(3))
    blank = np.zeros((1, size), dtype=r.dtype)
    r, h = np.concatenate([blank, r]), np.concatenate([h[::-1], blank])  # along a diagonal
    steps[0, 0] = DONE
    scores = np.zeros(size, dtype=np.int64)
    order = np.argsort(n + m, kind="stable")
    done = np.searchsorted((n + m)[order], np.arange(len(k) + 1))
    for d, low, high in zip(k[1:].tolist(), lows[1:].tolist(), highs[1:].tolist(), strict=True):
        same = r[low:high] == h[longest_m - d + low : longest_m - d + high]
        pair = same.view(np.uint8).astype(kind, copy=False) * kind(SUBSTITUTION // 2)
        pair += kind(GAP - SUBSTITUTION // 2)
        pair += before[low:high]
        deletion, insertion = last[low:high], last[low + 1 : high + 1]
        gap = np.maximum(deletion, insertion)
        np.maximum(pair, gap, out=now[low + 1 : high + 1])
        better = gap > pair
        np.add(better, better & (insertion >= deletion), out=steps[d, : high - low], dtype=np.uint8)
        now[low] = now[high + 1] = 0
        if low == 0:  # no reference token
            now[1], steps[d, 0] = 0, INSERTED
        if high == d + 1:  # no token of the hypothesis
            now[high], steps[d, d - low] = 0, DELETED
        ends = order[done[d] : done[d + 1]]
        if len(ends):
            scores[ends] = now[n[ends] + 1, ends]
        before, last, now = last, now, before
    return steps, lows, GAP * (n + m) - 2 * scores
