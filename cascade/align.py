"""Alignment of token numbers as NIST's sclite does it, for many utterances at once.

sclite minimises 3 for a gap and 4 for a substitution; of several best alignments it takes,
from the end backwards, a pair before a gap and an insertion before a deletion. `kaldialign`
has the costs but parts such draws otherwise, so its S, D and I differ from sclite's where
errors are dense. Here a batch is aligned diagonal by diagonal.
"""

from collections.abc import Iterator

import numpy as np

GAP, SUBSTITUTION = 3, 4  # sclite's costs
PAIRED, DELETED, INSERTED, DONE = range(4)
CELLS = 4_000_000  # of a batch's table of steps, one byte each


def batches(refs: list[np.ndarray], hyps: list[np.ndarray]) -> Iterator[list[int]]:
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


def align(refs: list[np.ndarray], hyps: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
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


def _columns(rows: list[np.ndarray]) -> np.ndarray:
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
