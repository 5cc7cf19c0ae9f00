"""What a network trains on when it adapts, and what training does to it."""

import numpy as np
import pytest
import torch

from cascade.adaptation.adapt import RecognisedSpeech, adapt
from cascade.config.sections import Features
from cascade.model.network import Network

PHONES = ["<blk>", "a", "o", "t"]
SETTINGS = {"filters": 4, "stack": 2, "cmn": "utterance"}


@pytest.fixture
def speech():
    """Three utterances that differ by phone, one without phones, one that is too short."""
    random = np.random.default_rng(0)
    spoken = [(["a", "t"], 60), (["o", "o"], 80), ([], 50), (["a", "o", "t"], 5), (["t"], 40)]
    utterances = []
    for phones, frames in spoken:
        features = random.standard_normal((frames, 4)).astype(np.float32)
        for place, phone in enumerate(phones):
            begin = frames // len(phones) * place
            features[begin : begin + 10] += 3 * np.eye(4)[PHONES.index(phone)]
        utterances.append((features, phones))
    return RecognisedSpeech(utterances, PHONES, Features(**SETTINGS), np.zeros(4))


def test_what_ctc_cannot_train_on_is_left_out(speech):
    assert [labels.tolist() for labels in speech.labels] == [[1, 3], [2, 2], [3]]
    assert speech.frames.tolist() == [60, 80, 40] and [*speech.ids] == ["0", "1", "2"]
    batch = speech.batch([0, 2])
    assert batch.inputs.shape == (2, 30, 8) and batch.lengths.tolist() == [30, 20]
    assert batch.labels.tolist() == [1, 3, 3] and batch.phones == 3


def network():
    torch.manual_seed(0)
    return Network({"ru": range(4)}, 8, 4, [1], 8).eval()


def adapted(speech, recipe, chosen=(0, 1, 2), seed=5):
    one = network()
    losses = adapt(one, speech, chosen, recipe, "plain", seed)
    return one.state_dict(), losses


def test_the_loss_falls_and_the_seed_decides_every_weight(speech, raw, read):
    raw |= {"features": SETTINGS, "adapt": {"epochs": 30, "learning_rate": 0.02}}
    recipe = read(raw)
    (weights, (first, last)), (again, _), (other, _) = (
        adapted(speech, recipe, seed=seed) for seed in (5, 5, 6)
    )
    assert last < 0.7 * first
    before = network().state_dict()
    assert all(not torch.equal(weights[name], before[name]) for name in before)
    assert all(torch.equal(weights[name], again[name]) for name in before)
    assert any(not torch.equal(weights[name], other[name]) for name in before)


def test_both_seeds_decide_the_augmentation(speech, raw, read):
    raw |= {"features": SETTINGS, "adapt": {"epochs": 2}}
    recipe = read(raw)
    (weights, _), (other, _), (third, _) = (
        adapted(speech, recipe, [0], 5),
        adapted(speech, recipe, [0], 6),
        adapted(speech, read(raw | {"seed": -1}), [0], 5),
    )
    for changed in (other, third):  # more than rounding
        assert any(not torch.allclose(weights[name], changed[name], 1e-4) for name in weights)


def test_only_chosen_utterances_count(speech, raw, read):
    recipe = read(raw | {"features": SETTINGS, "adapt": {"epochs": 2, "batch_seconds": 0.5}})
    one, _ = adapted(speech, recipe, [0])
    assert any(not torch.equal(one[name], adapted(speech, recipe)[0][name]) for name in one)
    speech.labels = [speech.labels[0], np.array([1, 1]), np.array([1])]
    same, _ = adapted(speech, recipe, [0])
    assert all(torch.equal(one[name], same[name]) for name in one)
