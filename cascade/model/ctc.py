"""CTC on the CPU: forward-backward on scaled probabilities, compiled by Numba.

torch's adds logarithms, and takes as long as a layer of the network. This one has
the same loss and gradient, closer to the exact ones (float64). Where it is at a loss, because
probabilities leave the range of float64 or no path fits, torch's is asked.
"""

import math

import numba
import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable


def ctc_loss(
    log_probs: Tensor, labels: np.ndarray, lengths: np.ndarray, label_lengths: np.ndarray
) -> Tensor:
    """CTC's negative log-likelihood in nats, summed over utterances (Graves et al. 2006).

    ``log_probs`` is (N, T, phones), the blank being phone 0; ``lengths`` and
    ``label_lengths`` are (N,), ``labels`` is (sum of label_lengths,). Infinite where an
    utterance has fewer frames than its labels need.
    """
    return _Ctc.apply(log_probs, labels, lengths, label_lengths)


class _Ctc(torch.autograd.Function):
    @staticmethod
    def forward(ctx, log_probs, labels, lengths, label_lengths):
        probs = log_probs.detach().cpu().double().exp().numpy()
        gradient = np.zeros_like(probs)
        loss = _forward_backward(probs, labels, lengths, label_lengths, gradient)
        loss, gradient = torch.tensor(loss), torch.from_numpy(gradient)
        if not math.isfinite(loss):
            loss, gradient = _torch(log_probs, labels, lengths, label_lengths)
        ctx.save_for_backward(gradient.to(log_probs))
        return loss.to(log_probs)

    @staticmethod
    @once_differentiable
    def backward(ctx, outer):
        (gradient,) = ctx.saved_tensors
        return outer * gradient, None, None, None


@numba.njit(cache=True, error_model="numpy")
def _forward_backward(probs, labels, lengths, label_lengths, gradient):
    """The loss; fills ``gradient`` (N, T, phones) by log-probabilities, which begins as zeros.

    Not finite where an utterance has no path, or its paths are too unlikely for float64.
    """
    loss, end = 0.0, 0
    for n in range(len(lengths)):
        end += label_lengths[n]
        frames, states = lengths[n], 2 * label_lengths[n] + 1
        symbols = np.zeros(states, np.int64)  # blank, phone, blank, phone, ..., blank
        symbols[1::2] = labels[end - label_lengths[n] : end]
        forth, back = np.empty((frames, states)), np.empty((frames, states))
        found = _arrive(probs[n, :frames], symbols, False, forth)
        again = _arrive(probs[n, :frames], symbols[::-1].copy(), True, back)
        if not abs(found - again) <= 1e-6 * max(1.0, found):
            return np.nan
        loss += found
        share = np.empty(states)  # of all paths, those that are in a state at frame t
        for t in range(frames):
            total = 0.0
            for s in range(states):
                emits = probs[n, t, symbols[s]]
                share[s] = forth[t, s] * emits * back[frames - 1 - t, states - 1 - s]
                total += share[s]
            for s in range(states):
                gradient[n, t, symbols[s]] -= share[s] / total
    return loss


@numba.njit(cache=True, error_model="numpy")
def _arrive(probs, symbols, backwards, arrived):
    """One utterance's negative log-likelihood, from its first frame on or from its last.

    Fills ``arrived`` (T, states): the probability of being in a state when a frame begins,
    before the frame emits its symbol, up to a factor for each frame.
    """
    frames, states = arrived.shape
    jump = np.zeros(states)  # 1 where a path may come from two states before
    for s in range(2, states):
        jump[s] = symbols[s] != symbols[s - 2]
    alpha = np.zeros(states + 2)  # behind two states that are none
    alpha[2] = 1.0
    loss = 0.0
    for t in range(frames):
        emits = probs[frames - 1 - t if backwards else t]
        total = 0.0
        for s in range(states):
            arrived[t, s] = alpha[s + 2] + alpha[s + 1] + jump[s] * alpha[s]
        for s in range(states):
            alpha[s + 2] = arrived[t, s] * emits[symbols[s]]
            total += alpha[s + 2]
        for s in range(states):
            alpha[s + 2] /= total
        loss -= np.log(total)
    return loss - np.log(alpha[states] + alpha[states + 1])


def _torch(log_probs, labels, lengths, label_lengths) -> tuple[Tensor, Tensor]:
    """The loss and its gradient by torch, on logarithms in float64."""
    with torch.inference_mode(False), torch.enable_grad():
        leaf = log_probs.detach().cpu().double().requires_grad_()
        loss = nn.functional.ctc_loss(
            leaf.transpose(0, 1),  # (N, T, phones) -> (T, N, phones)
            torch.from_numpy(labels),
            torch.from_numpy(lengths),
            torch.from_numpy(label_lengths),
            reduction="sum",
        )
        return loss.detach(), torch.autograd.grad(loss, leaf)[0]
