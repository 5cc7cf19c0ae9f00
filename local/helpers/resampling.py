"""Recordings of any format, rate and number of channels as mono wav files of one rate.

SciPy resamples here, soxr in `cascade.corpora.audio`. Neither can replace the other: these wavs,
and the features of users' recordings (Common Voice is 48 kHz), would no longer be the same. From
22.05 kHz to 16 kHz the two differ by up to 4.5 % of full scale: SciPy's filter begins to fall below
8 kHz and lets through some of what is above. soxr has no such leak, and is two to seven times as
fast.
"""

import hashlib
import io
import logging
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import resample_poly

from local.helpers import cached_folder, threads

log = logging.getLogger("cascade")

VERSION = 1  # raise it with any change of the samples


def folder(files: Mapping[str, Path], final: Path, source: str, rate: int, jobs: int) -> Path:
    """Return ``final``, a folder with ``NAME.wav`` at ``rate`` Hz for each of ``files``.

    ``source`` says what the files are; another one makes the folder again. Raises `UserError`
    for a file that libsndfile cannot read.
    """

    def fill(partial: Path) -> None:
        log.info("Writing %d recordings at %d Hz into %s", len(files), rate, final)

        def one(name: str) -> None:
            save(partial / f"{name}.wav", _read(files[name], rate), rate)

        threads.for_each(one, list(files), jobs, final.name)

    description = f"resampling {VERSION}\nrate {rate}\nfiles {len(files)}\n{source}"
    return cached_folder.provide(final, description, fill)


def save(target: Path, samples: np.ndarray, rate: int) -> None:
    """Write int16 samples (N,) as a wav file; raises `OSError`, also where the disk is full."""
    wav = io.BytesIO()  # libsndfile itself does not say what is wrong with a file
    soundfile.write(wav, samples, rate, format="WAV", subtype="PCM_16")
    target.write_bytes(wav.getvalue())


def mono(samples: np.ndarray, source: int, rate: int) -> np.ndarray:
    """Mix and resample floats of +-1, (N, C) at ``source`` Hz, to int16 (M,) at ``rate`` Hz."""
    mixed = resampled(samples.mean(axis=1), source, rate)  # (N, C) -> (N,) -> (M,)
    return np.clip(np.rint(mixed * 32768), -32768, 32767).astype(np.int16)


def resampled(samples: np.ndarray, source: int, rate: int) -> np.ndarray:
    """Samples (N,) at ``source`` Hz as (M,) at ``rate`` Hz."""
    if source == rate:
        return samples
    common = math.gcd(source, rate)
    return resample_poly(samples, rate // common, source // common)


def dithered(samples: np.ndarray, name: str, source: int, rate: int) -> np.ndarray:
    """Resample, dither and round: floats of +-1, (N,) at ``source`` Hz, to int16 (M,).

    The dither is one or two steps, seeded by ``name``. Up to a third of a synthesised signal
    is exact zeros, which no microphone gives and which have no logarithm.
    """
    samples = resampled(samples, source, rate)  # (N,) -> (M,)
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
    # A bit generator's raw stream is the one that NumPy promises never to change.
    raw = np.random.PCG64(seed).random_raw(len(samples)) >> np.uint64(62)  # (M,), 0 to 3
    dither = np.array([-2, -1, 1, 2])[raw.astype(np.intp)]
    return np.clip(np.rint(samples * 32768) + dither, -32768, 32767).astype(np.int16)


def _read(path: Path, rate: int) -> np.ndarray:
    try:
        samples, source = soundfile.read(path, dtype="float64", always_2d=True)  # (N, C)
    except (soundfile.SoundFileError, OSError) as error:
        raise cached_folder.damaged(path, f" cannot be read ({error})") from None
    return mono(samples, source, rate)
