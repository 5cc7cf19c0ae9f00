"""Models of how phones sound, frame by frame: three states a phone, Gaussian mixtures.

A network trained with CTC says which phones there are and in which order, but shows each in a
step or two near its end. Hidden Markov models have to explain every frame, and so find where a
phone begins (Rabiner 1989, doi:10.1109/5.18626). They are those of a monophone system in Kaldi:
13 cepstra with their first and second differences, diagonal covariances. Silence is phone 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cascade.runtime.errors import UserError

STATES = 3  # of each phone
CEPSTRA = 13
SIZE = 3 * CEPSTRA  # of a feature vector
SILENCE = 0  # the number of the blank, which no phone has
UNSEEN = -1e4  # the log-likelihood of a state without Gaussians


@dataclass(frozen=True)
class PhoneModels:
    """Gaussians of the states of phones; state k of phone p has the number 3 p + k.

    Attributes:
        states: (G,) The state that each Gaussian belongs to, ascending.
        weights: (G,) Logarithms of the weights in a state.
        means: (G, F).
        variances: (G, F).
    """

    states: np.ndarray
    weights: np.ndarray
    means: np.ndarray
    variances: np.ndarray

    def log_likelihoods(self, features: np.ndarray, states: Sequence[int]) -> np.ndarray:
        """Return the log-likelihoods (T, S) of features (T, F) in each of S ``states``."""
        wanted, place = np.unique(states, return_inverse=True)
        chosen = np.flatnonzero(np.isin(self.states, wanted))
        table = np.full((len(features), len(wanted)), UNSEEN, np.float32)
        if len(chosen):
            seen, first = np.unique(self.states[chosen], return_index=True)
            each = self._gaussians(features, chosen)  # (T, G)
            top = np.maximum.reduceat(each, first, axis=1)
            counts = np.diff([*first, len(chosen)])
            shares = np.exp(each - np.repeat(top, counts, axis=1))
            sums = top + np.log(np.add.reduceat(shares, first, axis=1))
            table[:, np.searchsorted(wanted, seen)] = sums
        return table[:, place]

    def _gaussians(self, features: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        """Return the log-densities (T, G) of features (T, F), times the weights."""
        means, variances = self.means[chosen], self.variances[chosen]
        constant = self.weights[chosen] - 0.5 * (
            np.log(2 * np.pi * variances) + means**2 / variances
        ).sum(axis=1)
        squares = (-0.5 / variances).T
        result: np.ndarray = constant + features**2 @ squares + features @ (means / variances).T
        return result

    def write(self, path: Path) -> None:
        """Write the models as an array (G, 2 + 2 F) in NumPy's format."""
        columns = [self.states[:, None], self.weights[:, None], self.means, self.variances]
        with path.open("wb") as stream:
            np.save(stream, np.concatenate(columns, axis=1).astype(np.float32))


def read_models(path: Path, phones: int) -> PhoneModels:
    """Read what `PhoneModels.write` wrote, for a table of ``phones`` phones.

    Raises `UserError` for a file that is not that.
    """
    try:
        table = np.load(path, allow_pickle=False)
        good = table.dtype == np.float32 and table.shape[1:] == (2 + 2 * SIZE,) and len(table)
    except (OSError, ValueError, EOFError):
        good = False
    if good:
        states, variances = table[:, 0], table[:, 2 + SIZE :]
        inside = (states >= 0).all() and (states < STATES * phones).all()
        rising = (np.diff(states) >= 0).all() and (states == np.floor(states)).all()
        good = np.isfinite(table).all() and inside and rising and (variances > 0).all()
    if not good:
        raise UserError(f"{path.name} does not hold models of {phones} phones.")
    return PhoneModels(
        states.astype(np.int64), table[:, 1], table[:, 2 : 2 + SIZE], variances.copy()
    )


def cepstra(energies: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Return the features (T, 39) of log-mel energies (T, C), from which ``mean`` (C,) is taken.

    >>> cepstra(np.zeros((5, 40)), np.zeros(40)).shape
    (5, 39)
    """
    filters = energies.shape[1]
    angles = np.pi * np.outer(np.arange(filters) + 0.5, np.arange(CEPSTRA)) / filters
    base = (energies - mean) @ (np.cos(angles) * np.sqrt(2 / filters))  # (T, C) -> (T, 13)
    first = _differences(base)
    return np.concatenate([base, first, _differences(first)], axis=1).astype(np.float32)


def _differences(values: np.ndarray) -> np.ndarray:
    """Return the slopes (T, F) of values (T, F) over five frames (Kaldi's add-deltas)."""
    padded = np.pad(values, ((2, 2), (0, 0)), "edge")
    near, far = padded[3:-1] - padded[1:-3], padded[4:] - padded[:-4]
    result: np.ndarray = (near + 2 * far) / 10
    return result
