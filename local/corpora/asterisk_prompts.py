"""Telephone prompts of Asterisk in any language: the list, the sounds, the choice.

There are two packages of each voice: G.722, 16 kHz, and wav, 8 kHz, as telephones have it.
The recipe's sampling rate says which one is taken.

A corpus is its sentences, of three words or more; prompts of one word or two are a part of
their own, ``short``.
"""

import gzip
import logging
import wave
from collections.abc import Iterator, Mapping
from functools import partial as bound
from pathlib import Path

import av
import numpy as np

from cascade.corpora.corpus import CorpusRequest, Excluded, Utterance
from cascade.runtime.errors import UserError
from local.helpers import debian, progress

log = logging.getLogger("cascade")

PARTS = ("train", "valid", "test", "short")
RATE = 16000  # Hz, of G.722
FEWEST_WORDS = 3
FASTEST = 20  # letters a second: beyond is the description of a sound, or another text


def listing(
    request: CorpusRequest,
    corpus: str,
    language: str,
    texts: debian.Package,
    sounds: Mapping[int, debian.Package],
    letters: str,
) -> Iterator[Utterance | Excluded]:
    """Yields the prompts of ``request.part``, or all, in the order of their list; then sounds
    without text.

    ``sounds`` are the packages by sampling rate, ``letters`` the lower-case letters of the
    language. What is no sentence that can be read as it is written is excluded, with the
    reason. Raises `UserError` for a rate that there is no package of.
    """
    package = sounds.get(request.rate)
    if package is None:
        raise UserError(
            f"Corpus '{corpus}' has no recordings at {request.rate} Hz: set features.rate to one"
            f" of {', '.join(map(str, sounds))}, or take another corpus."
        )
    place = f"{corpus}/packages_{request.rate}"
    source = debian.unpack((texts, package), request, place, ["usr/share/"])
    prompts = parse(source / f"usr/share/doc/{texts.name}/core-sounds-{language}.txt.gz")
    files = _sounds(source / "usr/share/asterisk/sounds")
    wavs = _wavs(request, corpus, files, package)
    seconds = {key: duration(wav) for key, wav in wavs.items()}

    numbers: dict[str, int] = {}
    for key in [*prompts, *(key for key in files if key not in prompts)]:
        number = numbers.setdefault(letters_of(prompts.get(key) or key), len(numbers))
        short = request.part == "short"
        if short != is_short(prompts.get(key) or "") and request.part:
            continue
        if request.part not in (None, "short", part(number)):
            continue
        if key not in files:
            why = "no sound for this text"
        elif key not in prompts:
            why = "no text for this sound"
        elif seconds[key] == 0:
            why = "a sound without samples"
        elif prompts[key] is None:
            why = "two texts for this sound"
        else:
            why = reason(key, prompts[key], letters, 1 if short else FEWEST_WORDS)
            why = why or hurried(prompts[key], seconds[key])
        name = f"{corpus}-{flat(key)}"
        if why:
            yield Excluded(name, why, seconds.get(key), selection=True)
        else:
            yield Utterance(name, wavs[key], prompts[key], corpus)


def part(number: int) -> str:
    """The part of the 0-based ``number``-th text of the list: a seventh each is valid and test."""
    return {5: "valid", 6: "test"}.get(number % 7, "train")


def letters_of(text: str) -> str:
    """By which texts are told apart: what differs in punctuation alone must be in one part."""
    return "".join(char for char in text.lower() if char.isalpha())


def parse(path: Path) -> dict[str, str | None]:
    """Texts by key from lines ``key: text``, None where there are two; ``;`` starts a comment.

    Raises `UserError` for a line of another form.
    """
    texts: dict[str, str | None] = {}
    with gzip.open(path, "rt", encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            line = line.strip()
            if not line or line.startswith(";"):
                continue
            key, colon, text = line.partition(":")
            if not colon:
                raise UserError(f"{path}, line {number}: not 'key: text'. Unpack it anew.")
            texts[key] = None if key in texts else text.strip()
    return texts


def is_short(text: str) -> bool:
    """Whether a prompt is of one word or two, all in letters."""
    return 0 < len(words_of(text)) < FEWEST_WORDS and not any(char.isdigit() for char in text)


def words_of(text: str) -> list[str]:
    """What has letters, between spaces."""
    return [word for word in text.split() if any(char.isalpha() for char in word)]


def reason(key: str, text: str, letters: str, fewest: int = FEWEST_WORDS) -> str | None:
    """Why a prompt is left out, or None; the first reason that holds is given."""
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


def hurried(text: str, seconds: float) -> str | None:
    """Why a text cannot be that of a sound of ``seconds``, or None."""
    if len(letters_of(text)) > FASTEST * seconds:
        return f"more than {FASTEST} letters a second"
    return None


def flat(key: str) -> str:
    """A key without its folder's slash, for identifiers and file names."""
    return key.replace("/", "_")


def decode(source: Path, target: Path) -> None:
    """Decodes a G.722 file into a 16 kHz wav of 16-bit samples; beside, then renamed.

    An empty file becomes a wav without samples. Raises `UserError` where it cannot be
    decoded.
    """
    frames = [np.empty(0, "<i2")]
    try:
        if source.stat().st_size > 0:
            with av.open(str(source), format="g722") as container:
                frames += [frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)]
        samples = np.concatenate(frames).astype("<i2", casting="safe")
    except (av.error.FFmpegError, TypeError) as error:
        raise UserError(f"{source} cannot be decoded as G.722: {error}.") from None
    beside = target.with_name(target.name + ".partial")
    with wave.open(str(beside), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())
    beside.rename(target)


def duration(path: Path) -> float:
    """Seconds of a wav file."""
    with wave.open(str(path), "rb") as file:
        return file.getnframes() / file.getframerate()


def _sounds(folder: Path) -> dict[str, Path]:
    """Sound files by key, sorted; the key is the path under the voice's folder."""
    found = {}
    for path in sorted(folder.glob("*/**/*.*")):
        if path.suffix in (".g722", ".wav"):
            key = path.relative_to(folder).with_suffix("").as_posix().partition("/")[2]
            found[key] = path
    names = {flat(key) for key in found}
    if not found or len(names) < len(found):
        raise UserError(f"{folder} has no sounds, or two of one name. Unpack it anew.")
    return found


def _wavs(
    request: CorpusRequest, corpus: str, sounds: Mapping[str, Path], package: debian.Package
) -> dict[str, Path]:
    """A wav file by key: the package's own, or decoded where that is not done."""
    if request.rate != RATE:
        return dict(sounds)
    final = request.data / corpus / "wav"
    wavs = {key: final / f"{flat(key)}.wav" for key in sounds}
    description = f"{package.name} {package.version} {package.digest}\n"
    if debian.complete(final, description):
        return wavs
    log.info("Decoding %d sounds of %s into %s", len(sounds), package.name, final)
    partial = debian.restarted(final)
    work = bound(_decode_one, sounds, partial)
    for _ in progress.mapped(work, list(sounds), request.jobs, corpus):
        pass
    debian.finish(partial, final, description)
    return wavs


def _decode_one(sounds: Mapping[str, Path], folder: Path, key: str) -> None:
    decode(sounds[key], folder / f"{flat(key)}.wav")
