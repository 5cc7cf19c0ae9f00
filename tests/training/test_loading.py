"""Batches read ahead: in order, and what happens where one cannot be read."""

import multiprocessing
import os
import signal
import time

import pytest
from stored_features import STILL, as_bytes, data, frames_of, stored

from cascade.config.layout import Layout
from cascade.features.batches import Request
from cascade.runtime.errors import UserError
from cascade.training.loading import AHEAD, TOGETHER, batches_ahead


@pytest.fixture
def utterances(tmp_path):
    return data(stored(Layout(tmp_path, tmp_path, tmp_path), frames_of(12)))


def steps(number):
    for step in range(number):
        yield [{"ru": Request((step % 12, (step + 5) % 12), STILL, step)}]


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_batches_come_in_order(utterances, workers):
    expected = [as_bytes(utterances.read(step[0]["ru"])) for step in steps(20)]
    with batches_ahead({"ru": utterances}, steps(20), workers) as batches:
        assert [as_bytes(step[0]["ru"]) for step in batches] == expected


@pytest.mark.parametrize("workers", [0, 2])
def test_no_more_is_asked_for_than_the_workers_read(utterances, workers):
    asked = []

    def watched():
        for number, step in enumerate(steps(60)):
            asked.append(number)
            yield step

    with batches_ahead({"ru": utterances}, watched(), workers) as batches:
        for number, _ in zip(range(20), batches, strict=False):
            assert len(asked) - number - 1 <= (AHEAD * workers or TOGETHER - 1)


@pytest.mark.parametrize("workers", [0, 2])
def test_what_cannot_be_read_is_named_without_a_traceback(utterances, tmp_path, workers):
    (tmp_path / "feats" / "train_ru.1.ark").write_bytes(b"")
    with (
        pytest.raises(UserError, match=r"^The features of 'train_ru-0' at .* Run stage 2 again\.$"),
        batches_ahead({"ru": utterances}, steps(9), workers) as batches,
    ):
        next(batches)


@pytest.fixture
def own_workers():
    """What lists the worker processes that this test has started: others may be ending."""
    others = set(multiprocessing.active_children())
    return lambda: [one for one in multiprocessing.active_children() if one not in others]


def test_a_worker_that_dies_ends_the_training_with_a_sentence(utterances, own_workers):
    message = r"^a process that reads batches has ended \(.+\)\. Perhaps memory"
    with (
        pytest.raises(UserError, match=message),
        batches_ahead({"ru": utterances}, steps(100_000), 2) as batches,
    ):
        next(batches)
        os.kill(own_workers()[0].pid, signal.SIGKILL)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            next(batches)


def test_workers_end_with_the_context(utterances, own_workers):
    with batches_ahead({"ru": utterances}, steps(100_000), 2) as batches:
        next(batches)
        workers = own_workers()
        assert len(workers) == 2
    for worker in workers:
        worker.join(30)  # torch asks them to end, waits 5 s, sends SIGTERM and goes on
        assert worker.exitcode is not None


@pytest.mark.parametrize("error", [RuntimeError("a fault of ours"), BrokenPipeError("a parent")])
def test_other_errors_stay_what_they_are(utterances, error):
    with (
        pytest.raises(type(error), match=str(error)),
        batches_ahead({"ru": utterances}, steps(3), 0),
    ):
        raise error
