import dataclasses
from pathlib import Path

import pytest
import torch

from cascade.config.experiment import Experiment
from cascade.config.layout import Layout
from cascade.config.recipe import read_recipe
from cascade.model import precision
from cascade.pipeline.stages import run
from cascade.runtime.errors import UserError

CPU = torch.device("cpu")
REFUSED = "this processor cannot train an LSTM in bfloat16: that needs AVX-512 or a GPU"


@pytest.fixture
def without(monkeypatch):
    """A processor that has no LSTM in bfloat16."""
    monkeypatch.setattr(precision, "computes_bfloat16", lambda device: False)


@pytest.mark.parametrize(
    ("asked", "computes", "refused"),
    [
        ("float32", False, False),
        ("float32", True, False),
        ("bfloat16", True, False),
        ("bfloat16", False, True),
    ],
)
def test_only_what_a_processor_cannot_do_is_refused(monkeypatch, asked, computes, refused):
    monkeypatch.setattr(precision, "computes_bfloat16", lambda device: computes)
    if not refused:
        return precision.check_precision(asked, CPU)
    with pytest.raises(UserError, match=REFUSED):
        precision.check_precision(asked, CPU)


def test_a_gpu_is_named_as_such(without):
    with pytest.raises(UserError, match="this cuda cannot train"):
        precision.check_precision("bfloat16", torch.device("cuda"))


@pytest.mark.parametrize("step", ["forward", "backward"])
def test_a_processor_that_cannot_compute_a_step_is_noticed(monkeypatch, step):
    """Some processors have the forward pass only."""

    def refuse(*_):
        raise RuntimeError("could not create a primitive descriptor")

    class Refuses(torch.autograd.Function):
        forward = staticmethod(lambda ctx, x: x.clone())
        backward = staticmethod(refuse)

    def forward(lstm, x):
        x = Refuses.apply(x.requires_grad_())
        return (refuse() if step == "forward" else x,)

    monkeypatch.setattr(precision.nn.LSTM, "forward", forward)
    assert not precision.computes_bfloat16.__wrapped__(CPU)


def test_a_step_in_bfloat16_is_tried(monkeypatch):
    """The trial must be the arithmetic of training: autocast, and gradients."""
    tried = []

    def forward(lstm, x):
        y = torch.nn.functional.linear(x, lstm.weight_hh_l0[:2])
        y.register_hook(lambda gradient: tried.append("backward"))
        tried.append(y.dtype)
        return (y,)

    monkeypatch.setattr(precision.nn.LSTM, "forward", forward)
    with torch.no_grad():
        assert precision.computes_bfloat16.__wrapped__(CPU)
    assert tried == [torch.bfloat16, "backward"]


def experiment(tmp_path, recipe):
    layout = Layout(tmp_path / "exp", tmp_path / "downloads", tmp_path / "data")
    return Experiment(recipe, layout)


def test_it_is_refused_before_anything_runs(without, tmp_path):
    recipe = read_recipe(Path("recipes/mini/recipe.yaml"), {"train.precision": "bfloat16"})
    with pytest.raises(UserError, match=REFUSED):
        run(experiment(tmp_path, recipe), range(6), 1)
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path.name != ".lock"]


def test_one_system_can_ask_for_it(without, tmp_path):
    recipe = read_recipe(Path("recipes/mini/recipe.yaml"))
    plain = dataclasses.replace(recipe.systems["plain"], train={"precision": "bfloat16"})
    recipe = dataclasses.replace(recipe, systems={**recipe.systems, "plain": plain})
    with pytest.raises(UserError, match=REFUSED):
        run(experiment(tmp_path, recipe), [3], 1)


def test_the_lstm_of_gpus_is_near_to_float32_with_its_gradients():
    torch.manual_seed(0)
    lstm, x = torch.nn.LSTM(6, 5, batch_first=True), torch.randn(3, 7, 6)
    outputs = lstm(x)[0]
    expected = torch.autograd.grad(outputs.square().sum(), list(lstm.parameters()))
    with torch.autocast("cpu", torch.bfloat16):
        short = precision.bfloat16_lstm(lstm, x)
    assert short.dtype == torch.bfloat16
    torch.testing.assert_close(short.float(), outputs, rtol=0.05, atol=0.02)
    gradients = torch.autograd.grad(short.float().square().sum(), list(lstm.parameters()))
    for one, other in zip(gradients, expected, strict=True):
        assert torch.nn.functional.cosine_similarity(one.ravel(), other.ravel(), dim=0) > 0.99


def test_tf32_is_used_only_where_it_is_asked_for():
    for asked, products in (("tf32", "tf32"), ("bfloat16", "ieee"), ("float32", "ieee")):
        precision.set_precision(asked)
        assert torch.backends.cudnn.rnn.fp32_precision == products
        assert torch.backends.cuda.matmul.fp32_precision == products
    precision.check_precision("tf32", torch.device("cuda"))
    with pytest.raises(UserError, match="tf32 needs a GPU of NVIDIA, and PyTorch finds none here"):
        precision.check_precision("tf32", CPU)
