"""The words of recordings, by whatever recognises them: a system of an experiment, or a bundle.

This module needs no torch.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from cascade.config.sections import FRAMES_PER_SECOND, Features, Language, Limits
from cascade.corpora import audio
from cascade.decoding.decoder import Decoded, Decoder
from cascade.decoding.word_times import path_phones
from cascade.runtime.errors import UserError

log = logging.getLogger("cascade")


Heard = tuple[np.ndarray, list[str]]  # features (T, C) of a part, and the phones of its words


@dataclass(frozen=True)
class Recogniser:
    """What recognises speech.

    Attributes:
        energies: Features (T, C) of samples (N,).
        log_probs: Log-probabilities (steps, phones) of features (T, C).
        decoder: Phones and words of log-probabilities.
        adapt: Lets the network train on what was recognised; None where it cannot train.
    """

    energies: Callable[[np.ndarray], np.ndarray]
    log_probs: Callable[[np.ndarray], np.ndarray]
    decoder: Decoder
    adapt: Callable[[Sequence[Heard]], None] | None = None


class Model(Protocol):
    """A recogniser that is not loaded yet, and what it takes."""

    @property
    def features(self) -> Features: ...

    @property
    def limits(self) -> Limits: ...

    def load(self) -> Recogniser:
        """Return the recogniser. Raises `UserError` where it cannot be loaded."""


class Span(NamedTuple):
    """A recording or a part of it, in seconds; a ``channel`` of None is the mean of all."""

    path: Path
    start: float
    seconds: float
    channel: int | None


class TextModel(Model, Protocol):
    """A model that knows how a text becomes words of its language."""

    @property
    def language(self) -> str:
        """The code of the language that it recognises."""

    @property
    def rule(self) -> Language:
        """What decides which words a text has."""

    @property
    def training(self) -> Sequence[Path]:
        """The Lhotse cuts that it was trained on, or that chose it; none where nobody knows."""


@dataclass(frozen=True)
class Part:
    """A part of a recording: where it begins and ends in seconds, and what was recognised."""

    begin: float
    end: float
    decoded: Decoded


@dataclass(frozen=True)
class Recording:
    """A recording that was recognised.

    Attributes:
        seconds: Its length.
        parts: The parts in which it was searched, in order.
        table: The words of its hypotheses by number.
    """

    seconds: float
    parts: list[Part]
    table: Sequence[str]

    @property
    def words(self) -> list[str]:
        return [word for part in self.parts for word in part.decoded.words]

    @property
    def phones(self) -> list[str]:
        """The phones of the search with the phone n-gram."""
        return [phone for part in self.parts for phone in part.decoded.phones_ngram]

    @property
    def timed(self) -> list[tuple[str, float, float, float]]:
        """Each word with its start and duration in seconds, and its confidence."""
        return [
            (word, part.begin + start, seconds, confidence)
            for part in self.parts
            for word, start, seconds, confidence in part.decoded.timed
        ]


def transcribe(
    model: Model, paths: Sequence[Path], channel: int | None = None, adapt: bool = False
) -> Iterator[Recording]:
    """Yield each recording recognised, in the order of ``paths``; see `recognise`.

    ``channel`` counts from 0; None is the mean of all. Raises `UserError`, before decoding
    anything, for recordings that cannot be used.
    """
    durations = _durations(paths, shortest(model), channel)
    spans = [Span(p, 0.0, s, channel) for p, s in zip(paths, durations, strict=True)]
    yield from recognise(model, spans, adapt)


def shortest(model: Model) -> float:
    """Return the seconds of the shortest speech that ``model`` takes: one step of the network."""
    step = (model.features.stack + 1) / FRAMES_PER_SECOND
    return max(model.limits.min_seconds, step)


def recognise(model: Model, spans: Sequence[Span], adapt: bool = False) -> Iterator[Recording]:
    """Yield what was recognised in each of ``spans``.

    What is longer than ``limits.max_seconds`` is cut at pauses and searched in parts: in a
    search of all of it the beam would lose good paths. With ``adapt`` all are recognised twice,
    and in between the network adapts to their speaker; the second time it hears each part alone,
    as in that training. Raises `UserError` for samples that are no numbers.
    """
    features = model.features
    recogniser = model.load()
    decoder = recogniser.decoder
    most = model.limits.max_seconds * FRAMES_PER_SECOND / features.stack  # steps; may be infinite

    def parts(span: Span) -> Iterator[tuple[float, float, np.ndarray, np.ndarray]]:
        """Yield begin, end, features (T, C) and log-probabilities (steps, phones) of each part."""
        matrix = recogniser.energies(
            audio.read(span.path, features.rate, span.start, span.seconds, span.channel)
        )
        if not np.isfinite(matrix).all():
            raise UserError(f"{span.path} has samples that are not finite numbers. Replace it.")
        log_probs = recogniser.log_probs(matrix)  # (steps, phones)
        places = cuts(log_probs.argmax(axis=1) == 0, most)
        times = [0.0, *(place * decoder.seconds for place in places), span.seconds]
        matrices = np.split(matrix, [place * features.stack for place in places])
        yield from zip(times, times[1:], matrices, np.split(log_probs, places), strict=False)

    def heard(log_probs: np.ndarray) -> list[str]:
        """Return the phones of the words that are recognised."""
        return path_phones(decoder.search.path(log_probs).labels, decoder.phones)

    cut = ((span, parts(span)) for span in spans)
    if adapt:
        assert recogniser.adapt is not None, "the model cannot train"
        first = [(span, [*pieces]) for span, pieces in cut]
        recogniser.adapt([(m, heard(lp)) for _, pieces in first for _, _, m, lp in pieces])
        cut = (
            (span, ((b, e, m, recogniser.log_probs(m)) for b, e, m, _ in pieces))
            for span, pieces in first
        )
    for span, pieces in cut:
        decoded = [Part(b, e, decoder(span.path.name, log_probs)) for b, e, _, log_probs in pieces]
        yield Recording(span.seconds, decoded, decoder.words)


def cuts(blank: np.ndarray, most: float) -> list[int]:
    """Return where to cut, so that no part has more than ``most`` frames.

    ``blank`` (T,) is true in frames without a phone. A part that is too long is cut in the
    middle of the longest pause of its middle half, or in two halves if there is no pause.

    >>> cuts(np.array([0, 0, 0, 0, 1, 1, 1, 0, 0, 0], bool), 8)
    [5]
    """
    places, waiting = [], [(0, len(blank))]
    while waiting:
        begin, end = waiting.pop()
        if end - begin > max(most, 1):
            low, high = begin + (end - begin) // 4, end - (end - begin) // 4
            sound = np.flatnonzero(~blank[low:high])
            edges = low + np.concatenate([[-1], sound, [high - low]])
            longest = int(np.diff(edges).argmax())
            if len(sound) == high - low:
                cut = (begin + end) // 2
            else:
                cut = int(edges[longest] + edges[longest + 1] + 1) // 2
            cut = min(max(cut, begin + 1), end - 1)  # so that both parts are shorter
            places.append(cut)
            waiting += [(begin, cut), (cut, end)]
    return sorted(places)


def _durations(paths: Sequence[Path], least: float, channel: int | None) -> list[float]:
    """Return the seconds of recordings; raise `UserError` that names all unusable ones."""
    durations, errors = [], []
    for path in paths:
        try:
            info = audio.inspect(path)
            if info.seconds < least:
                raise UserError(f"{path} lasts {info.seconds:.2f} s, less than {least} s")
            if channel is not None and channel >= info.channels:
                raise UserError(f"{path} has no channel {channel}, only 0 to {info.channels - 1}")
            if info.channels > 1 and channel is None:
                log.warning("warning: %s: using the mean of its %d channels.", path, info.channels)
            if info.unfinished:
                log.warning("warning: %s: its header was never finished; read to its end.", path)
            durations.append(info.seconds)
        except UserError as error:
            errors.append(str(error))
    if errors:
        raise UserError("nothing was transcribed: " + "; ".join(errors) + ".")
    return durations
