"""Cepstral mean normalisation (here of log-mel features), and the cms-init vector.

Lhotse has no running mean, so Kaldi's is computed here.
"""

import json
from collections import deque
from pathlib import Path

import numpy as np

from cascade.runtime.errors import UserError
from cascade.runtime.files import write_text


def online_cmn(
    features: np.ndarray,
    init: np.ndarray,
    window: int = 600,
    global_frames: int = 200,
    start: int = 0,
) -> np.ndarray:
    """Subtract the running mean, as Kaldi's ``online-cmvn`` does (means only).

    Frame t loses the mean of the last ``window`` frames up to and including t. While there
    are fewer, ``init`` counts as the missing ones, but as ``global_frames`` frames at most.
    The first ``start`` frames lose the mean that the last of them has.
    ``features`` and the result are (T, C) float32, ``init`` is (C,).
    Source: Kaldi, feat/online-feature.h, OnlineCmvnOptions.

    >>> rows = np.array([[1.0], [2.0], [4.0]], np.float32)
    >>> online_cmn(rows, init=np.array([10.0]), window=2, global_frames=1).tolist()
    [[-4.5], [0.5], [1.0]]
    """
    frames = len(features)
    total = np.cumsum(features, axis=0, dtype=np.float64)  # (T, C)
    total[window:] -= total[:-window].copy()
    count = np.minimum(np.arange(1, frames + 1), window)
    borrowed = np.minimum(window - count, global_frames)  # so many frames of cms-init
    mean = (total + borrowed[:, None] * init) / (count + borrowed)[:, None]  # (T, C)
    if start and frames:
        mean[:start] = mean[min(start, frames) - 1]
    return (features - mean).astype(np.float32)


class RunningMean:
    """`online_cmn` of speech that comes in pieces, with the same result to the last digit.

    ``mean`` (C,) is the mean at the last frame.

    >>> mean = RunningMean(init=np.array([10.0]), window=2, global_frames=1)
    >>> [mean(np.array([[x]], np.float32)).item() for x in (1.0, 2.0, 4.0)]
    [-4.5, 0.5, 1.0]
    """

    def __init__(self, init: np.ndarray, window: int, global_frames: int, start: int = 0):
        self._init, self._window, self._global = init, window, global_frames
        self._total = np.zeros(len(init))  # of all frames
        self._totals: deque[np.ndarray] = deque(maxlen=window)  # after each of the last frames
        self.mean = init
        self._missing = start  # frames until the first ones can go on
        self._waiting: list[np.ndarray] = []

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Take the next frames (T, C); return those (T', C) float32 whose mean is known now."""
        rows = [row for frame in features for row in self._next(frame)]
        return np.array(rows, np.float32).reshape(-1, len(self._init))

    def finish(self) -> np.ndarray:
        """Return the frames (T, C) that still wait, when no more come."""
        waiting = np.array(self._waiting, np.float32).reshape(-1, len(self._init))
        self._waiting.clear()
        return (waiting - self.mean).astype(np.float32) if len(waiting) else waiting

    def _next(self, frame: np.ndarray) -> list[np.ndarray]:
        self._total = self._total + frame
        full = len(self._totals) == self._window
        count = self._window if full else len(self._totals) + 1
        total = self._total - self._totals[0] if full else self._total
        borrowed = min(self._window - count, self._global)
        self._totals.append(self._total)
        self.mean = (total + borrowed * self._init) / (count + borrowed)
        self._missing -= 1
        frames = [*self._waiting, frame]
        if self._missing > 0:
            self._waiting = frames
            return []
        self._waiting = []
        return [one - self.mean for one in frames]


def utterance_cmn(features: np.ndarray) -> np.ndarray:
    """Subtract the mean of the complete utterance: (T, C) -> (T, C) float32."""
    return (features - features.mean(axis=0, dtype=np.float64)).astype(np.float32)


def write_cms_init(path: Path, mean: np.ndarray) -> None:
    """Write the vector (C,) as JSON with three decimals, ten values a line.

    ::

        [
          -8.761, -6.514, -5.397, -5.086, -4.748, -4.397, -4.386, -4.429, -4.379, -4.823,
          -5.245, -5.870
        ]
    """
    values = [f"{value:.3f}" for value in mean]
    lines = [", ".join(values[i : i + 10]) for i in range(0, len(values), 10)]
    write_text(path, "[\n  " + ",\n  ".join(lines) + "\n]\n")


def read_cms_init(path: Path) -> np.ndarray:
    """Read what `write_cms_init` wrote: (C,) float64. Raises `UserError` for another file."""
    try:
        return np.array(json.loads(path.read_text(encoding="utf-8")), dtype=np.float64)
    except (OSError, ValueError) as error:
        raise UserError(f"{path} is not a cms-init vector ({error}). Run stage 2 again.") from None
