"""Random changes of training features: some before mean normalisation, masks after it.

They are made of (T, C) matrices in NumPy, because each utterance has a random state of its
own: a resumed training and one with other languages see the same speech. The interpolation is
compiled by Numba: on 40 s of speech NumPy takes more than twice as long for the same bytes.
"""

import dataclasses

import numba
import numpy as np

from cascade.config.systems import Augment


def scaled(settings: Augment, strength: float) -> Augment:
    """Return the same changes, ``strength`` (0 to 1) times as large.

    >>> scaled(Augment(stretch=0.2, time_width=10), 0.5).time_width
    5
    """
    return dataclasses.replace(
        settings,
        stretch=strength * settings.stretch,
        warp=strength * settings.warp,
        channel=strength * settings.channel,
        time_width=round(strength * settings.time_width),
        filter_width=round(strength * settings.filter_width),
    )


def another_recording(
    features: np.ndarray,
    settings: Augment,
    random: np.random.Generator,
    least: int,
    tempo: np.random.Generator | None = None,
) -> np.ndarray:
    """Return (T', C) log-mel features as of another speaker, speed and channel, from (T, C).

    - Time is stretched by a factor of 1 +- ``stretch`` (tempo perturbation: pitch stays), never to
      fewer than ``least`` frames, or than T if T is less.
    - All filters move by up to ``warp``: a shift, simpler than VTLN's warping function. The
      length of the vocal tract moves formants on the mel axis by about the same everywhere above
      some 700 Hz.
    - A curve of a level, a slope and a bend is added to all frames, each with a standard
      deviation of ``channel`` nats.

    Values between frames and filters are interpolated linearly. ``tempo`` draws the stretch
    in place of ``random``: two copies with the same ``tempo`` have the same length.
    """
    frames, filters = features.shape
    factor = 1 + settings.stretch * (tempo or random).uniform(-1, 1)
    shift = settings.warp * random.uniform(-1, 1)
    length = max(min(frames, least), round(frames * factor))
    times = np.linspace(0, frames - 1, length)
    places = np.clip(np.arange(filters) + shift, 0, filters - 1)
    curve = np.zeros(filters)
    if settings.channel:
        angle = np.pi * (np.arange(filters) + 0.5) / filters
        curve = settings.channel * sum(
            random.normal() * np.cos(order * angle) for order in range(3)
        )
    recording: np.ndarray = _interpolated(features, times, places, curve)
    return recording


def mask(features: np.ndarray, settings: Augment, stack: int, random: np.random.Generator) -> None:
    """Mask normalised (T, C) features in place (SpecAugment, arXiv:1904.08779).

    A masked value becomes 0, which is the mean. Widths in time are in frames of ``stack``;
    a time mask covers a quarter of the utterance at most.
    """
    frames, filters = features.shape
    for _ in range(settings.time_masks):
        width = min(int(random.integers(settings.time_width + 1)) * stack, frames // 4)
        start = int(random.integers(frames - width + 1))
        features[start : start + width] = 0
    for _ in range(settings.filter_masks):
        width = min(int(random.integers(settings.filter_width + 1)), filters)
        start = int(random.integers(filters - width + 1))
        features[:, start : start + width] = 0


@numba.njit(cache=True)
def _interpolated(
    features: np.ndarray, times: np.ndarray, places: np.ndarray, curve: np.ndarray
) -> np.ndarray:
    """Return ``features`` (T, C) at frames (T',) and filters (C,), both fractional, plus ``curve``.

    Every product and sum is rounded to float32, but that with the curve, which is in float64.
    """
    filters = features.shape[1]
    result = np.empty((len(times), filters), np.float32)
    row = np.empty(filters, np.float32)
    low, high, of_low, of_high = _neighbours(times, len(features))
    left, right, of_left, of_right = _neighbours(places, filters)
    for t in range(len(times)):
        one, other = features[low[t]], features[high[t]]
        for c in range(filters):
            row[c] = one[c] * of_low[t] + other[c] * of_high[t]
        for c in range(filters):
            value = row[left[c]] * of_left[c] + row[right[c]] * of_right[c]
            result[t, c] = np.float64(value) + curve[c]
    return result


@numba.njit(cache=True)
def _neighbours(
    positions: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the two rows of ``count`` beside each position, and the share of each: (M,) all."""
    low = np.minimum(positions.astype(np.int64), max(count - 2, 0))
    high = np.minimum(low + 1, count - 1)
    share = (positions - low).astype(np.float32)
    # Numba need not look for negative numbers, as it would in signed ones.
    return low.astype(np.uint32), high.astype(np.uint32), np.float32(1) - share, share
