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


@pytest.fixture
def without(monkeypatch):
    monkeypatch.setattr(precision, "computes_bfloat16", lambda device: False)


def test_a_processor_without_it_is_named(without):
    precision.check("float32", CPU)
    with pytest.raises(UserError, match="this processor has no LSTM in bfloat16"):
        precision.check("bfloat16", CPU)


def test_a_processor_with_it_trains(monkeypatch):
    monkeypatch.setattr(precision, "computes_bfloat16", lambda device: True)
    precision.check("bfloat16", CPU)


def test_what_torch_cannot_do_is_found_out(monkeypatch):
    def refuse(*_, **__):
        raise RuntimeError("could not create a primitive descriptor")

    monkeypatch.setattr(precision.nn.LSTM, "forward", refuse)
    assert not precision.computes_bfloat16.__wrapped__(CPU)
    monkeypatch.undo()
    known = precision.computes_bfloat16.__wrapped__(CPU)
    assert known or torch.backends.cpu.get_cpu_capability() != "AVX512"


def test_it_is_said_before_anything_runs(without, tmp_path):
    recipe = read_recipe(Path("recipes/mini/recipe.yaml"), {"train.precision": "bfloat16"})
    layout = Layout(tmp_path / "exp", tmp_path / "downloads", tmp_path / "data")
    with pytest.raises(UserError, match="Say float32"):
        run(Experiment(recipe, layout), range(6), 1)
    assert not list(tmp_path.rglob("*.jsonl.gz"))


def test_one_system_alone_may_ask_for_it(without, tmp_path):
    recipe = read_recipe(Path("recipes/mini/recipe.yaml"))
    plain = dataclasses.replace(recipe.systems["plain"], train={"precision": "bfloat16"})
    recipe = dataclasses.replace(recipe, systems={**recipe.systems, "plain": plain})
    layout = Layout(tmp_path / "exp", tmp_path / "downloads", tmp_path / "data")
    with pytest.raises(UserError, match="Say float32"):
        run(Experiment(recipe, layout), [3], 1)
