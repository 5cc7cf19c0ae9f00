"""Telephone prompts of Asterisk in any language: their list, their sounds, and which are taken.

A language has a package with the texts and two with the sounds: G.722 at 16 kHz, and wav at
8 kHz, as telephones have it. The recipe's sampling rate says which one is taken.

Sentences of three words or more are divided into train, valid and test. Prompts of one or two
words are the part ``short``.
"""

import gzip
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import soundfile

from cascade.corpora.corpus import CorpusRequest, Excluded, Utterance
from cascade.runtime.errors import UserError
from local.helpers import cached_folder, debian, resampling, threads

log = logging.getLogger("cascade")

PARTS = ("train", "valid", "test", "short")
VERSION = "1.6.1-1"
SOUNDS = "usr/share/asterisk/sounds"
RATE = 16000  # Hz, of G.722
SUFFIXES = {RATE: "-g722", 8000: "-wav"}  # of the packages with sounds
FEWEST_WORDS = 3
FASTEST = 20  # letters a second: above it, the text describes a sound or is another one


@dataclass(frozen=True)
class Prompts:
    """The prompts of a language: its lower-case ``letters``, and SHA-256 of its packages.

    ``texts`` is that of the package with the list, ``sounds`` are those by sampling rate in Hz.
    """

    language: str
    letters: str
    texts: str
    sounds: Mapping[int, str]

    @property
    def corpus(self) -> str:
        return f"asterisk_{self.language}"

    @property
    def list_package(self) -> debian.Package:
        return debian.Package(f"asterisk-core-sounds-{self.language}", VERSION, {"all": self.texts})

    def sound_package(self, rate: int) -> debian.Package:
        """The sounds at ``rate`` Hz; raises `UserError` if there are none."""
        if rate not in self.sounds:
            rates = " or ".join(map(str, self.sounds))
            raise UserError(
                f"Corpus '{self.corpus}' has no recordings at {rate} Hz. Set features.rate to"
                f" {rates}, or take another corpus."
            )
        name = f"{self.list_package.name}{SUFFIXES[rate]}"
        return debian.Package(name, VERSION, {"all": self.sounds[rate]})

    def list_file(self, folder: Path) -> Path:
        """The list in the ``folder`` where the packages are unpacked."""
        return folder / (
            f"usr/share/doc/{self.list_package.name}/core-sounds-{self.language}.txt.gz"
        )


def listing(request: CorpusRequest, prompts: Prompts) -> Iterator[Utterance | Excluded]:
    """Yield the prompts of ``request.part``, or all, in list order; then sounds without text.

    A prompt that is not read as it is written is excluded, with the reason. Raises `UserError`
    if there are no sounds at ``request.rate``.
    """
    corpus = prompts.corpus
    package = prompts.sound_package(request.rate)
    source = debian.unpack(
        (prompts.list_package, package),
        request,
        f"{corpus}/packages_{request.rate}",
        ["usr/share/"],
    )
    texts = parse(prompts.list_file(source))
    sounds = recordings(source / SOUNDS)
    wavs = _wavs(request, corpus, sounds, package)

    numbers: dict[str, int] = {}
    for key in [*texts, *(key for key in sounds if key not in texts)]:
        text = texts.get(key)
        number = numbers.setdefault(letters_of(text or key), len(numbers))
        short = request.part == "short"
        if short != is_short(text or "") and request.part:
            continue
        if request.part not in (None, "short", part(number)):
            continue
        seconds = soundfile.info(wavs[key]).duration if key in wavs else None
        why: str | None
        if seconds is None:
            why = "no sound for this text"
        elif key not in texts:
            why = "no text for this sound"
        elif seconds == 0:
            why = "a sound without samples"
        elif text is None:
            why = "two texts for this sound"
        else:
            fewest = 1 if short else FEWEST_WORDS
            why = reason(key, text, prompts.letters, fewest) or too_fast(text, seconds)
            if why is None:
                yield Utterance(f"{corpus}-{flat(key)}", wavs[key], text, corpus)
                continue
        yield Excluded(f"{corpus}-{flat(key)}", why, seconds, selection=True)


def part(number: int) -> str:
    """The part of the text with 0-based ``number``: a seventh each is valid and test."""
    return {5: "valid", 6: "test"}.get(number % 7, "train")


def letters_of(text: str) -> str:
    """What tells texts apart: those that differ only in punctuation must be in one part.

    >>> letters_of("Press 1, please.") == letters_of("press please")
    True
    """
    return "".join(char for char in text.lower() if char.isalpha())


def parse(path: Path) -> dict[str, str | None]:
    """Texts by key; None if a key has two. Raises `UserError` for a line of another form.

    The gzipped list has comments and a line for each sound::

        ; the voice mailbox
        vm-goodbye: Goodbye, and thank you.
        digits/1: one
    """
    texts: dict[str, str | None] = {}
    with gzip.open(path, "rt", encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            line = line.strip()
            if not line or line.startswith(";"):
                continue
            key, colon, text = line.partition(":")
            if not colon:
                raise cached_folder.damaged(path, f", line {number} is not 'key: text'")
            texts[key] = None if key in texts else text.strip()
    return texts


def is_short(text: str) -> bool:
    """Whether a prompt is one or two words without digits."""
    return 0 < len(words_of(text)) < FEWEST_WORDS and not any(char.isdigit() for char in text)


def words_of(text: str) -> list[str]:
    """What has letters, between spaces."""
    return [word for word in text.split() if any(char.isalpha() for char in word)]


def reason(key: str, text: str, letters: str, fewest: int = FEWEST_WORDS) -> str | None:
    """Why a prompt is left out, or None; the first reason that holds."""
    if any(mark in text for mark in "[]<>()"):
        return "bracketed description of a sound"
    if len(words_of(text)) < fewest and not any(char.isdigit() for char in text):
        return f"fewer than {fewest} words"
    if text == key or text.startswith(f"{key}:"):  # nobody translated it
        return "its key in the text"
    if any(char.isdigit() for char in text):
        return "digits in the text"
    if any(char.isalpha() and char not in letters for char in text.lower()):
        return "letters of another language"
    return None


def too_fast(text: str, seconds: float) -> str | None:
    """Why a text is not that of a sound of ``seconds``, or None."""
    if len(letters_of(text)) > FASTEST * seconds:
        return f"more than {FASTEST} letters a second"
    return None


def flat(key: str) -> str:
    """A key without its folder's slash, for identifiers and file names."""
    return key.replace("/", "_")


def decode(source: Path, target: Path) -> None:
    """Decode a G.722 file into a 16 kHz wav; an empty one becomes a wav without samples.

    Raises `UserError` if it cannot be decoded.
    """
    frames = [np.empty(0, "<i2")]
    try:
        if source.stat().st_size > 0:
            with av.open(str(source), format="g722") as container:
                frames += [frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)]
        samples = np.concatenate(frames).astype("<i2", casting="safe")
    except (av.error.FFmpegError, TypeError) as error:
        raise cached_folder.damaged(source, f" cannot be decoded as G.722 ({error})") from None
    resampling.save(target, samples, RATE)


def recordings(folder: Path, voice: str = "*") -> dict[str, Path]:
    """Sound files by key, sorted; the key is the path below the folder of the ``voice``.

    Raises `UserError` if there is none, or two would have the same name.
    """
    sounds = {}
    for path in sorted(folder.glob(f"{voice}/**/*.*")):
        if path.suffix in (".g722", ".wav"):
            key = path.relative_to(folder).with_suffix("").as_posix().partition("/")[2]
            sounds[key] = path
    if not sounds or len({flat(key) for key in sounds}) < len(sounds):
        raise cached_folder.damaged(folder, " has no sounds, or two with the same name")
    return sounds


def _wavs(
    request: CorpusRequest, corpus: str, sounds: Mapping[str, Path], package: debian.Package
) -> Mapping[str, Path]:
    """A wav file by key: the package's own, or decoded from G.722."""
    if request.rate != RATE:
        return sounds
    final = request.data / corpus / "wav"

    def fill(partial: Path) -> None:
        log.info("Decoding %d sounds of %s into %s", len(sounds), package.name, final)

        def one(key: str) -> None:
            decode(sounds[key], partial / f"{flat(key)}.wav")

        threads.for_each(one, list(sounds), request.jobs, corpus)

    cached_folder.provide(final, package.line, fill)
    return {key: final / f"{flat(key)}.wav" for key in sounds}
