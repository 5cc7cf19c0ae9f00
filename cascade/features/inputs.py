"""Features as the network takes them: smoothed, normalised, stacked. NumPy only, for bundles."""

import numpy as np

from cascade.config.sections import Features
from cascade.features.cmn import online_cmn, utterance_cmn


def normalised(features: np.ndarray, settings: Features, cms_init: np.ndarray) -> np.ndarray:
    """Return features (T, C) minus the mean that the recipe names, as a new array (T, C)."""
    if settings.cmn == "online":
        window, most = settings.cmn_window, settings.cmn_global
        return online_cmn(features, cms_init, window, most, settings.cmn_start)
    return utterance_cmn(features)


def stacked(features: np.ndarray, stack: int) -> np.ndarray:
    """Return features (T, C) as the network takes them: (T // stack, C * stack).

    >>> stacked(np.arange(10).reshape(5, 2), 2).tolist()
    [[0, 1, 2, 3], [4, 5, 6, 7]]
    """
    steps = len(features) // stack
    return features[: steps * stack].reshape(steps, -1)  # (T, C) -> (T // stack, C * stack)


def smoothed(features: np.ndarray, share: float) -> np.ndarray:
    """Return features (T, C), each moved by ``share`` towards the next frame and filter.

    >>> smoothed(np.array([[0.0, 4.0], [8.0, 4.0]]), 0.5).tolist()
    [[4.0, 4.0], [6.0, 4.0]]
    """
    for axis in (0, 1) if share else ():
        after = np.concatenate([features, features.take([-1], axis)], axis)
        features = features + share * np.diff(after, axis=axis)
    return features


def network_inputs(features: np.ndarray, settings: Features, cms_init: np.ndarray) -> np.ndarray:
    """Return features (T, C) as the network takes those to recognise: (T // stack, C * stack)."""
    features = normalised(smoothed(features, settings.smooth), settings, cms_init)
    return stacked(features, settings.stack)
