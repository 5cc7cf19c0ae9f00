import dataclasses
import itertools

import numpy as np
import pytest
from planted import PHONES, SETTINGS, planted

from cascade.config.layout import Layout
from cascade.config.systems import Augment, Train
from cascade.features.batches import UtteranceSet
from cascade.features.streams import StreamIterator
from cascade.training.plan import Plan
from cascade.training.ranks import Ranks

START = {"epoch": 0, "position": 0, "piece": 0, "pieces": 1}
TRAIN = Train(steps=10, batch_seconds=2, augment=Augment(ramp=0.5))


@pytest.fixture(scope="module")
def layout(tmp_path_factory):
    layout = Layout(tmp_path_factory.mktemp("exp"), None, None)
    planted(layout, "train", 0, 12)
    planted(layout, "ext", 1, 31)
    return layout


def plan(layout, settings=TRAIN, rank=0, world=1) -> Plan:
    iterators = [
        StreamIterator(
            UtteranceSet(layout, [key], PHONES, SETTINGS, np.zeros(SETTINGS.filters)),
            name,
            settings.batch_seconds,
            settings.augment,
            0,
        )
        for name, key in (("ru", "train"), ("en", "ext"))
    ]
    return Plan(iterators, settings, Ranks(rank, world))


def test_what_is_read_ahead_is_what_the_steps_take(layout):
    ahead, steps = plan(layout), plan(layout)
    parts = list(ahead.ahead(0))
    assert len(parts) == ahead.steps == 10
    assert [iterator.state() for iterator in ahead.iterators] == [START] * 2
    assert parts == [[steps.requests(step)] for step in range(10)]
    assert steps.iterators[0].epoch > 0  # the target went round
    for step in range(4):
        ahead.requests(step)
    assert list(ahead.ahead(4)) == parts[4:]


def test_languages_take_part_in_their_steps(layout):
    settings = dataclasses.replace(TRAIN, active={"en": (0.2, 0.5), "ru": (0.3, 1)})
    names = [list(one) for (one,) in plan(layout, settings).ahead(0)]
    assert names == [[]] * 2 + [["en"]] + [["ru", "en"]] * 2 + [["ru"]] * 5


def test_augmentation_grows_in_the_ramp(layout):
    warps = [one["ru"].augment.warp / TRAIN.augment.warp for (one,) in plan(layout).ahead(0)]
    assert warps == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1, 1, 1, 1, 1])


def test_epochs_count_the_batches_of_the_target(layout):
    once = plan(layout, dataclasses.replace(TRAIN, epochs=3))
    assert once.steps == 3 * once.iterators[0].batches
    twice = plan(layout, dataclasses.replace(TRAIN, epochs=3, accumulate=2))
    assert twice.steps < once.steps


def test_batches_grow_in_the_ramp(layout):
    settings = dataclasses.replace(TRAIN, steps=40, batch_seconds=16, batch_ramp=0.6)
    first = next(plan(layout, settings).ahead(0))[0]["en"]
    sizes = [len(one["en"].indices) for (one,) in plan(layout, settings).ahead(0)]
    full = len(plan(layout, dataclasses.replace(settings, batch_ramp=0)).requests(0)["en"].indices)
    assert sum(sizes[:8]) == full and max(sizes[:8]) == len(first.indices) == -(-full // 8)
    assert sizes[8] == sizes[9] > sizes[7] and sizes[24] > sizes[16] > sizes[8]


@pytest.mark.parametrize("ramp", [0.2, 0.5, 1])
def test_epochs_are_complete_with_a_ramp(layout, ramp):
    settings = dataclasses.replace(TRAIN, epochs=60, batch_seconds=60, batch_ramp=ramp)
    one = plan(layout, settings)
    for step in range(one.steps):
        one.requests(step)
    assert one.steps > 60 * one.iterators[0].batches
    assert one.iterators[0].epoch + 1 == pytest.approx(60, abs=1)


def test_shares_of_ranks_are_the_batch_without_overlap(layout):
    settings = dataclasses.replace(TRAIN, accumulate=2)
    ranks = [plan(layout, settings, rank, 2) for rank in range(2)]
    whole = plan(layout, settings, 0, 2)
    for step, each in zip(range(10), zip(*(r.ahead(0) for r in ranks), strict=True), strict=False):
        requests = whole.requests(step)
        assert [len(parts) for parts in each] == [2, 2]
        for name, request in requests.items():
            shares = [part[name] for part in itertools.chain(*each)]
            counted = [i for one in shares if one.phones < np.inf for i in one.indices]
            assert sorted(counted) == sorted(request.indices)


def test_another_division_begins_again(layout):
    one = plan(layout)
    small = [one.requests(0)["en"], one.requests(1)["en"]]
    one.divide(1)  # the same: it goes on
    assert one.iterators[1].position == 2
    one.divide(2)
    assert [iterator.state() for iterator in one.iterators] == [START] * 2
    assert len(one.requests(0)["en"].indices) > max(len(request.indices) for request in small)
