"""Several processes that train one system: the same training as in one process."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from planted import PHONES, SETTINGS, planted
from rank_trainings import alone, together

from cascade.config.layout import Layout
from cascade.config.systems import Augment, Train
from cascade.features.batches import UtteranceSet
from cascade.features.streams import StreamIterator
from cascade.model.ctc import ctc_loss
from cascade.training.ranks import LOOPBACK, Meeting, Torchrun, store_here

TRAIN = Train(
    steps=50, batch_seconds=2, valid_every=10, dropout=0.0, learning_rate=0.003, augment=Augment()
)


@pytest.fixture(scope="module")
def layout(tmp_path_factory):
    layout = Layout(tmp_path_factory.mktemp("exp"), None, None)
    for seed, (key, count) in enumerate({"train": 12, "ext": 31, "valid": 6}.items()):
        planted(layout, key, seed, count)
    one = np.ones(1, dtype=np.int64)
    ctc_loss(torch.zeros(1, 2, 2), one, 2 * one, one)  # loads the compiled loss, once
    return layout


def losses(seen) -> np.ndarray:
    return np.array([list(seen[step].values()) for step in sorted(seen)])


@pytest.mark.parametrize(
    "changes",
    [{}, {"tie": 0.01, "weights": {"en": 0.5}, "consistency": 0.2, "steps": 10}],
    ids=["plain", "tie, weights, consistency"],
)
def test_two_ranks_are_one_with_batches_twice_as_large(layout, tmp_path, changes):
    settings = dataclasses.replace(TRAIN, **changes)
    twice = dataclasses.replace(settings, batch_seconds=2 * settings.batch_seconds)
    expected, _ = alone(layout, tmp_path / "one", twice)
    (first, weights), (second, others) = together(layout, tmp_path / "two", settings)
    assert len(expected) == settings.steps
    assert np.abs(losses(first) - losses(expected)).max() < 1e-5
    assert first == second  # a loss is that of both ranks
    tensors = torch.load(tmp_path / "two/checkpoint/last.pt", weights_only=True)["network"]
    assert all(np.array_equal(others[name], tensors[name].numpy()) for name in weights)
    rows = [(tmp_path / name / "train.jsonl").read_text().splitlines() for name in ("one", "two")]
    assert [json.loads(r)["valid_per"] for r in rows[0]] == pytest.approx(
        [json.loads(r)["valid_per"] for r in rows[1]]
    )


@pytest.mark.parametrize("encoder", ["blstm", "conformer"])
def test_two_ranks_are_one_with_other_encoders(layout, tmp_path, encoder):
    settings = dataclasses.replace(TRAIN, steps=12, active={"en": (0, 0.5)})
    twice = dataclasses.replace(settings, batch_seconds=2 * settings.batch_seconds)
    expected, _ = alone(layout, tmp_path / "one", twice, encoder)
    (first, _), (second, _) = together(layout, tmp_path / "two", settings, encoder=encoder)
    assert first == second
    for step, values in expected.items():
        assert first[step] == pytest.approx(values, abs=1e-5)


def test_accumulated_batches_are_one_larger_batch(layout, tmp_path):
    settings = dataclasses.replace(TRAIN, steps=12, accumulate=3)
    larger = dataclasses.replace(TRAIN, steps=12, batch_seconds=3 * TRAIN.batch_seconds)
    (one, _), (three, _) = (
        alone(layout, tmp_path / str(s.accumulate), s) for s in (larger, settings)
    )
    assert np.abs(losses(one) - losses(three)).max() < 1e-5


def test_languages_that_are_not_active_stall_no_rank(layout, tmp_path):
    settings = dataclasses.replace(TRAIN, steps=12, active={"en": (0, 0.5)})
    twice = dataclasses.replace(settings, batch_seconds=2 * settings.batch_seconds)
    expected, _ = alone(layout, tmp_path / "one", twice)
    (first, _), _ = together(layout, tmp_path / "two", settings)
    assert [len(first[step]) for step in (6, 7)] == [2, 1]
    for step, values in expected.items():
        assert first[step] == pytest.approx(values, abs=1e-5)


def test_a_killed_rank_ends_all_and_they_go_on_to_the_same_model(layout, tmp_path):
    settings = dataclasses.replace(TRAIN, steps=24, checkpoint_every="0", dropout=0.3)
    whole = together(layout, tmp_path / "whole", settings)
    assert together(layout, tmp_path / "broken", settings, die={1: 15})[1] is None
    stopped = together(layout, tmp_path / "broken", settings, stop={0: 19})
    # Asked after step 19: the ranks agree while they take the next one.
    assert [sent[0]["stopped"] for sent in stopped] == [20, 20]
    last = together(layout, tmp_path / "broken", settings)
    for rank in (0, 1):
        (_, expected), (_, weights) = whole[rank], last[rank]
        assert all(np.array_equal(weights[name], expected[name]) for name in expected)
    files = [(tmp_path / name / "train.jsonl").read_bytes() for name in ("whole", "broken")]
    assert files[0] == files[1]


def test_another_number_of_ranks_goes_on_with_the_same_batches(layout, tmp_path):
    settings = dataclasses.replace(TRAIN, steps=24)
    (expected, _), _ = together(layout, tmp_path / "two", settings)
    together(layout, tmp_path / "other", settings, stop={0: 9, 1: 9})
    seen, _ = alone(layout, tmp_path / "other", settings)
    assert min(seen) == 11
    for step, values in seen.items():
        assert values == pytest.approx(expected[step], abs=1e-5)


def test_every_utterance_is_in_one_share(layout):
    data = UtteranceSet(layout, ["ext"], PHONES, SETTINGS, np.zeros(SETTINGS.filters))
    request = next(StreamIterator(data, "en", 8.0, Augment(), 0))
    shares = [data.share(request, part, 3) for part in range(3)]
    assert sorted(i for s in shares for i in s.indices) == sorted(request.indices)
    assert {s.phones for s in shares} == {sum(len(data.labels[i]) for i in request.indices)}
    few = dataclasses.replace(request, indices=(4, 7))
    assert [data.share(few, part, 3).indices for part in range(3)] == [(4,), (7,), (4,)]
    assert [data.share(few, part, 3).phones < np.inf for part in range(3)] == [True, True, False]


@pytest.fixture
def processes(monkeypatch):
    """Returns what a process of a rank sees; the store is torchrun's."""
    assert not Torchrun.is_here()
    store = store_here()
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "run")
    monkeypatch.setenv("MASTER_ADDR", LOOPBACK)
    monkeypatch.setenv("MASTER_PORT", str(store.port))
    monkeypatch.setenv("WORLD_SIZE", "4")

    def here(rank: int, attempt: int = 0) -> Torchrun:
        monkeypatch.setenv("RANK", str(rank))
        monkeypatch.setenv("LOCAL_RANK", str(rank % 2))
        monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", str(attempt))
        assert Torchrun.is_here()
        return Torchrun.here()

    yield here
    del store


def test_all_ranks_meet_for_the_trainings_that_the_first_announces(processes):
    first, other = processes(0), processes(3)
    meetings = [first.announce("plain", "1"), first.announce("cascade", "2")]
    processes(0).finish()  # another part of the program, which has asked torchrun again
    seen = list(other.announced())
    assert [(name, fingerprint) for name, fingerprint, _ in seen] == [
        ("plain", "1"),
        ("cascade", "2"),
    ]
    for meeting, (_, _, own) in zip(meetings, seen, strict=True):
        assert own == dataclasses.replace(meeting, rank=3, local=1)
        assert isinstance(own, Meeting) and own.world == 4
    assert meetings[0].name != meetings[1].name


def test_after_a_restart_nothing_old_is_announced(processes):
    processes(0).announce("plain", "1")
    processes(0, attempt=1).finish()
    assert list(processes(1, attempt=1).announced()) == []
