"""English made on this machine by 18 free voices: some 45 minutes.

Four voices of flite, made from recordings of people, speak half of it; variants of espeak-ng
speak the rest. They read examples of WordNet, each once.
"""

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import soundfile

from cascade.corpora.corpus import CorpusRequest, Excluded, Utterance
from local.helpers import cached_folder, debian_voices, resampling, threads
from local.helpers.debian_voices import VOICES, Voice
from local.texts import wordnet

log = logging.getLogger("cascade")

LICENCE = (
    "synth_en: made with flite (MIT-like) and espeak-ng (GPL-3+, a program that is run) from "
    "WordNet 3.0's examples (WordNet licence)."
)
PARTS = ()
SYNTHETIC = True
WORDS = (5, 12)  # fewest and most of a prompt
VERSION = 1  # raise it with any change of how the sound is made


@dataclass(frozen=True)
class Task:
    """A prompt for a voice to read."""

    id: str
    voice: Voice
    text: str


def utterances(request: CorpusRequest) -> Iterator[Utterance | Excluded]:
    """Yield what the voices read, voice by voice; the first call makes it.

    Raises `UserError` if a package cannot be fetched or a voice fails.
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
    """Give each voice its share of the prompts."""
    planned = []
    rest = iter(texts)
    for voice in VOICES:
        for number in range(1, voice.share + 1):
            planned.append(Task(f"synth_en-{voice.name}-{number:04d}", voice, next(rest)))
    return planned


def _made(planned: list[Task], request: CorpusRequest) -> Path:
    """The folder of wav files at ``request.rate``, 16-bit mono."""
    final = request.data / f"synth_en_{request.rate}"

    def fill(partial: Path) -> None:
        programs = debian_voices.install(request)
        log.info("Making %d utterances of %d voices in %s", len(planned), len(VOICES), final)

        def one(task: Task) -> None:
            raw = partial / f"{task.id}.raw.wav"
            debian_voices.speak(programs, task.voice, task.text, raw)
            samples, source = soundfile.read(raw, dtype="float64")
            raw.unlink()
            result = resampling.dithered(samples, task.id, source, request.rate)
            resampling.save(partial / f"{task.id}.wav", result, request.rate)

        threads.for_each(one, planned, request.jobs, "synth_en")

    digests = "".join(package.line for package in debian_voices.PACKAGES)
    plan = hashlib.sha256(repr(planned).encode()).hexdigest()  # voices, options and texts
    description = f"version {VERSION}\nrate {request.rate}\nplan {plan}\n{digests}"
    return cached_folder.provide(final, description, fill)
