"""The forced path is the best of all paths that spell the text."""

from itertools import groupby, pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade.alignment.forced_path import forced_path

PHONES = 4  # the blank and three


def log_probs(seed: int, steps: int) -> np.ndarray:
    values = np.random.default_rng(seed).normal(0, 2, (steps, PHONES))
    return values - np.log(np.exp(values).sum(axis=1, keepdims=True))


def best_of_all(table: np.ndarray, words) -> float:
    """The best path by trying every sequence of labels; -inf if none spells the words."""
    spelled = {sum(choice, ()) for choice in product(*[[tuple(p) for p in w] for w in words])}
    best = -np.inf
    for labels in product(range(PHONES), repeat=len(table)):
        if tuple(label for label, _ in groupby(labels) if label) in spelled:
            best = max(best, table[np.arange(len(table)), labels].sum())
    return best


words = st.lists(
    st.lists(st.lists(st.integers(1, PHONES - 1), min_size=1, max_size=2), min_size=1, max_size=2),
    min_size=1,
    max_size=3,
)


@given(st.integers(0, 1000), st.integers(1, 6), words)
def test_it_is_the_best_of_all_paths(seed, steps, words):
    table = log_probs(seed, steps)
    expected = best_of_all(table, words)
    path = forced_path(table, words)
    if path is None:
        assert expected == -np.inf
        return
    cost = path.margins.sum() + table.max(axis=1).sum()
    assert cost == pytest.approx(expected, abs=1e-4)
    starts = [0, *path.ends[:-1]]
    for word, first, last in zip(words, starts, path.ends, strict=True):
        assert path.phones[first:last] in word
    assert len(path.runs) == len(path.phones)
    assert all(a[1] <= b[0] for a, b in pairwise(path.runs))
    total = sum(
        score * (last - first)
        for score, first, last in zip(path.word_scores, starts, path.ends, strict=True)
    )
    assert total == pytest.approx(path.score * len(path.phones), abs=1e-4)


def shown(*phones: int) -> np.ndarray:
    """Log-probabilities of a network that is sure of a phone in each step."""
    return np.log(np.full((len(phones), PHONES), 1e-3) + 0.99 * np.eye(PHONES)[list(phones)])


def test_the_pronunciation_that_was_said_is_chosen():
    said = shown(0, 1, 0, 3, 0)
    path = forced_path(said, [[[1, 2], [1, 3]]])
    assert path is not None and path.phones == [1, 3] and path.score == 0
    assert path.runs == [(1, 2), (3, 4)]


def test_a_text_that_was_not_said_has_a_low_score_in_the_words_that_were_not():
    said = shown(0, 1, 0, 2, 0, 3, 0)
    path = forced_path(said, [[[1]], [[3]], [[3]]])
    assert path is not None and path.score < -2
    assert path.word_scores[0] == path.word_scores[2] == 0 and path.word_scores[1] < -5
    missing = forced_path(said, [[[1]]])  # of three phones only one is in the text
    assert missing is not None and missing.score < -5


def test_a_recording_that_is_too_short_has_no_path():
    assert forced_path(shown(1, 2), [[[1, 2, 3]]]) is None
    assert forced_path(shown(1, 1), [[[1]], [[1]]]) is None  # equal phones need a blank
    assert forced_path(shown(1, 0, 1), [[[1]], [[1]]]) is not None
