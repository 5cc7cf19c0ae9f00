import dataclasses
import math

import pytest
import torch

from cascade.config.systems import Augment, Train
from cascade.features.batches import Batch
from cascade.model.network import Network
from cascade.training.losses import mean_ctc_loss
from cascade.training.ranks import ALONE
from cascade.training.step import Updater

CPU = torch.device("cpu")
TRAIN = Train(steps=10, dropout=0.0, learning_rate=0.01, augment=Augment())


def updater(settings=TRAIN, **changes) -> Updater:
    torch.manual_seed(0)
    outputs = {name: range(5) for name in ("ru", "en")}
    network = Network(outputs, 6, 5, (1, 1), 8)
    return Updater(network, dataclasses.replace(settings, **changes), "ru", CPU, ALONE, 0)


def batch(seed, utterances=2, frames=9) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(1, 5, (2 * utterances,), generator=generator)
    return Batch(
        ids=tuple(f"u{i}" for i in range(utterances)),
        inputs=torch.randn(utterances, frames, 6, generator=generator),
        lengths=torch.full((utterances,), frames),
        labels=labels,
        label_lengths=torch.full((utterances,), 2),
        phones=float(len(labels)),
    )


def weights(one: Updater) -> torch.Tensor:
    return torch.cat([p.detach().reshape(-1) for p in one.network.parameters()])


BATCHES = {"ru": batch(1), "en": batch(2, frames=8)}


def test_a_step_gives_the_loss_of_each_stream_and_lowers_it():
    one = updater()
    outputs = one.network({name: item.inputs for name, item in BATCHES.items()})
    expected = [mean_ctc_loss(o, b) for o, b in zip(outputs, BATCHES.values(), strict=True)]
    first = one.step(0, [BATCHES])
    assert [first.losses[name].item() for name in BATCHES] == pytest.approx(
        [loss.item() for loss in expected]
    )
    assert first.norm > 0 and first.bad == 0
    for number in range(1, 20):
        last = one.step(number, [BATCHES])
    assert all(last.losses[name] < first.losses[name] / 2 for name in BATCHES)


def test_several_parts_are_one_batch():
    together, apart = updater(), updater()
    ru = BATCHES["ru"]
    halves = [
        dataclasses.replace(
            ru,
            ids=ru.ids[i : i + 1],
            inputs=ru.inputs[i : i + 1],
            lengths=ru.lengths[i : i + 1],
            labels=ru.labels[2 * i : 2 * i + 2],
            label_lengths=ru.label_lengths[i : i + 1],
        )
        for i in range(2)
    ]
    whole = together.step(0, [{"ru": ru}])
    parts = apart.step(0, [{"ru": half} for half in halves])
    assert parts.losses["ru"].item() == pytest.approx(whole.losses["ru"].item(), rel=1e-5)
    assert parts.norm.item() == pytest.approx(whole.norm.item(), rel=1e-4)


def test_a_loss_that_is_not_finite_changes_no_weight():
    one = updater()
    before = weights(one)
    broken = dataclasses.replace(BATCHES["ru"], inputs=BATCHES["ru"].inputs * math.nan)
    outcome = one.step(0, [{**BATCHES, "ru": broken}])
    assert outcome.bad == 1 and torch.equal(weights(one), before)
    assert one.step(1, [BATCHES]).bad == 0
    assert not torch.equal(weights(one), before)


def test_a_weight_of_zero_teaches_nothing():
    one, alone = updater(weights={"en": 0.0}), updater()
    for number in range(3):
        one.step(number, [BATCHES])
        alone.step(number, [{"ru": BATCHES["ru"]}])
    shared = [dict(u.network.upper["shared"].named_parameters()) for u in (one, alone)]
    for name, parameter in shared[0].items():
        assert torch.allclose(parameter, shared[1][name], atol=1e-5)


def test_a_tie_pulls_the_parts_of_languages_together():
    free, tied = updater(), updater(tie=1.0)
    for number in range(20):
        free.step(number, [BATCHES])
        tied.step(number, [BATCHES])
    assert tied.network.distance("ru") < free.network.distance("ru") / 2


def test_an_automatic_weight_is_measured_where_both_take_part():
    one = updater(weights={"en": "auto"})
    one.step(0, [{"en": BATCHES["en"]}])
    assert one.auto is None
    one.step(1, [BATCHES])  # measured every 25 steps
    assert one.auto is None
    one.step(25, [BATCHES])
    first = one.auto
    assert first is not None and first > 0
    one.step(50, [BATCHES])
    assert one.auto != first and one.auto == pytest.approx(first, rel=0.5)


def test_a_gradient_is_clipped():
    one = updater(clip=1e-6)
    assert one.step(0, [BATCHES]).norm > 1e-3
    total = torch.stack([p.grad.norm() for p in one.network.parameters() if p.grad is not None])
    assert total.norm() <= 1.1e-6
