"""The order of shards: from the seed only, each utterance once, some archives at a time."""

import itertools
from collections import Counter

import kaldiio
import numpy as np
import pytest
from stored_features import STILL, as_bytes, data, frames_of, stored

from cascade.config.layout import Layout
from cascade.config.systems import Augment, Train
from cascade.features.order import EpochOrder
from cascade.features.streams import StreamIterator
from cascade.training.loading import batches_ahead
from cascade.training.plan import Plan
from cascade.training.ranks import Ranks

SIZES = (7, 12, 1, 9, 20, 5, 6)  # utterances of an archive


@pytest.fixture
def sharded(tmp_path):
    """A set of utterances in several archives."""
    layout = stored(Layout(tmp_path, tmp_path, tmp_path), frames_of(sum(SIZES)))
    matrices = kaldiio.load_scp(str(layout.scp("train_ru")))
    names, lines = iter(list(matrices)), []
    for number, size in enumerate(SIZES):
        some = {name: matrices[name] for name in itertools.islice(names, size)}
        scp = tmp_path / "one.scp"
        kaldiio.save_ark(str(tmp_path / f"{number}.ark"), some, scp=str(scp))
        lines.append(scp.read_text())
    layout.scp("train_ru").write_text("".join(lines))
    return data(layout)


def shards_of(utterances, indices):
    return {int(utterances.archives[i]) for i in indices}


@pytest.mark.parametrize("shards", [0, 1, 2, 3, 100])
def test_every_utterance_once_an_epoch(sharded, shards):
    order = EpochOrder(sharded, 3.0, 5, shards)
    batches = [order[position] for position in range(len(order))]
    assert Counter(i for batch in batches for i in batch) == Counter(range(len(sharded)))


def test_only_so_many_archives_are_read_at_a_time(sharded):
    order = EpochOrder(sharded, 3.0, 5, 2)
    read = {}
    for position in range(len(order)):
        read.setdefault(order.mix(position), set()).update(shards_of(sharded, order[position]))
    assert [len(archives) for archives in read.values()] == [2, 2, 2, 1]
    assert set().union(*read.values()) == set(range(len(SIZES)))
    mixes = [order.mix(position) for position in range(len(order))]
    assert mixes == sorted(mixes)


def test_the_order_of_archives_and_in_them_follows_from_the_seed(sharded):
    def epoch(seed):
        order = EpochOrder(sharded, 3.0, seed, 2)
        return [order[position] for position in range(len(order))]

    assert epoch(1) == epoch(1) != epoch(2)
    assert {shards_of(sharded, batch).pop() for batch in epoch(1)[:2]} != {0, 1}
    company = [{frozenset(batch) for batch in epoch(seed)} for seed in (1, 2)]
    assert company[0] != company[1]


def test_positions_in_any_order_give_the_same_batches(sharded):
    order = EpochOrder(sharded, 3.0, 5, 2)
    batches = [order[position] for position in range(len(order))]
    assert [order[position] for position in reversed(range(len(order)))] == batches[::-1]


def iterator(utterances, shards=2, augment=STILL):
    return StreamIterator(utterances, "ru", 3.0, augment, 0, shuffled_shards=shards)


@pytest.mark.parametrize("after", [0, 1, 11, 40])
def test_a_restored_iterator_goes_on_in_the_same_order(sharded, after):
    unbroken = iterator(sharded)
    for _ in range(after):
        next(unbroken)
    state = unbroken.state()
    expected = [next(unbroken) for _ in range(40)]
    resumed = iterator(sharded)
    resumed.restore(state)
    assert [next(resumed) for _ in range(40)] == expected


def plan(utterances, rank=0, world=1, accumulate=1):
    settings = Train(epochs=2, batch_seconds=3.0, accumulate=accumulate, shuffled_shards=2)
    return Plan([iterator(utterances, augment=Augment())], settings, Ranks(rank, world))


@pytest.mark.parametrize("world", [2, 3])
def test_ranks_lose_and_repeat_no_utterance(sharded, world):
    plans = [plan(sharded, rank, world) for rank in range(world)]
    assert len({one.steps for one in plans}) == 1
    seen = Counter()
    for one in plans:
        for parts in one.ahead(0):
            for part in parts:
                request = part["ru"]
                seen.update(request.indices if request.phones < np.inf else ())
    assert seen == Counter(dict.fromkeys(range(len(sharded)), 2))  # two epochs


def test_the_order_is_that_of_one_process_whatever_the_ranks(sharded):
    alone = plan(sharded, accumulate=2)
    ranks = [plan(sharded, rank, 2) for rank in (0, 1)]
    expected = [[part["ru"] for part in parts] for parts in alone.ahead(0)]
    together = zip(*(one.ahead(0) for one in ranks), strict=True)
    assert [[part["ru"] for parts in step for part in parts] for step in together] == expected


def test_workers_change_no_byte(sharded):
    def batches(workers):
        steps = plan(sharded).ahead(0)
        with batches_ahead({"ru": sharded}, steps, workers) as read:
            return [as_bytes(parts[0]["ru"]) for parts in read]

    assert batches(0) == batches(2)


def test_archives_are_fetched_before_they_are_read(sharded, monkeypatch):
    fetched = []
    monkeypatch.setattr(sharded, "fetch", lambda some: fetched.append(shards_of(sharded, some)))
    one = plan(sharded)
    requests = one.ahead(0)
    first = [next(requests)[0]["ru"] for _ in range(one.iterators[0].batches)]
    read = set().union(*(shards_of(sharded, request.indices) for request in first))
    assert [len(archives) for archives in fetched] == [2, 2, 2, 1]  # a mix each, and each once
    assert set().union(*fetched) == read
    del fetched[:]
    next(requests)  # of the next epoch
    assert [len(archives) for archives in fetched] == [2, 2]
    one.requests(0)  # the training itself fetches nothing
    assert len(fetched) == 2
