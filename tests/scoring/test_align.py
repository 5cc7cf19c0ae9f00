import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cascade.scoring import align as module
from cascade.scoring.align import DELETED, GAP, INSERTED, PAIRED, SUBSTITUTION, Rows, align

TOKENS = st.integers(1, 3)
TEXTS = st.lists(TOKENS, max_size=60)
# Nearly alike, with a piece put in or lost: far from the straight way.
EDITED = st.tuples(TEXTS, TEXTS, st.integers(0, 60)).map(
    lambda drawn: (drawn[0], [*drawn[0][: drawn[2]], *drawn[1], *drawn[0][drawn[2] :]])
)


def rows(texts: list[list[int]]) -> Rows:
    values = np.array([token for text in texts for token in text], dtype=np.uint8)
    return Rows(values, np.array([len(text) for text in texts], dtype=np.int64))


def steps(refs: list[list[int]], hyps: list[list[int]]) -> list[list[int]]:
    result = align(rows(refs), rows(hyps))
    return [result.values[start:end].tolist() for start, end in result.places()]


def plainly(ref: list[int], hyp: list[int]) -> list[int]:
    """sclite's choice, from the full table, a cell at a time."""
    cost = [[GAP * (i + j) for j in range(len(hyp) + 1)] for i in range(len(ref) + 1)]
    for i, r in enumerate(ref):
        for j, h in enumerate(hyp):
            pair = cost[i][j] + SUBSTITUTION * (r != h)
            cost[i + 1][j + 1] = min(pair, cost[i + 1][j] + GAP, cost[i][j + 1] + GAP)
    i, j, result = len(ref), len(hyp), []
    while i or j:
        if i and j and cost[i][j] == cost[i - 1][j - 1] + SUBSTITUTION * (ref[i - 1] != hyp[j - 1]):
            step = PAIRED
        else:
            step = INSERTED if j and cost[i][j] == cost[i][j - 1] + GAP else DELETED
        i, j = i - (step != INSERTED), j - (step != DELETED)
        result.append(step)
    return result[::-1]


@settings(deadline=None)
@given(st.lists(st.tuples(TEXTS, TEXTS) | EDITED, max_size=6))
@example([])
@example([([], []), ([1], []), ([], [2, 2])])
@example([([1] * 50 + [2], [3] * 50 + [1] * 2)])
def test_the_band_changes_nothing(pairs):
    refs, hyps = [ref for ref, _ in pairs], [hyp for _, hyp in pairs]
    assert steps(refs, hyps) == [plainly(ref, hyp) for ref, hyp in pairs]


def test_batches_change_nothing(monkeypatch):
    random = np.random.default_rng(1)
    refs = [random.integers(1, 4, random.integers(0, 40)).tolist() for _ in range(200)]
    hyps = [random.integers(1, 4, random.integers(0, 40)).tolist() for _ in range(200)]
    together = steps(refs, hyps)
    monkeypatch.setattr(module, "CELLS", 1)  # every utterance a batch of its own
    assert steps(refs, hyps) == together
