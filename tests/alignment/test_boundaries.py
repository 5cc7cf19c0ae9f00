"""Boundaries are where the sound changes, not where the network shows a phone."""

from itertools import pairwise

import numpy as np
import pytest

from cascade.alignment import boundaries
from cascade.alignment.boundaries import spans
from cascade.alignment.forced_path import ForcedPath
from cascade.alignment.phone_models import PhoneModels, cepstra, read_models
from cascade.alignment.training import Example, train_models
from cascade.runtime.errors import UserError

FILTERS, STACK, PHONES = 40, 3, 4
DELAY = 9  # frames by which the network of this test is late


def spoken(seed: int, words: int = 6) -> tuple[np.ndarray, ForcedPath, list[tuple[int, int]]]:
    """Speech of made-up phones, with a pause before every other word, its path and its times."""
    random = np.random.default_rng(seed)
    sounds = np.random.default_rng(99).normal(0, 3, (PHONES, FILTERS))
    pieces, phones, ends, times, at = [], [], [], [], 0

    def say(phone: int, frames: int) -> None:
        nonlocal at
        pieces.append(sounds[phone] + random.normal(0, 0.5, (frames, FILTERS)))
        at += frames

    say(0, 30)
    for word in range(words):
        if word % 2:
            say(0, int(random.integers(15, 40)))
        for _ in range(2):
            others = [p for p in range(1, PHONES) if not phones or p != phones[-1]]
            phones.append(int(random.choice(others)))
            begin = at
            say(phones[-1], int(random.integers(5, 14)))
            times.append((begin, at))
        ends.append(len(phones))
    say(0, 30)
    shown = [int((begin + end) / 2 + DELAY + random.normal(0, 1)) // STACK for begin, end in times]
    runs = [(step, step + 1) for step in shown]
    path = ForcedPath(phones, ends, runs, np.zeros(at // STACK, np.float32))
    return np.concatenate(pieces).astype(np.float32), path, times


@pytest.fixture(scope="module")
def models() -> PhoneModels:
    examples = [Example(energies, path, STACK) for energies, path, _ in map(spoken, range(30))]
    return train_models(examples, PHONES)


def errors(models: PhoneModels, seed: int, words: int = 6) -> np.ndarray:
    energies, path, times = spoken(seed, words)
    return np.abs(np.array(spans(models, energies, path, STACK)) - np.array(times))


def test_boundaries_are_where_the_sound_changes(models):
    far = np.concatenate([errors(models, seed) for seed in range(100, 110)])
    assert far.mean() < 1 and far.max() <= 5  # though the network is 9 frames late


def test_a_long_recording_in_parts_has_the_same_boundaries(models, monkeypatch):
    monkeypatch.setattr(boundaries, "LONGEST", 300)
    energies, path, _ = spoken(7, words=60)
    peaks = [STACK * (a + b) / 2 for a, b in path.runs]
    cut = list(boundaries.parts(path, peaks, len(energies)))
    assert len(cut) >= 4 and all(end - begin <= 310 for *_, begin, end in cut)
    assert [first for first, *_ in cut[1:]] == [last for _, last, *_ in cut[:-1]]
    far = errors(models, 7, words=60)
    assert far.mean() < 1


def test_phones_stay_near_the_steps_that_show_them(models):
    energies, path, _ = spoken(3)
    silent = np.concatenate([energies, np.tile(energies[:30], (20, 1))])  # a long pause at the end
    for (begin, end), (first, last) in zip(
        spans(models, silent, path, STACK), path.runs, strict=True
    ):
        peak = STACK * (first + last) / 2
        assert peak - boundaries.BEFORE <= begin < end <= peak + boundaries.AFTER + 1


def test_phones_that_no_time_is_left_for_are_divided_between_the_steps(models):
    energies, path, _ = spoken(4)
    begin = path.runs[0][0]
    runs = [(begin + i, begin + i + 1) for i in range(len(path.runs))]
    crowded = ForcedPath(path.phones, path.ends, runs, path.margins)
    found = spans(models, energies[: STACK * begin + 20], crowded, STACK)
    assert len(found) == len(runs)
    assert all(a[1] <= b[0] for a, b in pairwise(found))


def test_models_are_the_same_after_writing_and_damage_is_refused(models, tmp_path):
    path = tmp_path / "align.npy"
    models.write(path)
    again = read_models(path, PHONES)
    features = cepstra(spoken(1)[0], np.zeros(FILTERS))
    states = [0, 5, 5, 3]
    scores = models.log_likelihoods(features, states)
    assert np.array_equal(again.log_likelihoods(features, states), scores)
    assert np.array_equal(scores[:, 1], scores[:, 2]) and not np.array_equal(
        scores[:, 0], scores[:, 1]
    )
    table = np.load(path)
    for change in (
        table[:, :-1],
        table.astype(np.float64),
        np.where(np.arange(table.shape[1]) == 0, 3 * PHONES, table),  # a state too many
        np.where(np.arange(table.shape[1]) == 79, -1, table),  # a variance below 0
        np.full_like(table, np.nan),
        table[:0],
    ):
        np.save(path, change.astype(change.dtype))
        with pytest.raises(UserError, match="does not hold models of 4 phones"):
            read_models(path, PHONES)
    path.write_bytes(b"\x80\x04not numpy")
    with pytest.raises(UserError):
        read_models(path, PHONES)
