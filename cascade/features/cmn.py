"""Mean normalisation of features, running or by utterance, and the cms-init vector."""

import json
from pathlib import Path

import numpy as np

from cascade.runtime.errors import UserError
from cascade.runtime.files import write_text


def online_cmn(
    features: np.ndarray, init: np.ndarray, window: int = 600, global_frames: int = 200
) -> np.ndarray:
    """Subtracts the running mean, as Kaldi's ``online-cmvn`` does (means only).

    Frame t loses the mean of the last ``window`` frames up to and including t. While
    there are fewer, ``init`` stands in for the missing ones, at most ``global_frames``
    of them. ``features`` and the result are (T, C) float32, ``init`` is (C,).
    Source: Kaldi, feat/online-feature.h, OnlineCmvnOptions.
    """
    frames = len(features)
    total = np.cumsum(features, axis=0, dtype=np.float64)  # (T, C)
    total[window:] -= total[:-window].copy()
    count = np.minimum(np.arange(1, frames + 1), window)
    borrowed = np.minimum(window - count, global_frames)  # frames' worth of cms-init
    mean = (total + borrowed[:, None] * init) / (count + borrowed)[:, None]
    return (features - mean).astype(np.float32)


def utterance_cmn(features: np.ndarray) -> np.ndarray:
    """Subtracts the mean of the whole utterance: (T, C) to (T, C) float32."""
    return (features - features.mean(axis=0, dtype=np.float64)).astype(np.float32)


def write_cms_init(path: Path, mean: np.ndarray) -> None:
    """Writes the vector as JSON with three decimals, ten values a line."""
    values = [f"{value:.3f}" for value in mean]
    lines = [", ".join(values[i : i + 10]) for i in range(0, len(values), 10)]
    write_text(path, "[\n  " + ",\n  ".join(lines) + "\n]\n")


def read_cms_init(path: Path) -> np.ndarray:
    """Reads what `write_cms_init` wrote: (C,) float64."""
    try:
        return np.array(json.loads(path.read_text(encoding="utf-8")), dtype=np.float64)
    except (OSError, ValueError) as error:
        raise UserError(f"{path} is no cms-init vector ({error}). Run stage 2 again.") from None
