"""Greedy CTC decoding: the best label of each frame, repeats and blanks taken out."""

from collections.abc import Sequence

import torch
from torch import Tensor


def greedy(log_probs: Tensor, lengths: Sequence[int]) -> list[list[int]]:
    """Labels of each utterance in (N, T, phones), of which ``lengths`` frames are its own."""
    best = log_probs.argmax(dim=-1).cpu()  # (N, T)
    found = []
    for row, length in zip(best, lengths, strict=True):
        labels = torch.unique_consecutive(row[:length])
        found.append(labels[labels != 0].tolist())
    return found
