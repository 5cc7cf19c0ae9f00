import numpy as np
import torch

from cascade.features.batches import Batch
from cascade.training.validation import curve_warning, validate


class Speech:
    """A valid set of two utterances, whose inputs are the outputs of the network."""

    labels = (np.array([1, 2, 3]), np.array([2]))
    paths = ([1, 0, 2, 2, 0, 2, 3], [0, 1, 1, 0, 0, 0, 0])  # an insertion; a substitution

    def in_order(self, seconds):
        return [[0], [1]]

    def batch(self, indices):
        (index,) = indices
        log_probs = 30 * torch.eye(4)[self.paths[index]][None]
        labels = torch.from_numpy(self.labels[index])
        counts = torch.tensor([len(labels)])
        return Batch((str(index),), log_probs, torch.tensor([7]), labels, counts, len(labels))


def test_per_is_the_edit_distance_of_greedy_phones():
    calls = []

    def network(inputs, lengths):
        assert torch.is_inference_mode_enabled()
        assert lengths["ru"].tolist() == [7]
        return [inputs["ru"].log_softmax(-1)]

    network.eval = lambda: calls.append("eval")
    loss, per = validate(network, "ru", Speech(), torch.device("cpu"))
    assert per == 100 * 2 / 4 and calls == ["eval"]
    # A frame of blanks or repeats costs 30 nats: one in the first utterance, two in the second.
    assert 85 / 4 < loss <= 90 / 4


def rows(*figures):
    """Rows of train.jsonl: training loss, loss on valid, PER; 100 steps apart."""
    return [
        {"step": 100 * n, "loss": {"ru": train}, "valid_loss": loss, "valid_per": per}
        for n, (train, loss, per) in enumerate(figures, 1)
    ]


def test_a_good_curve_gives_no_warning():
    history = rows((3, 3, 100), (2, 2, 60), (1, 1.5, 30), (0.8, 1.55, 29))
    assert all(curve_warning(history[:n], 400) is None for n in range(1, 5))


def test_only_blanks_are_reported_once_and_not_too_soon():
    history = rows(*[(3.4, 3.4, 100.0)] * 5)
    assert curve_warning(history[:2], 1000) is None
    assert "only blanks" in curve_warning(history[:3], 1000)
    assert curve_warning(history[:4], 1000) is None
    assert curve_warning(rows((3.4, 3.4, 148.4)), 100) is None  # it inserts


def test_overfitting_is_reported():
    history = rows((3, 3, 90), (1, 1.5, 40), (0.5, 1.6, 40), (0.2, 1.9, 41))
    assert curve_warning(history[:3], 400) is None
    assert "overfitting" in curve_warning(history, 400)
