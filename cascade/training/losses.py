"""Losses of a batch, and how long their gradients are."""

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from cascade.features.batches import Batch
from cascade.model.ctc import ctc_loss


def is_exact(choice: str, device: torch.device) -> bool:
    """Return whether ``train.loss`` means the exact loss on the CPU, or else PyTorch's.

    >>> is_exact("auto", torch.device("cpu"))
    True
    """
    return choice == "exact" or (choice == "auto" and device.type == "cpu")


def mean_ctc_loss(log_probs: Tensor, batch: Batch, exact: bool = True) -> Tensor:
    """Return CTC's negative log-likelihood in nats a phone (Graves et al. 2006).

    ``log_probs`` is (N, T, phones). The ``exact`` loss runs on the CPU: there it is the same
    from run to run. The other one is PyTorch's, in float32 on the device of ``log_probs``; on a
    GPU its gradient is not deterministic.
    """
    if exact:
        sizes = batch.lengths.numpy(), batch.label_lengths.numpy()
        total = ctc_loss(log_probs, batch.labels.numpy(), *sizes)
    else:
        total = nn.functional.ctc_loss(
            log_probs.transpose(0, 1),  # (N, T, phones) -> (T, N, phones)
            batch.labels.to(log_probs.device, non_blocking=True),
            batch.lengths,  # on the CPU: PyTorch needs them there, and would wait for them
            batch.label_lengths,
            reduction="sum",
        )
    return total / batch.phones


def batch_loss(log_probs: Tensor, batch: Batch, consistency: float, exact: bool = True) -> Tensor:
    """Return the training loss in nats a phone: CTC, and ``consistency`` times `divergence`."""
    loss = mean_ctc_loss(log_probs, batch, exact)
    return loss + consistency * divergence(log_probs, batch) if consistency else loss


def divergence(log_probs: Tensor, batch: Batch) -> Tensor:
    """Return how much the outputs of two copies of each utterance differ, in nats a phone.

    It is the regularisation of CR-CTC (Yao et al. 2024, arXiv:2410.05101): at each frame the
    mean Kullback-Leibler divergence of either copy from the other, which is a fixed target.
    ``log_probs`` is (2 N, T, phones): N utterances, then the N again.
    """
    one, other = log_probs.chunk(2)  # (N, T, phones) each
    lengths = batch.lengths[: len(one), None].to(one.device, non_blocking=True)  # (N, 1)
    frames = torch.arange(one.shape[1], device=one.device) < lengths  # (N, T)
    total = log_probs.new_zeros(())
    for target, output in ((one, other), (other, one)):
        fixed = target.detach()
        terms = (fixed.exp() * (fixed - output)).sum(dim=-1)  # (N, T)
        total = total + (terms * frames.to(terms)).sum() / 2
    return total / (batch.phones / 2)


def gradient_ratio(loss: Tensor, other: Tensor, parameters: Iterable[nn.Parameter]) -> float:
    """Return how many times as long the gradient of ``loss`` is as that of ``other``.

    Only parameters that both depend on count; without any the result is NaN. The graphs of the
    losses are kept.
    """
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    own, others = (
        torch.autograd.grad(one, trained, retain_graph=True, allow_unused=True)
        for one in (loss, other)
    )
    pairs = [(g, h) for g, h in zip(own, others, strict=True) if g is not None and h is not None]
    if not pairs:
        return math.nan
    lengths = [torch.stack([g.norm() for g in side]).norm() for side in zip(*pairs, strict=True)]
    return (lengths[0] / lengths[1]).item()
