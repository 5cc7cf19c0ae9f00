"""A bundle as an aligner: an utterance with its words in, the times of words and phones out."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cascade.alignment.boundaries import spans
from cascade.alignment.forced_path import Word, forced_path
from cascade.alignment.phone_models import PhoneModels, read_models
from cascade.bundle.manifest import FLOAT32, PHONE_MODELS
from cascade.bundle.network import Network
from cascade.bundle.reader import Bundle
from cascade.config.sections import FRAMES_PER_SECOND
from cascade.corpora import audio
from cascade.corpora.corpus import Excluded
from cascade.data.utterance_checks import CheckedUtterance
from cascade.features.numpy_filterbank import NumpyFilterbank
from cascade.runtime.errors import UserError
from cascade.text.phones import read_phones

FILES = (FLOAT32, PHONE_MODELS, "tokens.txt", "lexicon.txt", "model.json")  # of a bundle
BLOCK = 6000  # frames whose features are computed at once


@dataclass(frozen=True)
class TimedPhone:
    """A phone; ``begin`` and ``end`` are seconds in the recording."""

    phone: str
    begin: float
    end: float


@dataclass(frozen=True)
class TimedWord:
    """A word with its phones; the ``score`` is 0 where it fits perfectly."""

    word: str
    score: float
    phones: list[TimedPhone]

    @property
    def begin(self) -> float:
        return self.phones[0].begin

    @property
    def end(self) -> float:
        return self.phones[-1].end


@dataclass(frozen=True)
class AlignedUtterance:
    """An utterance with the times of its words, and how well its text fits (`ForcedPath.score`)."""

    utterance: CheckedUtterance
    words: list[TimedWord]
    score: float


@dataclass(frozen=True)
class Aligner:
    """Aligns utterances with the files of ``bundle``; ``pronunciations`` has all their words."""

    bundle: Bundle
    pronunciations: Mapping[str, Word]

    @cached_property
    def _network(self) -> Network:
        return Network(self.bundle.folder / FLOAT32, self.bundle.name)

    @cached_property
    def _phones(self) -> list[str]:
        return read_phones(self.bundle.folder / "tokens.txt")

    @cached_property
    def _models(self) -> PhoneModels:
        try:
            return read_models(self.bundle.folder / PHONE_MODELS, len(self._phones))
        except UserError as error:
            raise UserError(f"{self.bundle.name} is refused: {error}") from None

    def check(self) -> None:
        """Raise `UserError` where the files of the bundle do not go together."""
        self._network.check(self.bundle.manifest.features.filters, len(self._phones))
        assert self._models

    def __call__(self, item: CheckedUtterance) -> AlignedUtterance | Excluded:
        """Return the times of an utterance's words, or why it has none."""
        features = self.bundle.manifest.features
        words = [self.pronunciations[word] for word in item.words]
        if silent := [w for w, prons in zip(item.words, words, strict=True) if not prons]:
            reason = f"no pronunciation for '{silent[0]}': add it to a file for --lexicon"
            return Excluded(item.id, reason, item.seconds)
        try:
            samples = audio.read(item.audio, features.rate, item.start, item.seconds, item.channel)
        except UserError as error:
            return Excluded(item.id, str(error), item.seconds)
        if not np.isfinite(samples).all():
            return Excluded(item.id, f"{item.audio} contains samples that are not numbers")
        energies = blocks_of_energies(NumpyFilterbank(features.rate, features.filters), samples)
        path = forced_path(self._network(energies), words)
        if path is None:
            reason = "its text does not fit: no path through the recording spells it"
            return Excluded(item.id, reason, item.seconds)
        timed = [
            TimedPhone(self._phones[phone], *_seconds(span, item))
            for phone, span in zip(
                path.phones, spans(self._models, energies, path, features.stack), strict=True
            )
        ]
        starts = [0, *path.ends[:-1]]
        return AlignedUtterance(
            item,
            [
                TimedWord(word, score, timed[first:last])
                for word, score, first, last in zip(
                    item.words, path.word_scores, starts, path.ends, strict=True
                )
            ],
            path.score,
        )


def _seconds(span: tuple[int, int], item: CheckedUtterance) -> tuple[float, float]:
    """Return frames of an utterance as seconds in its recording."""
    begin, end = (min(frame / FRAMES_PER_SECOND, item.seconds) for frame in span)
    return round(item.start + begin, 6), round(item.start + end, 6)


def blocks_of_energies(
    filterbank: NumpyFilterbank, samples: np.ndarray, block: int = BLOCK
) -> np.ndarray:
    """Return the energies (T, C) of samples (N,), computed in blocks of frames to save memory.

    >>> noise, bank = np.sin(np.arange(9000.0) ** 2).astype(np.float32), NumpyFilterbank(16000, 40)
    >>> np.allclose(blocks_of_energies(bank, noise, 20), bank.energies(noise))
    True
    """
    shift = filterbank.shift
    frames = filterbank.count(len(samples))
    pieces = []
    for begin in range(0, frames, block):
        end = begin + block
        before = min(begin, 2)  # frames whose windows reach beyond the piece, left out again
        last = len(samples) if end + 3 >= frames else (end + 2) * shift
        piece = filterbank.energies(samples[(begin - before) * shift : last])
        pieces.append(piece[before : before + block])
    return np.concatenate(pieces)
