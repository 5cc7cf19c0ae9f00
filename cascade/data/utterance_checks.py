"""The checks of stage 0 that one utterance is enough for.

A fault leaves the utterance out, and is written into the ledger.
"""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cascade.config.sections import FRAMES_PER_SECOND, Limits
from cascade.corpora import audio
from cascade.corpora.corpus import Excluded, Utterance
from cascade.corpora.kaldi_archives import read_features
from cascade.runtime.errors import UserError
from cascade.runtime.stamp import ABSENT, Digest, digest
from cascade.text import words as text
from cascade.text.phones import frames_needed

SILENCE = 0.001  # of full scale: -60 dB, below what any voice is recorded at
OVERSHOOT = 0.5  # seconds that a segment may go on behind its recording, as Kaldi allows


@dataclass(frozen=True)
class Rules:
    """What utterances of a data set are checked against.

    ``letters`` are those of the language, ``rate`` the sampling rate in Hz that audio is
    brought to, ``channel`` the one that the recipe chooses, None where channels are mixed.
    Without ``listen`` no recording is decoded or hashed: what its header says is believed.
    """

    letters: str
    rate: int
    limits: Limits
    channel: int | None = None
    listen: bool = True


@dataclass(frozen=True)
class Checked:
    """An utterance that passed: normalised words, and the part of its recording it is.

    Times are in seconds; ``clipped`` is the share of its samples at full scale; a
    ``channel`` of None is the mean of all. Where there are ready ``features`` in place of
    audio, ``audio`` is their archive, ``dim`` their size, and ``info`` None. ``digest`` is
    the recording's or archive's SHA-256.
    """

    id: str
    audio: Path
    words: tuple[str, ...]
    speaker: str
    start: float
    seconds: float
    info: audio.AudioInfo | None
    digest: str
    clipped: float = 0.0
    channel: int | None = None
    features: str | None = None
    dim: int = 0

    @property
    def mixed(self) -> bool:
        """Whether it is the mean of several channels."""
        return self.info is not None and self.info.channels > 1 and self.channel is None


def check_utterance(task: tuple[Utterance, Rules]) -> tuple[Checked | Excluded, Digest]:
    """Every check of one utterance, the first that fails is the reason; its file's digest."""
    item, rules = task
    known = _digest(item.audio) if rules.listen else ABSENT
    if not item.id or any(c.isspace() for c in item.id):
        reason = "the utterance id is empty or has white space in it"
        return Excluded(repr(item.id), reason), known
    if mark := text.no_word(item.text):
        reason = f"'{mark}' in the transcript is no word"
        return Excluded(item.id, reason, selection=True), known
    check = _check_audio if item.features is None else _check_features
    return check(item, rules, known.sha256), known


def _check_audio(item: Utterance, rules: Rules, sha256: str) -> Checked | Excluded:
    try:
        info = audio.inspect(item.audio)
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
            f"{item.start} to {end} s does not lie in {item.audio} of {info.seconds:.2f} s"
        )
    words, reason = _judge(item, seconds, rules)
    if reason:
        return fault(reason)
    clipped = 0.0
    if rules.listen:
        try:
            samples = np.abs(audio.read(item.audio, rules.rate, item.start, seconds, channel))
        except UserError as error:
            return fault(str(error))
        if not np.isfinite(samples).all():
            return fault(f"{item.audio} holds samples that are no numbers")
        if samples.max(initial=0) < SILENCE:
            return fault(f"{item.audio} is silent there: no sample is above -60 dB")
        clipped = float((samples > 0.9999).mean())
    return Checked(
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
    )


def _check_features(item: Utterance, rules: Rules, sha256: str) -> Checked | Excluded:
    """The checks of an utterance whose features are ready, at 100 frames a second."""
    try:
        features = read_features(item.features)
    except UserError as error:
        return Excluded(item.id, str(error))
    seconds = len(features) / FRAMES_PER_SECOND
    words, reason = _judge(item, seconds, rules)
    if not reason and not np.isfinite(features).all():
        reason = f"the features at {item.features} hold values that are no numbers"
    if reason:
        return Excluded(item.id, reason, seconds)
    return Checked(
        id=item.id,
        audio=item.audio,
        words=words,
        speaker=item.speaker,
        start=0.0,
        seconds=seconds,
        info=None,
        digest=sha256,
        features=item.features,
        dim=features.shape[1],
    )


def _judge(item: Utterance, seconds: float, rules: Rules) -> tuple[tuple[str, ...], str | None]:
    """The words of an utterance, and what is wrong with them or with its length."""
    least, most = rules.limits.min_seconds, rules.limits.max_seconds
    if not least <= seconds <= most:
        return (), f"{seconds:.2f} s is not within the recipe's {least} to {most} s"
    words = text.words_of(item.text, rules.letters)
    if not words:
        return (), "the transcript is empty"
    odd = text.foreign(words, rules.letters)
    return tuple(words), f"the transcript has {odd}" if odd else None


def check_pronunciation(
    item: Checked, lexicon: Mapping[str, Sequence[str]], stack: int
) -> Excluded | None:
    """Why CTC cannot be trained on an utterance; None if it can.

    That is a word without a pronunciation, and a transcript of more phones than its
    recording has stacked frames (``stack`` frames of 10 ms each).
    """
    silent = [word for word in item.words if not lexicon[word]]
    if silent:
        reason = f"no pronunciation for '{silent[0]}': add it to the language's lexicon file"
        return Excluded(item.id, reason, item.seconds)
    phones = [phone for word in item.words for phone in lexicon[word]]
    if int(item.seconds * FRAMES_PER_SECOND + 0.5) // stack < frames_needed(phones):
        reason = (
            f"{len(phones)} phones in {item.seconds:.2f} s are more than anybody speaks:"
            f" is it the right transcript?"
        )
        return Excluded(item.id, reason, item.seconds)
    return None


@functools.lru_cache(maxsize=1)  # segments of one recording come one after the other
def _digest(path: Path) -> Digest:
    return digest(path) or ABSENT
