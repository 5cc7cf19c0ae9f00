"""English made on this machine by free voices: 18 voices, some 45 minutes.

Half of it by voices of flite, made from recordings of people, half by variants of
espeak-ng. They read examples of WordNet, each once.
"""

import hashlib
import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial as bound
from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import resample_poly

from cascade.corpora.corpus import CorpusRequest, Excluded, Utterance
from local.corpora import voices_en
from local.corpora.voices_en import VOICES, Voice
from local.helpers import debian, progress, resampling
from local.texts import wordnet

log = logging.getLogger("cascade")

LICENCE = (
    "synth_en: made with flite (MIT-like) and espeak-ng (GPL-3+, a program that is run) from "
    "WordNet 3.0's examples (WordNet licence)."
)
PARTS = ()
WORDS = (5, 12)  # fewest and most of a prompt
VERSION = 1  # raised with any change of how the sound is made


@dataclass(frozen=True)
class Task:
    """A prompt for a voice to read."""

    id: str
    voice: Voice
    text: str


def utterances(request: CorpusRequest) -> Iterator[Utterance | Excluded]:
    """Yields what the voices read, voice by voice; makes it where it is not complete.

    Raises `UserError` where a package cannot be had or a voice fails.
    """
    planned = tasks(prompts(request))
    folder = _made(planned, request)
    for task in planned:
        yield Utterance(task.id, folder / f"{task.id}.wav", task.text, task.voice.name)


def prompts(request: CorpusRequest) -> list[str]:
    """The prompts of all voices, in a fixed order."""
    count = sum(voice.share for voice in VOICES)
    return wordnet.chosen(wordnet.examples(request), count, *WORDS)


def tasks(texts: list[str]) -> list[Task]:
    """Gives each voice its share of the prompts."""
    planned = []
    rest = iter(texts)
    for voice in VOICES:
        for number in range(1, voice.share + 1):
            planned.append(Task(f"synth_en-{voice.name}-{number:04d}", voice, next(rest)))
    return planned


def finished(samples: np.ndarray, name: str, source: int, rate: int) -> np.ndarray:
    """Resamples, dithers and rounds: (N,) floats of +-1 at ``source`` Hz to (M,) int16.

    The dither of one or two steps, seeded by ``name``, is there since up to a third of a
    synthesised signal is exact zeros, which no microphone gives and no logarithm takes.
    """
    common = math.gcd(source, rate)
    if source != rate:
        samples = resample_poly(samples, rate // common, source // common)  # (N,) -> (M,)
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
    # A bit generator's raw stream is the one that NumPy promises never to change.
    raw = np.random.PCG64(seed).random_raw(len(samples)) >> np.uint64(62)  # (M,), 0 to 3
    dither = np.array([-2, -1, 1, 2])[raw.astype(np.intp)]
    return np.clip(np.rint(samples * 32768) + dither, -32768, 32767).astype(np.int16)


def _made(planned: list[Task], request: CorpusRequest) -> Path:
    """The folder of wav files; made beside and renamed where it is not complete."""
    final = request.data / f"synth_en_{request.rate}"
    digests = "".join(f"{p.name} {p.version} {p.digest}\n" for p in voices_en.PACKAGES)
    plan = hashlib.sha256(repr(planned).encode()).hexdigest()  # voices, options and texts
    description = f"version {VERSION}\nrate {request.rate}\nplan {plan}\n{digests}"
    if debian.complete(final, description):
        return final
    programs = voices_en.install(request)
    log.info("Making %d utterances of %d voices in %s", len(planned), len(VOICES), final)
    partial = debian.restarted(final)
    work = bound(_make, programs, partial, request.rate)
    for _ in progress.mapped(work, planned, request.jobs, "synth_en"):
        pass
    debian.finish(partial, final, description)
    return final


def _make(programs: Path, folder: Path, rate: int, task: Task) -> None:
    """Has one prompt read, and writes ``folder/ID.wav`` at ``rate`` Hz, 16-bit mono."""
    raw = folder / f"{task.id}.raw.wav"
    voices_en.speak(programs, task.voice, task.text, raw)
    samples, source = soundfile.read(raw, dtype="float64")
    raw.unlink()
    result = finished(samples, task.id, source, rate)
    resampling.save(folder / f"{task.id}.wav", result, rate)
