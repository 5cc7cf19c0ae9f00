"""Telephone prompts of Asterisk in any language: the list, the sounds, the choice."""

import gzip
import logging
import wave
from collections.abc import Iterator, Sequence
from functools import partial as bound
from pathlib import Path

import av
import numpy as np

from cascade.corpus import Excluded, Request, Utterance
from cascade.errors import UserError
from local import debian, progress

log = logging.getLogger("cascade")

RATE = 16000  # Hz, of G.722
FEWEST_WORDS = 3


def listing(
    request: Request,
    corpus: str,
    language: str,
    packages: Sequence[debian.Package],
    letters: str,
) -> Iterator[Utterance | Excluded]:
    """Yields the prompts of a language in the order of their list, then sounds without text.

    ``letters`` are the lower-case letters of the language. What is no sentence that can
    be read as it is written is excluded, with the reason.
    """
    source = debian.unpack(packages, request, f"{corpus}/packages", ("usr/share/",))
    texts = parse(source / f"usr/share/doc/{packages[0].name}/core-sounds-{language}.txt.gz")
    sounds = _sounds(source / "usr/share/asterisk/sounds")
    folder = _decoded(request, corpus, sounds, packages[-1])
    seconds = {key: duration(folder / f"{flat(key)}.wav") for key in sounds}

    for key, text in texts.items():
        name = f"{corpus}-{flat(key)}"
        if key not in sounds:
            why = "no sound for this text"
        elif seconds[key] == 0:
            why = "a sound without samples"
        else:
            why = reason(key, text, letters)
        if why:
            yield Excluded(name, why, seconds.get(key), selection=True)
        else:
            yield Utterance(name, folder / f"{flat(key)}.wav", text, corpus)
    for key in sounds:
        if key not in texts:
            name = f"{corpus}-{flat(key)}"
            yield Excluded(name, "no text for this sound", seconds[key], selection=True)


def parse(path: Path) -> dict[str, str]:
    """Texts by key from lines ``key: text``; ``;`` starts a comment.

    Raises `UserError` for a line of another form and for a key that comes twice.
    """
    texts: dict[str, str] = {}
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            line = line.strip()
            if not line or line.startswith(";"):
                continue
            key, colon, text = line.partition(":")
            if not colon or key in texts:
                fault = f"a second text for '{key}'" if colon else "not 'key: text'"
                raise UserError(f"{path}, line {number}: {fault}. Unpack the package anew.")
            texts[key] = text.strip()
    return texts


def reason(key: str, text: str, letters: str) -> str | None:
    """Why a prompt is left out, or None; the first reason that holds is given."""
    if any(mark in text for mark in "[]<>()"):
        return "bracketed description of a sound"
    words = [word for word in text.split() if any(char.isalpha() for char in word)]
    if len(words) < FEWEST_WORDS and not any(char.isdigit() for char in text):
        return f"fewer than {FEWEST_WORDS} words"
    if text == key or text.startswith(f"{key}:"):  # nobody translated it
        return "its key in the text"
    if any(char.isdigit() for char in text):
        return "digits in the text"
    if any(char.isalpha() and char not in letters for char in text.lower()):
        return "letters of another language"
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
    for path in sorted(folder.glob("*/**/*.g722")):
        key = path.relative_to(folder).with_suffix("").as_posix().partition("/")[2]
        found[key] = path
    names = {flat(key) for key in found}
    if not found or len(names) < len(found):
        raise UserError(f"{folder} has no sounds, or two of one name. Unpack it anew.")
    return found


def _decoded(
    request: Request, corpus: str, sounds: dict[str, Path], package: debian.Package
) -> Path:
    """The folder of decoded sounds, made where it is not complete."""
    final = request.data / corpus / "wav"
    description = f"{package.name} {package.version} {package.digest}\n"
    if debian.complete(final, description):
        return final
    log.info("Decoding %d sounds of %s into %s", len(sounds), package.name, final)
    partial = debian.restarted(final)
    work = bound(_decode_one, sounds, partial)
    for _ in progress.mapped(work, list(sounds), request.jobs, corpus):
        pass
    debian.finish(partial, final, description)
    return final


def _decode_one(sounds: dict[str, Path], folder: Path, key: str) -> None:
    decode(sounds[key], folder / f"{flat(key)}.wav")
