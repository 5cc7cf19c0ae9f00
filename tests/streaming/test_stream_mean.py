"""The running mean of a stream: that of speech, whatever the pauses are."""

import itertools

import numpy as np
import pytest

from cascade.features.cmn import RunningMean
from cascade.streaming.stream_mean import StreamMean

INIT = np.array([-6.0, -4.0, -2.0])
SETTINGS = {"window": 300, "global_frames": 20}


def noise(level, frames, seed=0):
    """Frames (T, 3) of a noise: levels change a little."""
    return (level + 0.3 * np.random.default_rng(seed).standard_normal((frames, 3))).astype("f")


def speech(frames, seed=0):
    """Frames (T, 3) whose levels change as those of speech do."""
    swings = 4 * np.sin(np.arange(frames) / 7)[:, None]
    return noise(-5, frames, seed) + swings.astype("f")


def stream(start=100) -> StreamMean:
    return StreamMean(INIT, start=start, **SETTINGS)


@pytest.mark.parametrize("start", [0, 1, 100])
def test_speech_from_the_beginning_has_the_running_mean(start):
    frames = speech(500)
    expected = RunningMean(INIT, start=start, **SETTINGS)
    mean = stream(start)
    np.testing.assert_array_equal(mean(frames), expected(frames))


@pytest.mark.parametrize("frames", [0, 1, 60])
def test_less_than_the_start_comes_at_the_end(frames):
    mean, expected = stream(), RunningMean(INIT, start=100, **SETTINGS)
    assert mean(speech(frames)).shape == (0, 3)
    expected(speech(frames))
    np.testing.assert_array_equal(mean.finish(), expected.finish())


@pytest.mark.parametrize("start", [0, 30, 100, 150])
def test_no_frame_is_lost_or_given_twice(start):
    mean = stream(start)
    frames = np.concatenate([noise(-12, 170), speech(40), noise(-12, 200), speech(250, 1)])
    rows = []
    for frame in frames:
        rows.append(mean(frame[None]))
        mean.pause()  # too early at a start
    assert sum(map(len, rows)) + len(mean.finish()) == len(frames)


def test_pieces_change_nothing():
    frames = np.concatenate([noise(-12, 130), speech(200), noise(-12, 400), speech(150, 1)])

    def of(*cuts):
        mean, rows = stream(), []
        for begin, end in itertools.pairwise([0, *cuts, len(frames)]):
            rows.append(mean(frames[begin:end]))
            if end == 400:
                mean.pause()
        return np.concatenate([*rows, mean.finish()])

    whole = of(400)
    assert len(whole) == len(frames)
    np.testing.assert_array_equal(of(*range(10, 880, 10)), whole)


def test_a_long_pause_leaves_the_mean_of_speech():
    mean = stream()
    mean(speech(400))
    mean(noise(-12, 80))
    mean.pause()
    pause = noise(-12, 3000)  # ten times the window
    shown = mean(pause)
    held = pause[0] - shown[0]
    np.testing.assert_allclose(pause - shown, np.tile(held, (3000, 1)), atol=1e-5)
    assert held.mean() > -8  # that of speech and a short pause
    after = speech(200, 1)
    changed = after - mean(after)
    assert (changed[60] != held).any()  # it goes on with the speech
    assert abs(changed - held).max() < 1.5


def test_noise_at_the_beginning_is_no_speech():
    mean, quiet = stream(), noise(-12, 900)
    np.testing.assert_allclose(mean(quiet), quiet - INIT, atol=1e-5)
    spoken = speech(300)
    rows = mean(spoken)
    assert len(rows) == 300  # after the start of a new mean, which waited for 100 frames
    expected = RunningMean(INIT, start=100, **SETTINGS)
    late = np.flatnonzero(~np.isclose(rows, spoken - INIT).all(axis=1))[0]  # the first of them
    assert late < 20
    np.testing.assert_allclose(rows[late:], expected(spoken[late:]), atol=1e-5)


def test_silence_then_another_noise_then_speech():
    mean = stream()
    mean(np.full((150, 3), -15.9, "f"))  # digital silence
    hum = noise(-7, 400)  # and the microphone is on
    np.testing.assert_allclose(mean(hum)[-200:], hum[-200:] - INIT, atol=1e-5)
    rows = mean(speech(300) + 4)
    assert abs(rows[150:].mean()) < 1  # the mean is that of this speech


def test_quieter_speech_after_a_pause_is_heard():
    mean = stream()
    mean(speech(400))
    mean(noise(-20, 80))
    mean.pause()
    mean(noise(-20, 500))
    rows = mean(speech(600) - 8)  # another speaker, far away
    assert rows[:50].mean() < -2
    assert abs(rows[-100:].mean()) < 1.5


def test_a_phone_ends_a_pause_that_no_level_does():
    mean = stream()
    mean(speech(400))
    mean.pause()
    same = noise(-9, 50)
    before = same - mean(same)
    mean.speech()
    after = same - mean(same)
    assert np.ptp(before, axis=0).max() < 1e-5 < np.ptp(after, axis=0).max()
