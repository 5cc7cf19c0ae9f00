"""Greedy CTC decoding: the best label of each frame, without repeats and blanks."""

from collections.abc import Sequence

import torch
from torch import Tensor


def greedy(log_probs: Tensor, lengths: Sequence[int]) -> list[list[int]]:
    """Return the labels of each utterance (best path decoding, Graves et al. 2006).

    ``log_probs`` is (N, T, phones), phone 0 is the blank; an utterance has the first
    ``lengths[n]`` frames, the others are padding.

    >>> best = torch.tensor([[0, 2, 2, 0, 2, 1], [3, 0, 1, 1, 1, 1]])  # (N, T)
    >>> greedy(torch.nn.functional.one_hot(best, 4).float(), [6, 2])
    [[2, 2, 1], [3]]
    """
    best = log_probs.argmax(dim=-1).cpu()  # (N, T, phones) -> (N, T)
    hypotheses = []
    for row, length in zip(best, lengths, strict=True):
        labels = torch.unique_consecutive(row[:length])
        hypotheses.append(labels[labels != 0].tolist())
    return hypotheses
