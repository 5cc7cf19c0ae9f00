from collections import Counter

import numpy as np
import pytest
from stored_features import STILL, as_bytes, data, frames_of

from cascade.config.systems import Augment
from cascade.features.augment import scaled
from cascade.features.streams import StreamIterator
from cascade.runtime.errors import UserError


def iterator(utterances, seconds=3.0, augment=STILL, seed=0, name="ru", copies=1):
    return StreamIterator(utterances, name, seconds, augment, seed, copies)


def read(batches):
    """The next batch of an iterator."""
    return batches.data.read(next(batches))


def epoch(batches):
    """The batches of the present epoch, or of the next one where it is at its end."""
    first = [read(batches)]
    return first + [read(batches) for _ in range(batches.batches - batches.position)]


@pytest.mark.parametrize("seconds", [1.0, 3.0, 12.0])
def test_every_utterance_once_an_epoch(dumped, seconds):
    utterances = data(dumped(frames_of(60)))
    batches = iterator(utterances, seconds)
    for number in range(4):
        names = Counter(name for batch in epoch(batches) for name in batch.ids)
        assert names == Counter(utterances.ids)
        assert batches.epoch == number


def test_batches_are_never_longer_than_asked_but_for_one_utterance(dumped):
    utterances = data(dumped([*frames_of(60), 350, 400]))
    alone = 0
    batches = iterator(utterances, seconds=3.0)
    while batches.epoch < 3:
        batch = read(batches)
        frames = [utterances.frames[list(utterances.ids).index(name)] for name in batch.ids]
        assert len(frames) == 1 or max(frames) * len(frames) <= 300
        alone += max(frames) > 300
    assert alone >= 6  # the two long ones, alone, in each of three epochs


def test_batches_are_well_filled(dumped):
    utterances = data(dumped(frames_of(200)))
    batches = iterator(utterances, seconds=10.0)
    shares = [batch.lengths.sum() * 3 / 1000 for batch in epoch(batches)]
    assert np.mean(shares) > 0.8


def test_epochs_differ_in_order_and_in_company(dumped):
    batches = iterator(data(dumped(frames_of(60))))
    first, second = ([batch.ids for batch in epoch(batches)] for _ in range(2))
    assert {frozenset(ids) for ids in first} != {frozenset(ids) for ids in second}
    assert first != second


def test_the_same_seed_the_same_bytes(dumped):
    utterances = data(dumped(frames_of(30)))

    def some(**settings):
        batches = iterator(utterances, augment=Augment(), **settings)
        return [as_bytes(read(batches)) for _ in range(25)]

    first = some()
    assert some() == first
    assert some(seed=1) != first
    assert some(name="en") != first


@pytest.mark.parametrize("after", [0, 1, 7, 40])
def test_restored_iterators_go_on_as_if_nothing_had_been(dumped, after):
    utterances = data(dumped(frames_of(30)))
    unbroken = iterator(utterances, augment=Augment())
    for _ in range(after):
        read(unbroken)
    state = unbroken.state()
    expected = [as_bytes(read(unbroken)) for _ in range(20)]
    resumed = iterator(utterances, augment=Augment())
    resumed.restore(dict(state))
    assert resumed.state() == state
    assert [as_bytes(read(resumed)) for _ in range(20)] == expected


def test_batches_in_pieces_have_every_utterance_once_an_epoch(dumped):
    batches = iterator(data(dumped(frames_of(60))), seconds=12.0)
    plan = [batches._plan[number] for number in range(3)]
    batches.pieces = 4
    requests = [next(batches).indices for _ in range(5)]
    batches.pieces = 1  # the batch that has begun goes on as it was cut
    requests += [next(batches).indices for _ in range(4)]
    assert [len(indices) for indices in requests[:4]] == [len(plan[0][n::4]) for n in range(4)]
    assert sorted(sum(requests[:4], ())) == sorted(plan[0])
    assert sorted(sum(requests[4:8], ())) == sorted(plan[1])
    assert requests[8] == tuple(plan[2])
    batches.pieces = 99  # no batch has so many utterances
    while batches.epoch == 0:
        requests.append(next(batches).indices)
    assert {len(indices) for indices in requests[9:]} == {1}
    assert sorted(sum(requests[:-1], ())) == list(range(60))


def test_a_restored_iterator_goes_on_with_the_next_piece(dumped):
    utterances = data(dumped(frames_of(30)))
    unbroken, resumed = (iterator(utterances, seconds=12.0, augment=Augment()) for _ in range(2))
    unbroken.pieces = resumed.pieces = 3
    for _ in range(4):
        next(unbroken)
    resumed.restore(unbroken.state())
    unbroken.pieces = resumed.pieces = 1
    assert [next(resumed) for _ in range(9)] == [next(unbroken) for _ in range(9)]


def test_state_at_the_end_of_an_epoch(dumped):
    utterances = data(dumped(frames_of(10)))
    batches = iterator(utterances)
    epoch(batches)
    assert batches.state() == {"epoch": 0, "position": batches.batches, "piece": 0, "pieces": 1}
    resumed = iterator(utterances)
    resumed.restore(batches.state())
    assert as_bytes(read(resumed)) == as_bytes(read(batches))
    assert resumed.state() == {"epoch": 1, "position": 1, "piece": 0, "pieces": 1}


def test_nothing_to_train_on(dumped):
    with pytest.raises(UserError, match="Stream 'ru' has no utterance to train on"):
        iterator(data(dumped([3], ["a b c"])))


def test_a_request_has_what_the_iterator_was_given(dumped):
    utterances = data(dumped(frames_of(9)))
    batches = iterator(utterances, augment=Augment(), copies=2)
    batches.strength = 0.5
    expected = utterances.batch(batches._plan[0], scaled(Augment(), 0.5), batches._number(0), 2)
    assert as_bytes(read(batches)) == as_bytes(expected)
