"""Validation: the loss and the phone error rate on valid, and warnings for bad learning curves.

PER on valid counts errors by plain edit distance: the fewest substitutions, deletions and
insertions. PER on test (stage 5) counts them as NIST sclite aligns: a substitution weighs 4, a
deletion or insertion 3, so an alignment may have more errors than the shortest one. On the same
hypotheses the PER by sclite is therefore equal or a little higher. Do not compare the two.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import kaldialign
import torch

from cascade.features.batches import UtteranceSet
from cascade.model.greedy import greedy
from cascade.model.network import Network
from cascade.training.losses import mean_ctc_loss

BATCH_SECONDS = {"cpu": 120.0, "cuda": 3000.0}  # of speech in a batch of valid
BLANKS_ONLY = (99.5, 100)  # per cent PER of a network that gives blanks only; insertions add more
PATIENCE = 0.3  # of all steps: until then blanks are normal
RISE = 1.15  # times the lowest loss on valid: overfitting


@torch.inference_mode()
def validate(
    network: Network, language: str, data: UtteranceSet, device: torch.device, exact: bool = True
) -> tuple[float, float]:
    """Return the CTC loss in nats a phone and the greedy phone error rate in per cent.

    ``exact`` is the choice of `mean_ctc_loss`. Errors are counted by edit distance, not by
    sclite's weights: see above.
    """
    network.eval()
    loss, errors, phones = 0.0, 0, 0
    for indices in data.in_order(BATCH_SECONDS[device.type]):
        batch = data.batch(indices)
        inputs = {language: batch.inputs.to(device)}  # (N, T, C)
        lengths = {language: batch.lengths.to(device)}  # (N,)
        log_probs = network(inputs, lengths)[0]  # (N, T, phones)
        count = int(batch.label_lengths.sum())
        loss += mean_ctc_loss(log_probs, batch, exact).item() * count
        best = log_probs.argmax(dim=-1).cpu().numpy()  # (N, T, phones) -> (N, T)
        hypotheses = greedy(best, batch.lengths.tolist())
        for index, hypothesis in zip(indices, hypotheses, strict=True):
            reference = data.labels[index].tolist()
            errors += kaldialign.edit_distance(reference, hypothesis)["total"]
        phones += count
    return loss / phones, 100 * errors / phones


def curve_warning(history: Sequence[Mapping[str, Any]], steps: int) -> str | None:
    """Return a warning about the learning curve at its last validation, or None.

    ``history`` has the rows of ``train.jsonl``, ``steps`` is the length of the complete
    training. A warning is given once: when its condition becomes true.

    >>> row = {"step": 90, "loss": {"ru": 3.4}, "valid_loss": 3.4, "valid_per": 100.0}
    >>> curve_warning([row], 100).partition('.')[0]
    'the network still gives only blanks'
    >>> curve_warning([row, row | {"step": 95}], 100)
    """
    before, now = _warning(history[:-1], steps), _warning(history, steps)
    return now if now != before else None


def _warning(history: Sequence[Mapping[str, Any]], steps: int) -> str | None:
    """Return what is wrong with a curve at its end, whether or not it was reported before."""
    if not history:
        return None
    last = history[-1]
    if BLANKS_ONLY[0] <= last["valid_per"] <= BLANKS_ONLY[1] and last["step"] >= PATIENCE * steps:
        return (
            "the network still gives only blanks. Try smaller batches (train.batch_seconds), more"
            " steps or less augmentation. Check that the transcripts belong to the recordings"
        )
    lowest = min(row["valid_loss"] for row in history)
    first = history[0]["loss"]
    both = [name for name in first if first[name] and last["loss"].get(name)]
    learning = all(last["loss"][name] < first[name] for name in both)
    if last["valid_loss"] > RISE * lowest and learning:
        return (
            "overfitting: the loss on valid rises while the training loss falls. Try more"
            " train.dropout or augmentation, or fewer steps"
        )
    return None
