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
    features: np.ndarray, init: np.ndarray, window: int = 600, global_frames: int = 200
) -> np.ndarray:
    """Subtract the running mean, as Kaldi's ``online-cmvn`` does (means only).

    Frame t loses the mean of the last ``window`` frames up to and including t. While there
    are fewer, ``init`` counts as the missing ones, but as ``global_frames`` frames at most.
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
    return (features - mean).astype(np.float32)


class RunningMean:
    """`online_cmn` of speech that comes in pieces, with the same result to the last digit.

    >>> mean = RunningMean(init=np.array([10.0]), window=2, global_frames=1)
    >>> [mean(np.array([[x]], np.float32)).item() for x in (1.0, 2.0, 4.0)]
    [-4.5, 0.5, 1.0]
    """

    def __init__(self, init: np.ndarray, window: int, global_frames: int):
        self._init, self._window, self._global = init, window, global_frames
        self._total = np.zeros(len(init))  # of all frames
        self._totals: deque[np.ndarray] = deque(maxlen=window)  # after each of the last frames

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Subtract the mean from the next frames (T, C), float32, and return them."""
        rows = np.empty_like(features)
        for frame, row in zip(features, rows, strict=True):
            self._total = self._total + frame
            full = len(self._totals) == self._window
            count = self._window if full else len(self._totals) + 1
            total = self._total - self._totals[0] if full else self._total
            borrowed = min(self._window - count, self._global)
            self._totals.append(self._total)
            row[:] = frame - (total + borrowed * self._init) / (count + borrowed)
        return rows


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
