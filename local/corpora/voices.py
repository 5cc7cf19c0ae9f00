"""Speech by Kokoro's voices and mixtures of them, in any language that espeak-ng speaks.

They read free texts of the language, each sentence once: those that the recipe names, else
``texts_XX`` of `local.texts`, else `local.texts.free_texts`. The voices are those of the language
(``voices: own``), or those of other languages, which read it with their accents (``borrowed``).
A hash decides which sentences come first, which speaker reads each, and how fast. So fewer minutes
are the beginning of more.
"""

import hashlib
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import soundfile

from cascade.corpora import corpus
from cascade.corpora.corpus import CorpusRequest, Excluded, Reading, Utterance
from cascade.runtime import workers
from cascade.runtime.errors import UserError
from cascade.runtime.files import replacing_path
from cascade.runtime.progress import meter
from local.helpers import cached_folder, kokoro, kokoro_ipa, kokoro_speakers, resampling, text_files
from local.helpers.kokoro import Speaker
from local.helpers.kokoro_speakers import draw, draw_speakers
from local.texts import free_texts

log = logging.getLogger("cascade")

LICENCE = f"{kokoro.LICENCE} The texts: see local/texts."
PARTS = ()
KEYS = ("voices", "speakers", "minutes", "speeds")
SYNTHETIC = True
VERSION = 1  # raise it with any change of how the sound is made
WORDS = (3, 20)  # fewest and most of a sentence
MINUTES, SPEAKERS, SPEEDS = 30.0, 570, (0.85, 1.2)  # unless the recipe says otherwise
PIECE = 256  # sentences that espeak-ng gets at once


@dataclass(frozen=True)
class Task:
    """A sentence for a speaker to read; ``fault`` says why it cannot be read."""

    id: str
    text: str
    speaker: Speaker
    speed: float
    tokens: tuple[int, ...]
    fault: str = ""


def utterances(request: CorpusRequest) -> Iterator[Utterance | Excluded]:
    """Yield what the voices read until there are so many minutes; the first call makes it.

    Raises `UserError` if a package cannot be fetched, and for ``voices: own`` if there are none.
    """
    reading, options = request.reading, request.options
    if reading is None:
        raise UserError("the corpus 'voices' is made for a recipe: it reads the recipe's texts.")
    group = options.get("voices") or kokoro_speakers.usual(reading.voice)
    speakers = draw_speakers(reading.voice, group, options.get("speakers", SPEAKERS))
    seconds = 60 * options.get("minutes", MINUTES)
    speeds = tuple(options.get("speeds", SPEEDS))
    texts = ordered(sentences(request, reading), reading)
    model = kokoro.install(request)
    name = f"voices_{request.language}-{group}"
    folder = _folder(request, reading.voice, group, speakers, speeds, texts)
    log.info("%s: %d speakers, wavs in %s", name, len(speakers), folder)
    planned = tasks(name, texts, speakers, speeds, reading, kokoro.vocabulary(model))
    readings = ((task, model, folder, request.rate) for task in planned)
    made = 0.0
    with (
        workers.pool(request.jobs) as pool,
        meter(name, round(seconds), "seconds of speech") as advance,
    ):
        for task, length in workers.in_order(pool, _spoken, readings, 2 * request.jobs):
            if task.fault:
                yield Excluded(task.id, task.fault, selection=True)
                continue
            yield Utterance(task.id, folder / f"{task.id}.wav", task.text, task.speaker.name)
            advance(round(min(made + length, seconds)) - round(made))
            made += length
            if made >= seconds:
                return
    log.warning(
        "%s: the texts last %.1f minutes, less than 'minutes: %g'. Give the language more texts.",
        *(name, made / 60, seconds / 60),
    )


def sentences(request: CorpusRequest, reading: Reading) -> Iterator[str]:
    """Yield the language's free sentences, not normalised, from its texts."""
    texts = corpus.texts_to_read(reading.texts, reading.voice)
    for text in texts:
        if Path(text).is_file():
            yield from (line for _, line in text_files.lines(Path(text)))
        else:
            yield from corpus.raw_sentences(text, request)
    if not texts:
        yield from free_texts.sentences(request, reading.voice)


def ordered(texts: Iterable[str], reading: Reading) -> list[str]:
    """The sentences that are read, normalised, each once, in an order by hash.

    They have a suitable number of words, all of which the language can write.
    """
    normal = (reading.words(text) for text in texts)
    distinct = {" ".join(words) for words in normal if WORDS[0] <= len(words) <= WORDS[1]}
    return sorted(distinct, key=lambda text: hashlib.sha256(text.encode()).digest())


def tasks(
    name: str,
    texts: Sequence[str],
    speakers: Sequence[Speaker],
    speeds: Sequence[float],
    reading: Reading,
    vocabulary: Mapping[str, int],
) -> Iterator[Task]:
    """Yield who reads each sentence, and how. espeak-ng is asked for a piece of them at a time."""
    number = 0
    for piece in workers.chunks(texts, PIECE):
        for text, ipa in zip(piece, reading.ipa(piece), strict=True):
            tokens, unknown = kokoro_ipa.tokens(ipa, reading.voice, vocabulary)
            fault = ""
            if unknown:
                fault = f"Kokoro has no sign for the IPA {' '.join(sorted(unknown))}"
            elif not 0 < len(tokens) <= kokoro.ROWS:
                fault = f"its IPA has {len(tokens)} characters; Kokoro reads 1 to {kokoro.ROWS}"
            speaker = speakers[number % len(speakers)]
            speed = round(speeds[0] + (speeds[1] - speeds[0]) * draw("speed", text), 3)
            number += 1
            yield Task(f"{name}-{number:06d}", text, speaker, speed, tokens, fault)


def _spoken(job: tuple[Task, Path, Path, int]) -> tuple[Task, float]:
    """In a worker process: make the wav of a task unless it is there; return its seconds."""
    task, model, folder, rate = job
    if task.fault:
        return task, 0.0
    final = folder / f"{task.id}.wav"
    if not final.is_file():
        samples = kokoro.speak(model, task.tokens, task.speaker, task.speed)
        result = resampling.dithered(samples.astype(np.float64), task.text, kokoro.RATE, rate)
        with replacing_path(final) as partial:
            resampling.save(partial, result, rate)
        return task, len(result) / rate
    try:
        return task, soundfile.info(final).duration
    except soundfile.SoundFileError as error:
        raise cached_folder.damaged(final, f" cannot be read ({error})") from None


def _folder(
    request: CorpusRequest,
    voice: str,
    group: str,
    speakers: Sequence[Speaker],
    speeds: Sequence[float],
    texts: Sequence[str],
) -> Path:
    """The folder of wavs at ``request.rate``, 16-bit mono, to which minutes are added."""
    plan = "\n".join([*(speaker.name for speaker in speakers), *texts])
    description = (
        f"version {VERSION}\nonnxruntime {version('onnxruntime')}\nrate {request.rate}\n"
        f"speakers and texts {hashlib.sha256(plan.encode()).hexdigest()}\n"
    ) + "".join(package.line for package in kokoro.PACKAGES)
    if voice != request.language:  # another voice pronounces the same texts differently
        description += f"voice {voice}\n"
    if speeds != SPEEDS:
        description += f"speeds {' '.join(map(str, speeds))}\n"
    return cached_folder.growing(request.data / f"voices_{request.language}_{group}", description)
