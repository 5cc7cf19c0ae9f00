"""Places of features: a matrix in an archive, or the recording to compute it from.

A place is the second word of a line of an scp. Three lines of two scps; the last one is of a
recipe with ``store_features: false``, and is one line in the file::

    ru_0011 data/feats/festvox_ru.27a8051e97163a16/1.ark:8
    ru_0012 data/feats/festvox_ru.27a8051e97163a16/1.ark:261008
    ru_0011 {"id":"ru_0011","audio":"data/festvox_ru/a.wav","start":0.0,"duration":16.31,
        "channel":0,"mean":-6.1202,"sum":"data/feats/festvox_ru.8c4b65c2a1f0d7e3/1.ark:8"}
"""

import functools
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import kaldiio
import numpy as np

from cascade.corpora import audio
from cascade.corpora.kaldi_archives import read_features
from cascade.runtime.errors import UserError

if TYPE_CHECKING:
    from cascade.features.filterbank import Filterbank

TOLERANCE = 0.001  # of the mean: another processor rounds sums in another way


def recording_place(utterance: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    """Return the place of features that are not stored, without white space.

    ``utterance`` is a row of the list that stage 0 writes (`cascade.data.manifests`), ``row`` that
    of the store: its ``at`` is the place of the sum of all frames.
    """
    place = {key: value for key, value in utterance.items() if key != "sha256"}
    place |= {"mean": row["mean"], "sum": row["at"]}
    return json.dumps(place, separators=(",", ":")).replace(" ", "\\u0020")


def sum_of_frames(place: str) -> np.ndarray:
    """Return the sum of all frames of an utterance: (C,) float64."""
    if recording := _recording(place):
        total: np.ndarray = kaldiio.load_mat(recording["sum"])
        return total
    matrix: np.ndarray = kaldiio.load_mat(place)  # (T, C)
    return matrix.sum(axis=0, dtype=np.float64)


def archive_of(place: str) -> str:
    """Return the archive that a place is in; without stored features that of the sum.

    >>> archive_of("data/feats/festvox_ru.27a8051e97163a16/1.ark:8")
    'data/feats/festvox_ru.27a8051e97163a16/1.ark'
    """
    recording = _recording(place)
    return (recording["sum"] if recording else place).rpartition(":")[0]


def will_read(places: Iterable[str]) -> None:
    """Ask the kernel to read all files of some places, in the order of the places."""
    files: dict[str, None] = {}  # a set with an order
    for place in places:
        recording = _recording(place)
        files[recording["audio"] if recording else archive_of(place)] = None
    for file in files if hasattr(os, "posix_fadvise") else ():
        try:
            with open(file, "rb") as stream:
                os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_WILLNEED)
        except OSError:
            continue  # who reads it says what is wrong


def _recording(place: str) -> dict[str, Any] | None:
    """Return what a place says of a recording; None for one of stored features."""
    return json.loads(place) if place.startswith("{") else None


class FeatureReader:
    """Reads the features of utterances by their places, or computes them.

    ``rate`` is in Hz, ``filters`` is how many values a frame has that is computed. Both ways give
    the same bytes on the same machine.
    """

    def __init__(self, rate: int, filters: int):
        self.rate = rate
        self.filters = filters

    def __call__(self, name: str, place: str) -> np.ndarray:
        """Return the features (T, C) float32 of the utterance ``name``.

        Raises `UserError` where they cannot be read, or the recording is not that of stage 2.
        """
        if recording := _recording(place):
            return self._computed(name, recording)
        try:
            matrix: np.ndarray = kaldiio.load_mat(place)
        except (OSError, ValueError, AssertionError) as error:
            raise UserError(
                f"The features of '{name}' at {place} cannot be read ({error}). Run stage 2 again."
            ) from None
        return matrix

    def _computed(self, name: str, recording: Mapping[str, Any]) -> np.ndarray:
        """As `Filterbank.features`, which digests the complete file: too slow for each segment."""
        if "features" in recording:
            features = read_features(recording["features"])
        else:
            path, start = Path(recording["audio"]), recording["start"]
            seconds, channel = recording["duration"], recording["channel"]
            try:
                samples = audio.read(path, self.rate, start, seconds, channel)
            except UserError as error:
                raise UserError(f"{error} Run stage 0 again.") from None
            features = self._bank.energies(samples)
        if not abs(features.mean(dtype=np.float64) - recording["mean"]) < TOLERANCE:
            raise UserError(
                f"{recording['audio']} has changed since stage 2 read the utterance '{name}'. Run"
                " stage 0 again."
            )
        return np.ascontiguousarray(features, dtype=np.float32)

    @functools.cached_property
    def _bank(self) -> "Filterbank":
        from cascade.features.filterbank import Filterbank  # heavy

        return Filterbank(self.rate, self.filters)
