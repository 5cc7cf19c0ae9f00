"""The features of an utterance: log-mel energies, or what its corpus has ready.

What this module imports is all that decides the values: it is kept small, since a change of
any of it makes features anew.
"""

import functools
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lhotse import Fbank, FbankConfig

from cascade.corpora import audio
from cascade.corpora.kaldi_archives import read_features
from cascade.runtime.errors import UserError

VERSION = 2  # raised with any change of the features that come out
PACKAGES = ("av", "lhotse", "soundfile", "soxr", "torch")  # that have a part in them


class Filterbank:
    """Computes matrices (T, C) float32: T frames of 10 ms, C ``filters``; ``rate`` is in Hz.

    Source: Kaldi's compute-fbank-feats, as Lhotse has it.
    """

    def __init__(self, rate: int, filters: int):
        self.rate = rate
        self._extractor = Fbank(FbankConfig(sampling_rate=rate, num_filters=filters))
        # Lhotse squares the root of what it needs: a third of the time of the whole.
        self._extractor.extractor._to_spec = _power

    def features(self, row: Mapping[str, Any]) -> np.ndarray:
        """Those of an utterance, a row of the list that stage 0 leaves (see `manifests`).

        Features that a corpus has ready are of whatever size they are. Raises `UserError`
        where the file is not the one that stage 0 checked, and for values that are no
        numbers.
        """
        path = Path(row["audio"])
        if _sha256(path) != row["sha256"]:
            raise UserError(f"{path} has changed since stage 0 checked it. Run stage 0 again.")
        if "features" in row:
            found = read_features(row["features"])
        else:
            samples = audio.read(path, self.rate, row["start"], row["duration"], row["channel"])
            found = self._extractor.extract(samples, self.rate)
        if not np.isfinite(found).all():
            raise UserError(f"Utterance '{row['id']}' ({path}) gives features that are no numbers.")
        return np.ascontiguousarray(found, dtype=np.float32)


def _power(spectra: torch.Tensor) -> torch.Tensor:
    """The power spectra of complex ones, of the same size."""
    return spectra.real.square() + spectra.imag.square()


@functools.lru_cache(maxsize=4)  # parts of one file come one after the other
def _sha256(path: Path) -> str:
    """The file's digest; "" where there is none."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError:
        return ""
