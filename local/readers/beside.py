"""Recordings with their texts beside them: ``x.wav`` and ``x.txt``.

The text is all that ``x.txt`` (or ``x.lab``) contains, in UTF-8. If recordings are in several
folders, each folder is a speaker; if all are in one, the speaker is unknown::

    anna/01.wav    anna/01.txt    Добрый день!
    anna/02.wav    anna/02.txt    Как пройти на вокзал?
    boris/01.wav   boris/01.txt   Спасибо.
"""

import unicodedata
from collections.abc import Iterator
from pathlib import Path

from cascade.corpora.audio import SUFFIXES
from cascade.corpora.corpus import CorpusRequest, Detection, Excluded, Utterance
from cascade.runtime.errors import UserError
from cascade.runtime.file_names import on_disk
from local.helpers import folders, text_files
from local.readers.table import identifier

LICENCE = "beside: your own recordings, under whatever licence they have."
PARTS = ()
LOOKS_FOR = "x.txt or x.lab beside a recording x.wav"

TEXTS = (".txt", ".lab")


def utterances(request: CorpusRequest) -> Iterator[Utterance | Excluded]:
    """Yield the recordings that have a text, sorted by path.

    Raises `UserError` if there is no recording, two have one text, or a text is not UTF-8.
    """
    root = find(request)
    recordings = sorted(_recordings(root))
    several = len({audio.parent for audio in recordings}) > 1
    stems: dict[str, Path] = {}
    for audio in recordings:
        stem = unicodedata.normalize("NFC", str(audio.with_suffix("")))
        if stem in stems:
            raise UserError(f"{stems[stem]} and {audio} have the same text. Remove one of them.")
        stems[stem] = audio
        name = identifier(audio.relative_to(root), root)
        file = _text(audio)
        if file is None and request.transcribed:
            yield Excluded(name, f"there is no {audio.stem}.txt beside {audio}", selection=True)
            continue
        text = " ".join(line.strip() for _, line in text_files.lines(file)) if file else ""
        speaker = identifier(audio.parent.relative_to(root) / "x", root).removesuffix("x")
        yield Utterance(name, audio, text, speaker.rstrip("-") if several else "")
    for file in lists(request):
        if unicodedata.normalize("NFC", str(file.with_suffix(""))) not in stems:
            name = identifier(file.relative_to(root), root)
            yield Excluded(name, f"there is no recording beside {file}", selection=True)


def lists(request: CorpusRequest) -> list[Path]:
    """The texts."""
    root = find(request)
    return folders.visible(path for path in folders.files(root) if path.suffix.lower() in TEXTS)


def detect(request: CorpusRequest) -> Detection | None:
    """Whether some recording has a text beside it; corpora with lists may have one, too.

    Where the speech need not be transcribed, recordings are enough.
    """
    for audio in _recordings(folders.named(request)):
        if not request.transcribed:
            return Detection(f"recordings, such as {audio.name}", sure=False)
        if file := _text(audio):
            why = f"recordings with their texts beside them, such as {file.name}"
            return Detection(why, sure=False)
    return None


def find(request: CorpusRequest) -> Path:
    """The folder, if it has recordings; else raises `UserError`."""
    path = folders.existing("beside", request.path, "a folder of recordings with their texts")
    if not any(_recordings(path)):
        raise UserError(
            f"{path} has no recordings, files that end in {', '.join(sorted(SUFFIXES))}."
        )
    return path


def _recordings(root: Path) -> Iterator[Path]:
    """Recordings below ``root``; none if it is a file."""
    for file in folders.files(root):
        if file.suffix.lower() in SUFFIXES and not file.name.startswith("."):
            yield file


def _text(audio: Path) -> Path | None:
    files = (on_disk(audio.with_suffix(suffix)) for suffix in (*TEXTS, *map(str.upper, TEXTS)))
    return next((path for path in files if path.is_file()), None)
