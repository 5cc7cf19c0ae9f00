"""Random changes of training features: some before mean normalisation, masks after it.

They are made of (T, C) matrices in NumPy, because each utterance has a random state of its
own: a resumed training and one with other languages see the same speech.
"""

import dataclasses

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

    - Time is stretched by a factor of 1 +- ``stretch`` (speed perturbation), never to fewer
      than ``least`` frames, or than T if T is less.
    - All filters move by up to ``warp``. The length of the vocal tract moves formants on the
      mel axis by about the same everywhere above some 700 Hz.
    - A curve of a level, a slope and a bend is added to all frames, each with a standard
      deviation of ``channel`` nats.

    Values between frames and filters are interpolated linearly. ``tempo`` draws the stretch
    in place of ``random``: two copies with the same ``tempo`` have the same length.
    """
    frames, filters = features.shape
    factor = 1 + settings.stretch * (tempo or random).uniform(-1, 1)
    shift = settings.warp * random.uniform(-1, 1)
    length = max(min(frames, least), round(frames * factor))
    if length != frames:
        features = _interpolate(features, np.linspace(0, frames - 1, length))
    if shift:
        position = np.arange(filters) + shift
        rows = _interpolate(features.T, np.clip(position, 0, filters - 1))  # (C, T)
        features = rows.T  # (C, T) -> (T, C)
    if settings.channel:
        place = np.pi * (np.arange(filters) + 0.5) / filters
        features = features + settings.channel * sum(
            random.normal() * np.cos(order * place) for order in range(3)
        )
    return np.ascontiguousarray(features, dtype=np.float32)


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


def _interpolate(rows: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Return ``rows`` (N, C) at fractional ``positions`` (M,) of the first axis: (M, C)."""
    low = np.minimum(positions.astype(np.int64), max(len(rows) - 2, 0))
    high = np.minimum(low + 1, len(rows) - 1)
    weight = (positions - low)[:, None].astype(np.float32)
    return rows[low] * (1 - weight) + rows[high] * weight
