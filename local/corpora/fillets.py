"""Dialogues of the game Fish Fillets in any language: the scripts, the sounds, the choice.

Two fish talk while the player thinks, each with a voice of its own; so do some creatures
that they meet. The lines are those of ``script/LEVEL/*dialogs_XX.lua``, the recordings
``sound/LEVEL/.../XX/ID.ogg``, 22 or 44 kHz, of one channel or two.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import soundfile

from cascade.corpora.corpus import CorpusRequest, Excluded, Utterance
from cascade.runtime.errors import UserError
from local.helpers import debian, resampling

PARTS = ("train", "valid", "test")

SCRIPTS = debian.Package(
    "fillets-ng-data",
    "1.0.1-1.1",
    {"all": "25de89afd8b1adf7bcace8290248a6a22c89cd42300317e69000e162c032cf84"},
)
GAME = "usr/share/games/fillets-ng/"
FEWEST_WORDS = 3
SLOWEST, FASTEST = 5, 18  # letters a second; beyond are effects, songs and other texts

STRING = r'"((?:[^"\\]|\\.)*)"'
LINE = re.compile(
    rf"dialogId\(\s*{STRING}\s*,\s*{STRING}\s*,\s*{STRING}\s*\)"  # id, font, English
    rf"(?:\s*dialogStr\(\s*{STRING}\s*\))?"
)
COMMENT = re.compile(r"^\s*--.*$", re.MULTILINE)
WORD = re.compile(r"[^\W\d_]+")

Key = tuple[str, str]  # level, identifier


@dataclass(frozen=True)
class Line:
    """A line of a dialogue; ``character`` is the font that the game prints it in."""

    character: str
    text: str


def listing(
    request: CorpusRequest, corpus: str, language: str, sounds: debian.Package, letters: str
) -> Iterator[Utterance | Excluded]:
    """Yields the lines of ``request.part``, or all, level by level in alphabetical order.

    ``letters`` are the lower-case letters of the language. What is no speech that can be
    read as it is written is excluded, with the reason; so is a second copy of a recording.
    """
    game = unpacked(request, corpus, sounds)
    parts = levels(game)
    lines = {key: line for level in parts for key, line in parse(game, level, language)}
    found = recordings(game / "sound", language)
    wavs = resampling.folder(
        {name(*key): path for key, path in found.items()},
        request.data / corpus / f"wav_{request.rate}",
        f"{sounds.name} {sounds.version} {sounds.digest}\n",
        request.rate,
        request.jobs,
    )
    heard: set[bytes] = set()
    for key in sorted(lines.keys() | found.keys()):
        wav = wavs / f"{name(*key)}.wav"
        seconds = soundfile.info(wav).duration if key in found else None
        why = reason(lines.get(key), seconds, letters)
        if why is None:
            digest = hashlib.sha256(found[key].read_bytes()).digest()
            why = "the recording of another line, too" if digest in heard else None
            heard.add(digest)
        if request.part not in (None, parts[key[0]]):
            continue
        identifier = f"{corpus}-{name(*key)}"
        if why:
            yield Excluded(identifier, why, seconds, selection=True)
        else:
            line = lines[key]
            yield Utterance(identifier, wav, line.text, f"{corpus}-{line.character}")


def unspoken(
    request: CorpusRequest, corpus: str, language: str, sounds: debian.Package
) -> Iterator[str]:
    """Yields the texts without a sound in the levels of ``train``, for a language model."""
    game = unpacked(request, corpus, sounds)
    found = recordings(game / "sound", language)
    for level, its_part in levels(game).items():
        if its_part == "train":
            for key, line in parse(game, level, language):
                if key not in found:
                    yield line.text


def unpacked(request: CorpusRequest, corpus: str, sounds: debian.Package) -> Path:
    """The folder of the game, its scripts and sounds fetched and unpacked."""
    kept = (f"{GAME}script/", f"{GAME}sound/", "usr/share/doc/")
    return debian.unpack((SCRIPTS, sounds), request, f"{corpus}/packages", kept) / GAME


def levels(game: Path) -> dict[str, str]:
    """All levels in alphabetical order, those that nobody speaks in, too; and their parts.

    So a level is in the same part in every language.
    """
    names = sorted(path.name for path in (game / "script").iterdir() if path.is_dir())
    return {level: part(index) for index, level in enumerate(names)}


def part(index: int) -> str:
    """The part of the level at 0-based ``index`` of all; a dialogue is never divided."""
    return {8: "valid", 9: "test"}.get(index % 10, "train")


def parse(game: Path, level: str, language: str) -> Iterator[tuple[Key, Line]]:
    """Yields the lines of a level's scripts; the text is empty where there is none.

    Raises `UserError` for an identifier that comes twice.
    """
    seen = set()
    for path in sorted((game / "script" / level).glob(f"*dialogs_{language}.lua")):
        for match in LINE.finditer(COMMENT.sub("", path.read_text(encoding="utf-8"))):
            identifier, font, _, text = match.groups()
            if identifier in seen:
                raise UserError(f"{path}: a second line '{identifier}'. Unpack the package anew.")
            seen.add(identifier)
            text = re.sub(r"\\(.)", r"\1", text or "")  # an escaped quote or backslash
            yield (level, identifier), Line(font.removeprefix("font_") or "unknown", text)


def recordings(folder: Path, language: str) -> dict[Key, Path]:
    """The sounds of a language; the level is the first folder below ``folder``.

    Raises `UserError` where there is none, and where two have one name.
    """
    found: dict[Key, Path] = {}
    for path in sorted(folder.glob(f"**/{language}/*.ogg")):
        key = (path.relative_to(folder).parts[0], path.stem)
        if key in found:
            raise UserError(f"{path} and {found[key]} have one name. Unpack the package anew.")
        found[key] = path
    if not found:
        raise UserError(f"{folder} has no sounds of '{language}'. Unpack the package anew.")
    return found


def reason(line: Line | None, seconds: float | None, letters: str) -> str | None:
    """Why a line is left out, or None; the first reason that holds is given."""
    if seconds is None:
        return "no sound for this text"
    if line is None:
        return "no text for this sound"
    if seconds == 0:
        return "a sound without samples"
    if not line.text:
        return "an empty text: a noise"
    if any(char.isdigit() for char in line.text):
        return "digits in the text"
    words = WORD.findall(line.text.lower())
    if len(words) < FEWEST_WORDS:
        return f"fewer than {FEWEST_WORDS} words"
    if not set("".join(words)) <= set(letters):
        return "letters of another language"
    speed = sum(map(len, words)) / seconds
    if speed < SLOWEST:
        return f"fewer than {SLOWEST} letters a second"
    if speed > FASTEST:
        return f"more than {FASTEST} letters a second"
    return None


def name(level: str, identifier: str) -> str:
    """A line's name, unlike that of any other."""
    return f"{level}-{identifier}"
