"""Greedy CTC decoding: the best label of each frame, without repeats and blanks."""

from collections.abc import Sequence
from itertools import groupby

import numpy as np


def greedy(best: np.ndarray, lengths: Sequence[int]) -> list[list[int]]:
    """Return the labels of each utterance (best path decoding, Graves et al. 2006).

    ``best`` is (N, T), the likeliest output of each frame; 0 is the blank. An utterance has the
    first ``lengths[n]`` frames, the others are padding.

    >>> greedy(np.array([[0, 2, 2, 0, 2, 1], [3, 0, 1, 1, 1, 1]]), [6, 2])
    [[2, 2, 1], [3]]
    """
    return [
        [label for label, _ in groupby(row[:length].tolist()) if label]
        for row, length in zip(best, lengths, strict=True)
    ]
