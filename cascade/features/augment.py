"""Random changes of training features, applied before mean normalisation and after it."""

import dataclasses

import numpy as np

from cascade.config.systems import Augment


def scaled(settings: Augment, strength: float) -> Augment:
    """The same changes, ``strength`` (0 to 1) times as large."""
    return dataclasses.replace(
        settings,
        stretch=strength * settings.stretch,
        warp=strength * settings.warp,
        channel=strength * settings.channel,
        time_width=round(strength * settings.time_width),
        filter_width=round(strength * settings.filter_width),
    )


def another_recording(
    features: np.ndarray, settings: Augment, random: np.random.Generator, least: int
) -> np.ndarray:
    """Another speaker at another speed through another channel, of (T, C) log-mel features.

    Time is stretched by a factor of 1 +- ``stretch``, as speed perturbation does; all
    filters move by up to ``warp``: on the mel axis a longer or shorter vocal tract moves
    formants by about as much everywhere (above some 700 Hz). A curve of a level, a slope
    and a bend, of ``channel`` nats each (standard deviation), is added to all frames. Never
    fewer than ``least`` frames. Linear interpolation.
    """
    frames, filters = features.shape
    factor = 1 + settings.stretch * random.uniform(-1, 1)
    shift = settings.warp * random.uniform(-1, 1)
    length = max(min(frames, least), round(frames * factor))
    if length != frames:
        features = _interpolate(features, np.linspace(0, frames - 1, length))
    if shift:
        position = np.arange(filters) + shift
        features = _interpolate(features.T, np.clip(position, 0, filters - 1)).T
    if settings.channel:
        place = np.pi * (np.arange(filters) + 0.5) / filters
        features = features + settings.channel * sum(
            random.normal() * np.cos(order * place) for order in range(3)
        )
    return np.ascontiguousarray(features, dtype=np.float32)


def mask(features: np.ndarray, settings: Augment, stack: int, random: np.random.Generator) -> None:
    """SpecAugment's masks (arXiv:1904.08779), in place, on normalised (T, C) features.

    A masked value becomes 0, the mean. Widths in time are in stacked frames.
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


def _interpolate(rows: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """``rows`` (N, C) at fractional ``positions`` (M,) along the first axis: (M, C)."""
    low = np.minimum(positions.astype(np.int64), len(rows) - 2) if len(rows) > 1 else 0 * positions
    low = np.asarray(low, dtype=np.int64)
    high = np.minimum(low + 1, len(rows) - 1)
    weight = (positions - low)[:, None].astype(np.float32)
    return rows[low] * (1 - weight) + rows[high] * weight
