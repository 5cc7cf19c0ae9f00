"""Dialogues of the game Fish Fillets in any language: scripts, sounds, and which are taken.

Two fish talk while the player thinks, each with its own voice, and so do some creatures that
they meet. The lines are in ``script/LEVEL/*dialogs_XX.lua``, the recordings are
``sound/LEVEL/.../XX/ID.ogg``: 22 or 44 kHz, one channel or two.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import soundfile

from cascade.corpora.corpus import CorpusRequest, Excluded, Utterance
from local.helpers import cached_folder, debian, resampling

PARTS = ("train", "valid", "test")

VERSION = "1.0.1-1.1"
SCRIPTS = debian.Package(
    "fillets-ng-data",
    VERSION,
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
class Dialogues:
    """The dialogues of a language: its lower-case ``letters``, and SHA-256 of its ``sounds``."""

    language: str
    letters: str
    sounds: str

    @property
    def corpus(self) -> str:
        return f"fillets_{self.language}"

    @property
    def sound_package(self) -> debian.Package:
        return debian.Package(f"{SCRIPTS.name}-{self.language}", VERSION, {"all": self.sounds})


@dataclass(frozen=True)
class Line:
    """A line of a dialogue; ``character`` is the font that the game prints it in."""

    character: str
    text: str


def listing(request: CorpusRequest, dialogues: Dialogues) -> Iterator[Utterance | Excluded]:
    """Yield the lines of ``request.part``, or all, level by level in alphabetical order.

    A line that is not speech read as it is written is excluded, with the reason; so is a second
    copy of a recording.
    """
    corpus, language = dialogues.corpus, dialogues.language
    game = unpacked(request, dialogues)
    parts = levels(game)
    lines = {key: line for level in parts for key, line in parse(game, level, language)}
    sounds = recordings(game / "sound", language)
    wavs = resampling.folder(
        {name(*key): path for key, path in sounds.items()},
        request.data / corpus / f"wav_{request.rate}",
        dialogues.sound_package.line,
        request.rate,
        request.jobs,
    )
    digests: set[bytes] = set()
    for key in sorted(lines.keys() | sounds.keys()):
        line = lines.get(key)
        wav = wavs / f"{name(*key)}.wav"
        seconds = soundfile.info(wav).duration if key in sounds else None
        why = reason(line, seconds, dialogues.letters)
        if why is None:
            digest = hashlib.sha256(sounds[key].read_bytes()).digest()
            why = "another line has the same recording" if digest in digests else None
            digests.add(digest)
        if request.part not in (None, parts[key[0]]):
            continue
        identifier = f"{corpus}-{name(*key)}"
        if line is None or why:
            yield Excluded(identifier, why or "", seconds, selection=True)
        else:
            yield Utterance(identifier, wav, line.text, f"{corpus}-{line.character}")


def unspoken(request: CorpusRequest, dialogues: Dialogues) -> Iterator[str]:
    """Yield the texts without a sound in the levels of ``train``, for a language model."""
    game = unpacked(request, dialogues)
    sounds = recordings(game / "sound", dialogues.language)
    for level, its_part in levels(game).items():
        if its_part == "train":
            for key, line in parse(game, level, dialogues.language):
                if key not in sounds:
                    yield line.text


def unpacked(request: CorpusRequest, dialogues: Dialogues) -> Path:
    """The folder of the game; its scripts and sounds are fetched and unpacked."""
    prefixes = (f"{GAME}script/", f"{GAME}sound/", "usr/share/doc/")
    packages = (SCRIPTS, dialogues.sound_package)
    return debian.unpack(packages, request, f"{dialogues.corpus}/packages", prefixes) / GAME


def levels(game: Path) -> dict[str, str]:
    """All levels in alphabetical order, with the part of each.

    Levels in which nobody speaks count, so that a level is in the same part in every language.
    """
    names = sorted(path.name for path in (game / "script").iterdir() if path.is_dir())
    return {level: part(index) for index, level in enumerate(names)}


def part(index: int) -> str:
    """The part of the level at 0-based ``index``; a dialogue is never divided."""
    return {8: "valid", 9: "test"}.get(index % 10, "train")


def parse(game: Path, level: str, language: str) -> Iterator[tuple[Key, Line]]:
    """Yield the lines of a level's scripts; the text is empty if there is none.

    A script, in Lua, gives each line an identifier, a font and the English text, then its own::

        dialogId("kor-m-how", "font_small", "How did you get in here?")
        dialogStr("Hoe ben jij hier gekomen?")
        dialogId("kor-x-noise", "", "")

    Raises `UserError` for an identifier that appears twice.
    """
    identifiers = set()
    for path in sorted((game / "script" / level).glob(f"*dialogs_{language}.lua")):
        for match in LINE.finditer(COMMENT.sub("", path.read_text(encoding="utf-8"))):
            identifier, font, _, text = match.groups()
            if identifier in identifiers:
                raise cached_folder.damaged(path, f": the line '{identifier}' appears twice")
            identifiers.add(identifier)
            text = re.sub(r"\\(.)", r"\1", text or "")  # an escaped quote or backslash
            yield (level, identifier), Line(font.removeprefix("font_") or "unknown", text)


def recordings(folder: Path, language: str) -> dict[Key, Path]:
    """The sounds of a language; the level is the first folder below ``folder``.

    Raises `UserError` if there is none, or two have the same name.
    """
    sounds: dict[Key, Path] = {}
    for path in sorted(folder.glob(f"**/{language}/*.ogg")):
        key = (path.relative_to(folder).parts[0], path.stem)
        if key in sounds:
            raise cached_folder.damaged(path, f" has the same name as {sounds[key]}")
        sounds[key] = path
    if not sounds:
        raise cached_folder.damaged(folder, f" has no sounds of '{language}'")
    return sounds


def reason(line: Line | None, seconds: float | None, letters: str) -> str | None:
    """Why a line is left out, or None; the first reason that holds."""
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
    """A line's name, which no other line has."""
    return f"{level}-{identifier}"
