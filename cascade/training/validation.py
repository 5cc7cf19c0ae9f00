"""How good a network is at a moment of its training: the loss, and errors in greedy phones."""

import kaldialign
import torch
from torch import Tensor

from cascade.features.batches import Batch, UtteranceSet
from cascade.model.ctc import ctc_loss
from cascade.model.greedy import greedy
from cascade.model.network import Network


def ctc(log_probs: Tensor, batch: Batch) -> Tensor:
    """CTC's negative log-likelihood in nats a phone (Graves et al. 2006).

    ``log_probs`` is (N, T, phones). The loss runs on the CPU: there it is exact and
    the same from run to run.
    """
    total = ctc_loss(log_probs, batch.labels, batch.lengths, batch.label_lengths)
    return total / int(batch.label_lengths.sum())


@torch.inference_mode()
def evaluate(
    network: Network, language: str, data: UtteranceSet, device: torch.device
) -> tuple[float, float]:
    """CTC loss in nats a phone, and phone error rate in per cent, of greedy decoding."""
    network.eval()
    loss, errors, phones = 0.0, 0, 0
    for indices in data.in_order(120.0):
        batch = data.batch(indices)
        inputs = {language: torch.from_numpy(batch.inputs).to(device)}
        log_probs = network(inputs)[0]  # (N, T, phones)
        count = int(batch.label_lengths.sum())
        loss += ctc(log_probs, batch).item() * count
        hypotheses = greedy(log_probs, batch.lengths.tolist())
        for index, hypothesis in zip(indices, hypotheses, strict=True):
            reference = data.labels[index].tolist()
            errors += kaldialign.edit_distance(reference, hypothesis)["total"]
        phones += count
    return loss / phones, 100 * errors / phones
