"""A stream of speech: samples in, words out while it lasts.

All decisions are made every `EVERY` steps of the network, counted from the start of the stream. So
what comes out does not depend on the sizes of the pieces that come in.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile

import numpy as np

from cascade.bundle.network import StreamNetwork
from cascade.config.sections import FRAMES_PER_SECOND, Features
from cascade.decoding.decoder import Decoder, WordDecoder
from cascade.decoding.word_times import Timed
from cascade.features.cmn import RunningMean
from cascade.features.numpy_filterbank import NumpyFilterbank
from cascade.lm.spelling import joined
from cascade.model.greedy import greedy
from cascade.streaming.step_features import StepFeatures
from cascade.streaming.stream_mean import StreamMean

PAUSE = 0.8  # seconds without a phone that end an utterance
BRIEF = 0.25  # of the pause: enough in the second half of the longest utterance
EVERY = 4  # steps
AGREEING = 10  # so many best paths in a row must have a word before it is shown as stable
CONTEXT = 0.3  # seconds of the pause before an utterance that its search gets, too


@dataclass(frozen=True)
class Partial:
    """The words of an utterance so far.

    Attributes:
        begin: Where the utterance begins, in seconds of the stream.
        stable: Words that stay as they are in all later ones of this utterance.
        rest: The words after these. They may still change.
    """

    begin: float
    stable: tuple[str, ...]
    rest: tuple[str, ...]


@dataclass(frozen=True)
class Final:
    """An utterance that has ended.

    Attributes:
        begin: Where it begins, in seconds of the stream.
        end: Where it ends.
        words: Its words, as a search of the complete utterance finds them.
        timed: Each with start and duration in seconds of the stream, and its confidence. Empty
            for ``nbest: 0``.
        phones: Its phones, decoded greedily.
    """

    begin: float
    end: float
    words: list[str]
    timed: list[Timed]
    phones: list[str]


Event = Partial | Final


@dataclass(frozen=True)
class Parts:
    """What all streams of a system share.

    Attributes:
        bank: Features of samples.
        features: How features are computed; ``cmn`` is ``online``.
        mean: The cms-init vector (C,), from which running means begin.
        network: The network, step by step.
        decoder: Words of log-probabilities.
        longest: Seconds of the longest utterance.
    """

    bank: NumpyFilterbank
    features: Features
    mean: np.ndarray
    network: StreamNetwork
    decoder: Decoder
    longest: float


class Utterance:
    """The steps of a stream that belong to one utterance, from step ``begin``."""

    def __init__(self, decoder: WordDecoder, begin: int, context: np.ndarray):
        self.begin = begin
        self._decoder, self._search = decoder, decoder.search.begin()
        self._rows = [context]  # log-probabilities (T, phones)
        self._search.advance(context)
        self.steps = len(context)
        self.heard = False  # whether the network has given a phone
        self.silent = len(context)  # steps since the last phone
        self._recent: deque[list[str]] = deque(maxlen=AGREEING)
        self._stable: list[str] = []

    def advance(self, log_probs: np.ndarray) -> None:
        """Go on with the log-probabilities (T, phones) of the next steps."""
        self._rows.append(log_probs)
        self._search.advance(log_probs)
        self.steps += len(log_probs)
        phones = np.flatnonzero(log_probs.argmax(axis=1))
        self.heard = self.heard or bool(len(phones))
        since = len(log_probs) - (int(phones[-1]) + 1 if len(phones) else 0)
        self.silent = since if len(phones) else self.silent + since

    def words(self) -> tuple[list[str], list[str]]:
        """Return the words so far: those that are stable, and the rest."""
        table = self._decoder.words
        best = joined(table[i] for i in self._search.best(at_end=False).hypothesis.words)
        self._recent.append(best)
        agreed: list[str] = []
        if len(self._recent) == AGREEING:
            places = zip(*self._recent, strict=False)
            agreed = [words[0] for words in takewhile(lambda words: len(set(words)) == 1, places)]
        if agreed[: len(self._stable)] == self._stable:
            self._stable = agreed
        return self._stable, best[len(self._stable) :]

    def context(self, steps: int) -> np.ndarray:
        """Return the log-probabilities of the last steps, as far as they have no phone."""
        return self.log_probs()[self.steps - min(steps, self.silent) :]

    def log_probs(self) -> np.ndarray:
        """Return the log-probabilities (T, phones) of all steps."""
        return np.concatenate(self._rows)

    def end(self) -> Final:
        """Return the words, with times, of the complete utterance."""
        decoder, log_probs = self._decoder, self.log_probs()
        path = self._search.best()
        _, timed = decoder.alternatives(log_probs, path)
        begin, seconds = self.begin * decoder.seconds, decoder.seconds
        (labels,) = greedy(log_probs.argmax(axis=1)[None], [len(log_probs)])  # (1, T)
        return Final(
            begin,
            begin + self.steps * seconds,
            joined(decoder.words[i] for i in path.hypothesis.words),
            [(word, begin + start, length, sure) for word, start, length, sure in timed],
            [decoder.phones[i] for i in labels],
        )


class Stream:
    """One stream. Its samples are mono, float32, at ``features.rate`` Hz.

    ``utterance`` is the present one. ``pause`` seconds without a phone end it. None: all of the
    stream is one utterance, and the words at its end are those that a search of the complete
    recording finds.
    """

    def __init__(self, parts: Parts, pause: float | None = PAUSE):
        self._parts = parts
        settings = parts.features
        kind = RunningMean if pause is None else StreamMean
        means = settings.cmn_window, settings.cmn_global, settings.cmn_start
        self._mean = kind(parts.mean, *means)
        self._features = StepFeatures(parts.bank, settings, self._mean)
        self._state = parts.network.initial()
        self._waiting: list[np.ndarray] = []  # log-probabilities that were not searched
        second = FRAMES_PER_SECOND / parts.features.stack
        self._pause = None if pause is None else pause * second
        self._longest, self._context = parts.longest * second, round(CONTEXT * second)
        self._none = np.zeros((0, parts.network.phones), np.float32)
        self._done = 0  # steps that were searched
        self.utterance = Utterance(parts.decoder, 0, self._none)

    def accept(self, samples: np.ndarray) -> Iterator[Event]:
        """Yield what the next samples (N,) change."""
        for step in self._features.accept(samples):
            yield from self._accept(step)

    def finish(self) -> Iterator[Event]:
        """Yield what the end of the stream changes: the last utterance, if it has a phone."""
        for step in self._features.finish():
            yield from self._accept(step)
        if self._waiting:
            self._advance()
        if self.utterance.heard or self._pause is None:
            yield self.utterance.end()

    def _accept(self, step: np.ndarray) -> Iterator[Event]:
        log_probs, self._state = self._parts.network(step[None], self._state)  # one at a time
        self._waiting.append(log_probs)
        if len(self._waiting) == EVERY:
            self._advance()
            yield from self._decide()

    def _advance(self) -> None:
        rows = np.concatenate(self._waiting)  # (T, phones)
        self._waiting.clear()
        self._done += len(rows)
        self.utterance.advance(rows)

    def _decide(self) -> Iterator[Event]:
        """End the utterance, or say its words so far."""
        utterance = self.utterance
        self._tell_mean()
        if self._ended():
            if utterance.heard:
                yield utterance.end()
            context = utterance.context(self._context)
            begin = self._done - len(context)
            self.utterance = Utterance(self._parts.decoder, begin, context)
        elif utterance.heard:
            stable, rest = utterance.words()
            seconds = utterance.begin * self._parts.decoder.seconds
            yield Partial(seconds, tuple(stable), tuple(rest))

    def _ended(self) -> bool:
        if self._pause is None:
            return False
        return self._silent() or self.utterance.steps >= self._longest

    def _silent(self) -> bool:
        assert self._pause is not None
        long = self.utterance.steps > self._longest / 2
        return self.utterance.silent >= (self._pause * BRIEF if long else self._pause)

    def _tell_mean(self) -> None:
        """Let the running mean pause while nobody speaks."""
        if isinstance(self._mean, StreamMean):
            if self._silent():
                self._mean.pause()
            elif self.utterance.heard:
                self._mean.speech()
