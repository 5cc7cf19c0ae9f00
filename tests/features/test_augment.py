import dataclasses

import numpy as np
import pytest

from cascade.config.systems import Augment
from cascade.features.augment import another_recording, mask, scaled

NONE = Augment(stretch=0, warp=0, channel=0, time_masks=0, filter_masks=0)


class Fixed:
    """A generator whose draws are given: to see what a known draw does."""

    def __init__(self, *draws):
        self.draws = list(draws)

    def uniform(self, low, high):
        return self.draws.pop(0)


def ramp(frames, filters=4):
    """Features (frames, filters) that say where each value was: time + filter / 100."""
    return (np.arange(frames)[:, None] + np.arange(filters) / 100).astype(np.float32)


def test_nothing_asked_nothing_changed():
    features = ramp(30)
    changed = another_recording(features, NONE, np.random.default_rng(0), 0)
    np.testing.assert_array_equal(changed, features)
    mask(changed, NONE, 3, np.random.default_rng(0))
    np.testing.assert_array_equal(changed, ramp(30))


@pytest.mark.parametrize(("draw", "frames"), [(1, 24), (-1, 16), (0, 20), (0.5, 22)])
def test_stretch_by_a_known_factor(draw, frames):
    settings = dataclasses.replace(NONE, stretch=0.2)
    changed = another_recording(ramp(20), settings, Fixed(draw, 0), 0)
    assert changed.shape == (frames, 4) and changed.dtype == np.float32
    np.testing.assert_allclose(changed[:, 0], np.linspace(0, 19, frames), atol=1e-5)
    np.testing.assert_allclose(changed[:, 3] - changed[:, 0], 0.03, atol=1e-5)


def test_warp_by_a_known_shift():
    filters = np.array([[0.0, 10, 20, 30, 40]], dtype=np.float32)
    settings = dataclasses.replace(NONE, warp=2.0)
    up = another_recording(filters, settings, Fixed(0, 0.75), 0)  # one filter and a half
    np.testing.assert_allclose(up, [[15, 25, 35, 40, 40]])  # the top has no more to show
    down = another_recording(filters, settings, Fixed(0, -0.5), 0)
    np.testing.assert_allclose(down, [[0, 0, 10, 20, 30]])


def interpolated(rows, positions):
    """Values of (N, C) at fractional rows (M,): (M, C) float32, each step of NumPy rounded."""
    low = np.minimum(positions.astype(int), max(len(rows) - 2, 0))
    share = (positions - low)[:, None].astype(np.float32)
    return rows[low] * (1 - share) + rows[np.minimum(low + 1, len(rows) - 1)] * share


@pytest.mark.parametrize("frames", [1, 2, 301])
def test_compiled_as_numpy_computes_it(frames):
    features = np.random.default_rng(0).normal(size=(frames, 40)).astype(np.float32)
    settings = dataclasses.replace(NONE, stretch=0.3, warp=2.0, channel=1.0)
    for seed in range(20):
        changed = another_recording(features, settings, np.random.default_rng(seed), 0)
        random = np.random.default_rng(seed)
        random.uniform()
        shift = 2.0 * random.uniform(-1, 1)
        expected = interpolated(features, np.linspace(0, frames - 1, len(changed)))
        expected = interpolated(expected.T, np.clip(np.arange(40) + shift, 0, 39)).T
        angle = np.pi * (np.arange(40) + 0.5) / 40
        curve = 1.0 * sum(random.normal() * np.cos(order * angle) for order in range(3))
        np.testing.assert_array_equal(changed, (expected + curve).astype(np.float32))


def test_a_channel_is_one_smooth_curve_for_all_frames():
    features = np.random.default_rng(0).normal(size=(30, 40)).astype(np.float32)
    settings = dataclasses.replace(NONE, channel=1.0)
    added = another_recording(features, settings, np.random.default_rng(1), 0) - features
    np.testing.assert_allclose(added, np.broadcast_to(added[0], added.shape), atol=1e-5)
    assert np.abs(np.diff(added[0])).max() < 0.5 < np.ptp(added[0])
    curves = np.array(
        [
            (another_recording(features, settings, np.random.default_rng(seed), 0) - features)[0]
            for seed in range(300)
        ]
    )  # (300, C)
    place = np.pi * (np.arange(40) + 0.5) / 40
    shapes = np.stack([np.cos(order * place) for order in range(4)])  # (4, C), orthogonal
    sizes = (curves @ shapes.T / (shapes**2).sum(axis=1)).std(axis=0)
    assert ((sizes[:3] > 0.85) & (sizes[:3] < 1.15)).all()  # nats: level, slope and bend
    assert sizes[3] < 1e-5  # and nothing else


@pytest.mark.parametrize(
    ("frames", "least", "length"),
    [(20, 0, 10), (20, 15, 15), (20, 20, 20), (20, 25, 20), (1, 1, 1)],
)
def test_never_shorter_than_least(frames, least, length):
    settings = dataclasses.replace(NONE, stretch=0.5)
    assert len(another_recording(ramp(frames), settings, Fixed(-1, 0), least)) == length


def test_stretch_and_warp_leave_values_within_their_range():
    random = np.random.default_rng(3)
    features = random.normal(size=(50, 8)).astype(np.float32)
    lengths = set()
    for _ in range(50):
        changed = another_recording(features, Augment(stretch=0.4, warp=3.0, channel=0), random, 0)
        assert features.min() - 1e-5 <= changed.min() <= changed.max() <= features.max() + 1e-5
        assert changed.shape != features.shape or np.abs(changed - features).max() > 0.01
        lengths.add(len(changed))
    assert 30 <= min(lengths) < 35 and 65 < max(lengths) <= 70 and len(lengths) > 20


def test_masks_are_bands_of_zeros_within_their_widths():
    settings = dataclasses.replace(NONE, time_masks=1, time_width=4)
    widths = set()
    for seed in range(100):
        features = np.ones((60, 6), dtype=np.float32)
        mask(features, settings, 3, np.random.default_rng(seed))
        rows = features.sum(axis=1)
        assert set(rows.tolist()) <= {0.0, 6.0}  # whole frames
        (hidden,) = np.nonzero(rows == 0)
        assert len(hidden) == 0 or len(hidden) == hidden[-1] - hidden[0] + 1
        widths.add(len(hidden))
    assert widths == {0, 3, 6, 9, 12}  # stacked frames of 3, and up to 4 of them


def test_filter_masks():
    settings = dataclasses.replace(NONE, filter_masks=1, filter_width=3)
    widths = set()
    for seed in range(60):
        features = np.ones((10, 6), dtype=np.float32)
        mask(features, settings, 3, np.random.default_rng(seed))
        columns = features.sum(axis=0)
        assert set(columns.tolist()) <= {0.0, 10.0}  # complete filters
        (hidden,) = np.nonzero(columns == 0)
        assert len(hidden) == 0 or len(hidden) == hidden[-1] - hidden[0] + 1
        widths.add(len(hidden))
    assert widths == {0, 1, 2, 3}


@pytest.mark.parametrize(("key", "axis"), [("time", 1), ("filter", 0)])
def test_as_many_masks_as_asked(key, axis):
    settings = dataclasses.replace(NONE, **{f"{key}_masks": 3, f"{key}_width": 2})
    gaps = []
    for seed in range(60):
        features = np.ones((60, 60), dtype=np.float32)
        mask(features, settings, 1, np.random.default_rng(seed))
        edges = np.diff(features.mean(axis=axis))
        gaps.append(int((edges < 0).sum()))
    assert max(gaps) == 3  # fewer where masks have no width, meet or are at an edge
    assert np.mean(gaps) > 1.5


def test_a_time_mask_hides_a_quarter_at_most():
    settings = dataclasses.replace(NONE, time_masks=1, time_width=100)
    hidden = []
    for seed in range(40):
        features = np.ones((21, 2), dtype=np.float32)
        mask(features, settings, 3, np.random.default_rng(seed))
        hidden.append(int((features[:, 0] == 0).sum()))
    assert max(hidden) == 5


def test_a_filter_mask_wider_than_the_features_hides_all_of_them():
    settings = dataclasses.replace(NONE, filter_masks=1, filter_width=27)  # as for 80 filters
    widths = []
    for seed in range(40):
        features = np.ones((9, 8), dtype=np.float32)
        mask(features, settings, 3, np.random.default_rng(seed))
        widths.append(int((features.sum(axis=0) == 0).sum()))
    assert widths.count(8) > 20 > len(set(widths) - {8}) > 1


def test_strength_scales_every_change():
    settings = Augment(0.2, 3.0, 1.0, 2, 10, 1, 8, 0.5)
    assert scaled(settings, 1) == settings
    assert scaled(settings, 0.5) == Augment(0.1, 1.5, 0.5, 2, 5, 1, 4, 0.5)
    nothing = scaled(settings, 0)
    features = np.random.default_rng(0).normal(size=(30, 8)).astype(np.float32)
    changed = another_recording(features, nothing, np.random.default_rng(1), 0)
    mask(changed, nothing, 3, np.random.default_rng(2))
    np.testing.assert_array_equal(changed, features)


def test_the_seed_decides_all():
    features = np.random.default_rng(0).normal(size=(90, 40)).astype(np.float32)

    def once(seed):
        random = np.random.default_rng(seed)
        changed = another_recording(features, Augment(), random, 0)
        mask(changed, Augment(), 3, random)
        return changed.tobytes()

    assert once(1) == once(1)
    assert len({once(seed) for seed in range(10)}) == 10
