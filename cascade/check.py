"""The checks of stage 0: of each utterance, and of data sets against each other.

A fault leaves the utterance out, and is written into the ledger; a warning is for the user
to judge. Everything is checked before anything stops.
"""

import functools
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cascade import audio, text
from cascade.corpus import Excluded
from cascade.errors import UserError
from cascade.lexicon import look_up
from cascade.phones import frames_needed
from cascade.recipe import Language

SILENCE = 0.001  # of full scale: -60 dB, below what any voice is recorded at
CLIPPED = 0.002  # share of samples at full scale that one begins to hear
SHOWN = 3  # utterances that a warning names


@dataclass(frozen=True)
class Checked:
    """An utterance that passed: normalised words, and the part of its recording it is.

    Times are in seconds; ``clipped`` is the share of its samples at full scale.
    """

    id: str
    audio: Path
    words: tuple[str, ...]
    speaker: str
    start: float
    seconds: float
    info: audio.AudioInfo
    digest: str
    clipped: float = 0.0


def check_utterance(arguments) -> Checked | Excluded:
    """Every check of one utterance; the first that fails is the reason."""
    item, letters, rate, limits = arguments
    if not item.id or any(c.isspace() for c in item.id):
        return Excluded(repr(item.id), "the utterance id is empty or has white space in it")
    try:
        info = audio.inspect(item.audio)
    except UserError as error:
        return Excluded(item.id, str(error))
    end = info.seconds if item.end is None else item.end
    seconds = round(min(end, info.seconds) - item.start, 6)  # lists round their times

    def fault(reason: str) -> Excluded:
        return Excluded(item.id, reason, max(0.0, seconds))

    if info.rate != rate:
        return fault(
            f"{item.audio} is sampled at {info.rate} Hz, the recipe wants {rate} Hz: resample it"
        )
    if info.channels != 1:
        return fault(f"{item.audio} has {info.channels} channels: choose or mix them to one")
    if item.start < 0 or seconds <= 0 or end > info.seconds + 0.01:
        return fault(
            f"{item.start} to {end} s does not lie in {item.audio} of {info.seconds:.2f} s"
        )
    if not limits.min_seconds <= seconds <= limits.max_seconds:
        return fault(
            f"{seconds:.2f} s is not within the recipe's"
            f" {limits.min_seconds} to {limits.max_seconds} s"
        )
    words = text.words_of(item.text, letters)
    if not words:
        return fault("the transcript is empty")
    odd = text.foreign(words, letters)
    if odd:
        return fault(f"the transcript has {odd}")
    try:
        samples = np.abs(audio.read(item.audio, rate, item.start, seconds))
    except UserError as error:
        return fault(str(error))
    if samples.max() < SILENCE:
        return fault(f"{item.audio} is silent there: no sample is above -60 dB")
    return Checked(
        id=item.id,
        audio=item.audio,
        words=tuple(words),
        speaker=item.speaker or "unknown",
        start=item.start,
        seconds=seconds,
        info=info,
        digest=_digest(item.audio),
        clipped=float((samples > 0.9999).mean()),
    )


def check_pronunciations(
    kept: Sequence[Checked], language: Language, stack: int
) -> tuple[list[Checked], list[Excluded]]:
    """Leaves out what CTC cannot be trained on; returns what is kept and what is not.

    That is a word without a pronunciation, and a transcript of more phones than its
    recording has stacked frames (``stack`` frames of 10 ms each).
    """
    lexicon = look_up({word for item in kept for word in item.words}, language)
    passed, excluded = [], []
    for item in kept:
        silent = [word for word in item.words if not lexicon[word]]
        phones = [phone for word in item.words for phone in lexicon[word]]
        frames = int(item.seconds * 100 + 0.5) // stack
        if silent:
            reason = f"no pronunciation for '{silent[0]}': add it to the language's lexicon file"
        elif frames < frames_needed(phones):
            reason = (
                f"{len(phones)} phones in {item.seconds:.2f} s are more than anybody speaks:"
                f" is it the right transcript?"
            )
        else:
            passed.append(item)
            continue
        excluded.append(Excluded(item.id, reason, item.seconds))
    return passed, excluded


def warnings(sets: Mapping[str, Sequence[Checked]], training: Iterable[str]) -> list[str]:
    """What a user should know of data sets that pass: a sentence each.

    ``training`` names those of ``sets`` that the target is trained on; the others of the
    same language, which judge it, should share neither sentences nor speakers with them.
    """
    training = [key for key in training if key in sets]
    sentences = {item.words for key in training for item in sets[key]}
    speakers = {item.speaker for key in training for item in sets[key]}
    recordings = {(item.digest, item.start) for key in training for item in sets[key]}
    found = []
    for key, kept in sets.items():
        clipped = [item.id for item in kept if item.clipped > CLIPPED]
        if clipped:
            found.append(f"{key}: {_some(clipped)} clipped: record with less gain")
        overlapping = _overlapping(kept)
        if overlapping:
            found.append(f"{key}: {_some(overlapping)} begun before another segment has ended")
        if key in training or not key.startswith(("valid", "test")):
            continue
        known = [item.id for item in kept if item.words in sentences]
        if known:
            found.append(f"{key}: {_some(known)} the same sentence as one of the training")
        copies = [item.id for item in kept if (item.digest, item.start) in recordings]
        if copies:
            found.append(f"{key}: {_some(copies)} the same recording as one of the training")
        heard = sorted({item.speaker for item in kept} & speakers - {"unknown"})
        if heard:
            names = ", ".join(heard[:SHOWN])
            count = "a speaker is" if len(heard) == 1 else f"{len(heard)} speakers are"
            found.append(f"{key}: {count} in the training, too: {names}")
    return found


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    verb = "is" if len(names) == 1 else "are"
    return f"{', '.join(names[:SHOWN])}{more} {verb}"


def _overlapping(kept: Sequence[Checked]) -> list[str]:
    """Utterances that begin before another one of the same recording has ended."""
    recordings = defaultdict(list)
    for item in kept:
        recordings[item.audio].append(item)
    found = []
    for items in recordings.values():
        end = 0.0
        for item in sorted(items, key=lambda item: (item.start, item.id)):
            if item.start < end - 0.01:
                found.append(item.id)
            end = max(end, item.start + item.seconds)
    return found


@functools.lru_cache(maxsize=1)  # segments of one recording come one after the other
def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
