"""The checks of stage 0 that need only one utterance.

An utterance with a fault is left out, and the ledger says why.
"""

import functools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cascade.config.sections import FRAMES_PER_SECOND, Language, Limits
from cascade.corpora import audio as audio_files
from cascade.corpora.audio import AudioInfo
from cascade.corpora.corpus import Excluded, Utterance
from cascade.corpora.kaldi_archives import read_features
from cascade.runtime.errors import UserError
from cascade.runtime.stamp import ABSENT, Digest, digest
from cascade.text import words as text
from cascade.text.numbers import in_words, supported
from cascade.text.phones import frames_needed
from cascade.text.written import forms

UNFINISHED = "recordings read to the end of their files: their headers were never finished"
SILENCE = 0.001  # of full scale: -60 dB, below any recorded voice
OVERSHOOT = 0.5  # seconds that a segment may end after its recording, as in Kaldi


@dataclass(frozen=True)
class Rules:
    """What the utterances of a data set are checked against.

    ``language`` is that of the transcripts, ``rate`` is the sampling rate in Hz that audio is
    resampled to, ``channel`` the one that the recipe chooses; None averages the channels.
    Without ``transcribed`` nobody looks at transcripts, and the words are empty.
    Without ``decode`` recordings are neither decoded nor hashed: their headers are believed.
    With ``fix`` letters are replaced that only look like those of the language, with ``numbers``
    digits become words.
    """

    language: Language
    rate: int
    limits: Limits
    channel: int | None = None
    decode: bool = True
    transcribed: bool = True
    fix: bool = False
    numbers: bool = False


@dataclass(frozen=True)
class CheckedUtterance:
    """An utterance that passed: its normalised words, and its part of a recording.

    ``start`` and ``seconds`` are in seconds, ``clipped`` is the share of samples at full
    scale, a ``channel`` of None is the mean of all. If the corpus has ``features`` in place of
    audio, ``audio`` is their archive, ``feature_size`` the values of a frame, and ``info``
    None. ``digest`` is the SHA-256 of the audio file or archive. ``changes`` counts what was
    changed in the transcript and a user must know. ``written`` has the words whose spelling
    there says how they are read, by their place: ``{"1": "МГУ"}``.
    """

    id: str
    audio: Path
    words: tuple[str, ...]
    speaker: str
    start: float
    seconds: float
    info: AudioInfo | None
    digest: str
    clipped: float = 0.0
    channel: int | None = None
    features: str | None = None
    feature_size: int = 0
    changes: Mapping[str, int] = field(default_factory=dict)
    written: Mapping[str, str] = field(default_factory=dict)

    @property
    def mixed_channels(self) -> int:
        """How many channels are averaged; 0 for one channel, and for features."""
        several = self.info is not None and self.info.channels > 1 and self.channel is None
        return self.info.channels if self.info and several else 0


def check_utterance(item: Utterance, rules: Rules) -> tuple[CheckedUtterance | Excluded, Digest]:
    """Check one utterance; the first fault is the reason. Also return its file's digest."""
    known = _digest(item.audio) if rules.decode else ABSENT
    if not item.id or any(c.isspace() for c in item.id):
        reason = "the utterance id is empty or has white space in it"
        return Excluded(repr(item.id), reason), known
    if rules.transcribed and (mark := text.no_word(item.text)):
        reason = f"'{mark}' in the transcript is not a word"
        return Excluded(item.id, reason, selection=True), known
    if item.features is None:
        return _check_audio(item, rules, known.sha256), known
    return _check_features(item, item.features, rules, known.sha256), known


def _check_audio(item: Utterance, rules: Rules, sha256: str) -> CheckedUtterance | Excluded:
    try:
        info = audio_files.inspect(item.audio)
    except UserError as error:
        return Excluded(item.id, str(error))
    end = info.seconds if item.end is None else item.end
    seconds = round(min(end, info.seconds) - item.start, 6)  # lists round their times
    channel = rules.channel if item.channel is None else item.channel

    def fault(reason: str) -> Excluded:
        return Excluded(item.id, reason, max(0.0, seconds))

    if channel is not None and channel >= info.channels:
        count = f"{info.channels} channel" + ("s" if info.channels > 1 else "")
        return fault(f"{item.audio} has {count}: there is no channel {channel}")
    if item.start < 0 or seconds <= 0 or end > info.seconds + OVERSHOOT:
        return fault(
            f"{item.start} to {end} s is not inside {item.audio}, which has {info.seconds:.2f} s"
        )
    changes = Counter[str]()
    words, reason = _check_text(item, seconds, rules, changes)
    if reason:
        return fault(reason)
    if info.unfinished:
        changes[UNFINISHED] += 1
    clipped = 0.0
    if rules.decode:
        try:
            samples = np.abs(audio_files.read(item.audio, rules.rate, item.start, seconds, channel))
        except UserError as error:
            return fault(str(error))
        if not np.isfinite(samples).all():
            return fault(f"{item.audio} contains samples that are not numbers")
        if samples.max(initial=0) < SILENCE:
            return fault(f"{item.audio} is silent there: no sample is above -60 dB")
        clipped = float((samples > 0.9999).mean())
    return CheckedUtterance(
        id=item.id,
        audio=item.audio,
        words=words,
        speaker=item.speaker,
        start=item.start,
        seconds=seconds,
        info=info,
        digest=sha256,
        clipped=clipped,
        channel=channel,
        changes=dict(changes),
        written=_written(item, words, rules),
    )


def _check_features(
    item: Utterance, archive: str, rules: Rules, sha256: str
) -> CheckedUtterance | Excluded:
    """Check an utterance that has features in place of audio, at ``archive``."""
    try:
        features = read_features(archive)
    except UserError as error:
        return Excluded(item.id, str(error))
    seconds = len(features) / FRAMES_PER_SECOND
    changes = Counter[str]()
    words, reason = _check_text(item, seconds, rules, changes)
    if not reason and not np.isfinite(features).all():
        reason = f"the features at {archive} contain values that are not numbers"
    if reason:
        return Excluded(item.id, reason, seconds)
    return CheckedUtterance(
        id=item.id,
        audio=item.audio,
        words=words,
        speaker=item.speaker,
        start=0.0,
        seconds=seconds,
        info=None,
        digest=sha256,
        features=archive,
        feature_size=features.shape[1],
        changes=dict(changes),
        written=_written(item, words, rules),
    )


def _check_text(
    item: Utterance, seconds: float, rules: Rules, changes: Counter[str]
) -> tuple[tuple[str, ...], str | None]:
    """Return the words of an utterance, and what is wrong with them or with its length.

    ``changes`` gets what was changed in the transcript.
    """
    least, most = rules.limits.min_seconds, rules.limits.max_seconds
    if not least <= seconds <= most:
        return (), f"{seconds:.2f} s is not within the recipe's {least} to {most} s"
    if not rules.transcribed:
        return (), None
    language = rules.language
    transcript = _transcript(item, rules, changes)
    words = text.words_of(transcript, language, changes, rules.fix)
    if not words:
        return (), "the transcript is empty"
    odd = text.foreign(words, language.letters)
    if not odd:
        return tuple(words), None
    if odd.startswith(text.DIGITS) and not rules.numbers and supported(language):
        odd += ", or 'numbers: words' in the data set"
    if not text.foreign(text.words_of(transcript, language, fix=True), language.letters):
        odd += " (they look like letters of it: 'confusables: fix' in the data set replaces them)"
    return (), f"the transcript has {odd}"


def _transcript(item: Utterance, rules: Rules, changes: Counter[str]) -> str:
    """Return the transcript, its numbers in words if the recipe says so."""
    return in_words(item.text, rules.language, changes) if rules.numbers else item.text


def _written(item: Utterance, words: tuple[str, ...], rules: Rules) -> dict[str, str]:
    if not (rules.transcribed and rules.language.hints):
        return {}
    found = forms(_transcript(item, rules, Counter()), rules.language)
    return {str(i): form for i, form in found.items() if i < len(words)}


def check_pronunciation(
    item: CheckedUtterance, lexicon: Mapping[str, Sequence[str]], stack: int
) -> Excluded | None:
    """Return why CTC cannot be trained on an utterance; None if it can.

    Reasons are a word without a pronunciation, and a transcript of more phones than its
    recording has stacked frames (``stack`` frames of 10 ms each).
    """
    silent = [word for word in item.words if not lexicon[word]]
    if silent:
        reason = f"no pronunciation for '{silent[0]}': add it to the language's lexicon file"
        return Excluded(item.id, reason, item.seconds)
    phones = [phone for word in item.words for phone in lexicon[word]]
    if int(item.seconds * FRAMES_PER_SECOND + 0.5) // stack < frames_needed(phones):
        reason = (
            f"{len(phones)} phones in {item.seconds:.2f} s are too many:"
            f" is it the right transcript?"
        )
        return Excluded(item.id, reason, item.seconds)
    return None


@functools.lru_cache(maxsize=1)  # segments of one recording come one after the other
def _digest(path: Path) -> Digest:
    return digest(path) or ABSENT
