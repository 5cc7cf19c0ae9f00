import dataclasses
import math

import pytest
import torch
from torch import nn

from cascade.features.batches import Batch
from cascade.training.losses import batch_loss, divergence, gradient_ratio, is_exact


def test_divergence_is_that_of_each_copy_from_the_other_up_to_its_length():
    torch.manual_seed(0)
    logits = torch.randn(4, 3, 5, requires_grad=True)
    log_probs = logits.log_softmax(-1)
    lengths, counts = torch.tensor([3, 2, 3, 2]), torch.tensor([4, 2, 4, 2])
    batch = Batch(tuple("abab"), torch.zeros(0), lengths, torch.zeros(12), counts, 12)
    expected = 0.0
    for row, frames in ((0, 3), (1, 2)):
        p, q = (log_probs[i, :frames].detach().exp() for i in (row, row + 2))
        expected += float(((p * (p / q).log()).sum() + (q * (q / p).log()).sum()) / 2)
    loss = divergence(log_probs, batch)
    assert torch.isclose(loss, torch.tensor(expected / 6))
    loss.backward()
    # A copy moves towards the other as it is: the gradient is p - q in each frame.
    p, q = (log_probs[i, 0].detach().exp() for i in (0, 2))
    assert torch.allclose(logits.grad[0, 0], (p - q) / 12, atol=1e-6)
    assert (logits.grad[[1, 3], 2] == 0).all()  # padding
    same = log_probs[[0, 1, 0, 1]].detach()
    assert divergence(same, batch) == 0


def test_the_ratio_of_gradients_is_that_of_the_parts_in_common():
    common, own, other, still = (nn.Parameter(torch.randn(3)) for _ in range(4))
    still.requires_grad_(False)
    loss = (3 * common).sum() + 100 * own.sum()
    another = (4 * common).sum() + 7 * other.sum()
    assert gradient_ratio(loss, another, [common, own, other, still]) == pytest.approx(0.75)
    loss.backward()  # the graph is still there
    assert torch.equal(common.grad, torch.full((3,), 3.0))
    assert math.isnan(gradient_ratio(own.sum(), other.sum(), [common, own, other]))


def test_pytorchs_loss_is_the_exact_one_in_float32():
    torch.manual_seed(1)
    lengths, counts = torch.tensor([9, 7]), torch.tensor([3, 2])
    labels = torch.tensor([1, 1, 2, 3, 1])
    batch = Batch(("a", "b"), torch.zeros(0), lengths, labels, counts, 5)
    results = []
    for exact in (True, False):
        logits = torch.randn(2, 9, 5, generator=torch.Generator().manual_seed(2)).requires_grad_()
        loss = batch_loss(logits.log_softmax(-1), batch, 0.0, exact)
        loss.backward()
        results.append((loss.detach(), logits.grad))
    torch.testing.assert_close(*results, rtol=1e-4, atol=1e-5)
    share = dataclasses.replace(batch, phones=math.inf)  # a share that does not count
    logits = torch.zeros(2, 9, 5, requires_grad=True)
    loss = batch_loss(logits.log_softmax(-1), share, 0.0)
    loss.backward()
    assert loss == 0 and not logits.grad.any()


@pytest.mark.parametrize(
    ("choice", "on_cpu", "on_gpu"),
    [("auto", True, False), ("exact", True, True), ("pytorch", False, False)],
)
def test_which_loss_a_choice_means(choice, on_cpu, on_gpu):
    devices = (torch.device("cpu"), torch.device("cuda"))
    assert [is_exact(choice, device) for device in devices] == [on_cpu, on_gpu]
