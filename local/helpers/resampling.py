"""Recordings of any format, rate and number of channels as mono wav files of one rate."""

import io
import logging
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import resample_poly

from cascade.runtime.errors import UserError
from local.helpers import debian, progress

log = logging.getLogger("cascade")

VERSION = 1  # raised with any change of the samples that come out


def folder(files: Mapping[str, Path], final: Path, source: str, rate: int, jobs: int) -> Path:
    """``final`` with ``NAME.wav`` at ``rate`` Hz for each of ``files``.

    Made beside and renamed where it is not complete; ``source`` says what it was made from.
    Raises as `write` does.
    """
    description = f"resampling {VERSION}\nrate {rate}\nfiles {len(files)}\n{source}"
    if debian.complete(final, description):
        return final
    log.info("Writing %d recordings at %d Hz into %s", len(files), rate, final)
    partial = debian.restarted(final)

    def one(name: str) -> None:
        write(files[name], partial / f"{name}.wav", rate)

    for _ in progress.mapped(one, list(files), jobs, final.name):
        pass
    debian.finish(partial, final, description)
    return final


def write(source: Path, target: Path, rate: int) -> None:
    """Writes ``source`` as 16-bit mono wav at ``rate`` Hz.

    Raises `UserError` for a file that libsndfile cannot read.
    """
    try:
        samples, found = soundfile.read(source, dtype="float64", always_2d=True)  # (N, C)
    except (soundfile.SoundFileError, OSError) as error:
        raise UserError(f"{source} cannot be read ({error}). Unpack it anew.") from None
    save(target, resampled(samples, found, rate), rate)


def save(target: Path, samples: np.ndarray, rate: int) -> None:
    """Writes 16-bit samples (N,) as wav; raises `OSError`, also where the disk is full."""
    wav = io.BytesIO()  # libsndfile itself does not say what is wrong with a file
    soundfile.write(wav, samples, rate, format="WAV", subtype="PCM_16")
    target.write_bytes(wav.getvalue())


def resampled(samples: np.ndarray, source: int, rate: int) -> np.ndarray:
    """Mixes and resamples: (N, C) floats of +-1 at ``source`` Hz to (M,) int16 at ``rate``."""
    mono = samples.mean(axis=1)  # (N, C) -> (N,)
    common = math.gcd(source, rate)
    if source != rate and len(mono):
        mono = resample_poly(mono, rate // common, source // common)  # (N,) -> (M,)
    return np.clip(np.rint(mono * 32768), -32768, 32767).astype(np.int16)
