"""CTC is torch's, in float64."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from cascade.model.ctc import ctc_loss
from cascade.text.phones import frames_needed

PHONES = 5


def theirs(log_probs, texts, lengths):
    return nn.functional.ctc_loss(
        log_probs.transpose(0, 1),
        torch.tensor([label for text in texts for label in text], dtype=torch.int64),
        torch.tensor(lengths),
        torch.tensor([len(text) for text in texts]),
        reduction="sum",
    )


def ours(log_probs, texts, lengths):
    labels = np.array([label for text in texts for label in text], dtype=np.int64)
    return ctc_loss(log_probs, labels, np.array(lengths), np.array([len(t) for t in texts]))


def both(logits, texts, lengths):
    """Loss and gradient by the logits, of ours in float32 and of torch's in float64."""
    for loss_of, x in ((ours, logits), (theirs, logits.double())):
        x = x.clone().requires_grad_()
        loss = loss_of(x.log_softmax(-1), texts, lengths)
        loss.backward()
        yield loss.detach().double(), x.grad.double()


def assert_same(logits, texts, lengths):
    (loss, gradient), (expected, expected_gradient) = both(logits, texts, lengths)
    torch.testing.assert_close(loss, expected, rtol=1e-5, atol=1e-5)
    difference = (gradient - expected_gradient).norm()
    assert difference <= 1e-5 * expected_gradient.norm() + 1e-6


@st.composite
def batches(draw):
    """Texts with repeats, empty ones and ones as long as they can be; lengths that differ."""
    texts = draw(st.lists(st.lists(st.integers(1, PHONES - 1), max_size=8), min_size=1, max_size=4))
    lengths = [max(1, frames_needed(text)) + draw(st.integers(0, 12)) for text in texts]
    random = torch.Generator().manual_seed(draw(st.integers(0, 999)))
    size = draw(st.sampled_from([0.0, 1.0, 10.0, 60.0]))  # from no idea to great confidence
    logits = size * torch.randn(len(texts), max(lengths), PHONES, generator=random)
    return logits, texts, lengths


@settings(deadline=None, derandomize=True, database=None)  # the first call compiles
@given(batches())
def test_loss_and_gradient_are_torchs(batch):
    assert_same(*batch)


def test_a_long_utterance():
    random = np.random.default_rng(0)
    texts = [random.integers(1, 60, n).tolist() for n in (150, 90, 1)]
    logits = 4 * torch.randn(3, 500, 60, generator=torch.Generator().manual_seed(0))
    assert_same(logits, texts, [500, 301, 400])


def test_frames_behind_an_utterances_end_have_no_gradient():
    logits = torch.randn(2, 9, PHONES, requires_grad=True)
    ours(logits.log_softmax(-1), [[1, 2], [3]], [9, 4]).backward()
    assert (logits.grad[1, 4:] == 0).all() and (logits.grad[1, :4] != 0).all()


@pytest.mark.parametrize("text", [[1, 2, 3, 4], [1, 1, 1]])
def test_too_few_frames_make_an_infinite_loss(text):
    assert ours(torch.zeros(1, 3, PHONES).log_softmax(-1), [text], [3]) == torch.inf


def test_paths_too_unlikely_for_float64_are_left_to_torch():
    logits = torch.zeros(1, 6, PHONES)
    logits[..., 4] = 800  # exp(-800) is 0
    assert_same(logits, [[1, 2]], [6])


def test_a_frame_whose_states_are_all_too_unlikely_is_left_to_torch():
    """Sure outputs and a text that has nothing to do with them: the loss itself is finite."""
    logits = 14 * torch.randn(1, 400, PHONES, generator=torch.Generator().manual_seed(2))
    text = np.random.default_rng(2).integers(1, PHONES, 70).tolist()
    assert_same(logits, [text], [400])


def test_what_is_no_number_stays_none():
    log_probs = torch.full((1, 4, PHONES), torch.nan)
    assert ours(log_probs, [[1, 2]], [4]).isnan()


def test_it_works_without_gradients():
    log_probs = torch.randn(1, 7, PHONES).log_softmax(-1)
    expected = theirs(log_probs, [[1, 2]], [7])
    with torch.inference_mode():
        torch.testing.assert_close(ours(log_probs.clone(), [[1, 2]], [7]), expected)
        assert ours(log_probs.clone(), [[1, 1, 1, 1]], [7]) < torch.inf
        assert ours(log_probs.clone(), [[1] * 5], [7]) == torch.inf
