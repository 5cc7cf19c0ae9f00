"""The features of an utterance: log-mel energies, or the features that its corpus has.

This module decides the values of the features. It imports little, because features are
computed again whenever it or a module that it imports changes.

Lhotse computes the spectra and the mel filters. Its `Fbank` would do the rest, too, but takes
the square of a square root (``abs() ** 2``) for the power, a third of its time.
"""

import functools
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lhotse.features.kaldi import Wav2FFT
from lhotse.features.kaldi.layers import get_mel_banks

from cascade.corpora import audio
from cascade.corpora.kaldi_archives import read_features
from cascade.features.mel import HIGH, LOW
from cascade.runtime.errors import UserError

VERSION = 2  # raised with any change of the values
PACKAGES = ("av", "lhotse", "soundfile", "soxr", "torch")  # those that decide the values


class Filterbank:
    """Computes log-mel energies (T, C) float32 of utterances.

    T frames of 10 ms, C ``filters``; ``rate`` is in Hz. Source: Kaldi's compute-fbank-feats
    without dither, with Lhotse's frames: centred, one for each 10 ms.
    """

    def __init__(self, rate: int, filters: int):
        self.rate = rate
        self.spectra = Wav2FFT(sampling_rate=rate, use_energy=False)
        mel, _ = get_mel_banks(filters, self.spectra.fft_length, rate, LOW, HIGH)  # (C, F - 1)
        self._mel = torch.nn.functional.pad(mel, (0, 1)).T  # (F, C)
        self._least = torch.tensor(torch.finfo(torch.float).eps)

    def energies(self, samples: np.ndarray) -> np.ndarray:
        """Log-mel energies (T, C) of samples (N,) float32.

        >>> Filterbank(16000, 40).energies(np.zeros(8000, np.float32)).shape
        (50, 40)
        """
        spectra = self.spectra(torch.from_numpy(samples)[None])[0]  # (N,) -> (T, F), complex
        power = spectra.real.square() + spectra.imag.square()
        return torch.max(power @ self._mel, self._least).log().numpy()  # (T, F) -> (T, C)

    def features(self, row: Mapping[str, Any]) -> np.ndarray:
        """Return the features (T, C) float32 of one utterance.

        ``row`` is a line of the list that stage 0 writes (`cascade.data.manifests`). Features
        of the corpus itself have any C. Raises `UserError` where the file is not the one
        that stage 0 checked, and for values that are not finite.
        """
        path = Path(row["audio"])
        if _sha256(path) != row["sha256"]:
            raise UserError(f"{path} has changed since stage 0 checked it. Run stage 0 again.")
        if "features" in row:
            features = read_features(row["features"])
        else:
            features = self.energies(
                audio.read(path, self.rate, row["start"], row["duration"], row["channel"])
            )
        if not np.isfinite(features).all():
            raise UserError(
                f"Utterance '{row['id']}' ({path}) has features that are not finite numbers."
                " Replace or remove the file, then run stage 0 again."
            )
        return np.ascontiguousarray(features, dtype=np.float32)


@functools.lru_cache(maxsize=4)  # utterances of one recording follow each other
def _sha256(path: Path) -> str:
    """The file's SHA-256; "" where there is no file."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError:
        return ""
