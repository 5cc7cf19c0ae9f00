"""Dropout drops the right share, other values each time, and keeps the mean."""

import pytest
import torch

from cascade.model.dropout import Dropout


@pytest.mark.parametrize("probability", [0.02, 0.15, 0.5, 0.95])
def test_the_share_of_zeros_and_the_mean(probability):
    torch.manual_seed(0)
    x = Dropout(probability)(torch.ones(10, 333, 100))
    assert abs((x == 0).float().mean() - probability) < 0.003
    assert len(x.unique()) == 2
    assert abs(x.mean() - 1) < 0.02


def test_neighbours_are_dropped_independently():
    torch.manual_seed(0)
    dropped = (Dropout(0.5)(torch.ones(400_000)) == 0).float()
    for lag in (1, 2, 3, 4, 8):
        pairs = torch.stack([dropped[:-lag], dropped[lag:]])
        assert abs(torch.corrcoef(pairs)[0, 1]) < 0.01


def test_the_gradient_goes_where_the_value_went():
    x = torch.ones(7, 5, requires_grad=True)
    y = Dropout(0.4)(x)
    y.sum().backward()
    assert 0 < (y == 0).sum() < y.numel()
    assert torch.equal(x.grad, y.detach())


def test_the_generator_decides():
    layer, x = Dropout(0.5), torch.ones(1001)
    torch.manual_seed(3)
    first, second = layer(x), layer(x)
    torch.manual_seed(3)
    assert torch.equal(layer(x), first) and not torch.equal(second, first)


def test_nothing_is_dropped_outside_training_or_at_nought():
    x = torch.randn(50)
    assert Dropout(0.5).eval()(x) is x
    assert Dropout(0.0)(x) is x
