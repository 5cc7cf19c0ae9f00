"""Recordings with their text beside them: ``x.wav`` and ``x.txt``, in folders or one.

The text is all that ``x.txt`` (or ``x.lab``) holds, UTF-8. Where recordings lie in several
folders, each is a speaker's; where all are in one, who speaks is not known.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from cascade.corpora.audio import SUFFIXES
from cascade.corpora.corpus import CorpusRequest, Detection, Excluded, Utterance
from cascade.runtime.errors import UserError
from local.helpers import lists as text
from local.readers.table import identifier

LICENCE = "beside: your own recordings, under whatever licence they have."
PARTS = ()
LOOKS_FOR = "x.txt or x.lab beside a recording x.wav"

TEXTS = (".txt", ".lab")


def utterances(request: CorpusRequest) -> Iterator[Utterance | Excluded]:
    """Yields the recordings that have a text, sorted by their path; raises `UserError`."""
    root = find(request)
    recordings = sorted(_recordings(root))
    several = len({audio.parent for audio in recordings}) > 1
    stems = set()
    for audio in recordings:
        stems.add(audio.with_suffix(""))
        name = identifier(audio.relative_to(root), root)
        beside = _text(audio)
        if beside is None:
            yield Excluded(name, f"there is no {audio.stem}.txt beside {audio}", selection=True)
            continue
        said = " ".join(line.strip() for _, line in text.lines(beside))
        speaker = identifier(audio.parent.relative_to(root) / "x", root).removesuffix("x")
        speaker = speaker.rstrip("-") if several else ""
        yield Utterance(name, audio, said, speaker)
    for beside in lists(request):
        if beside.with_suffix("") not in stems:
            name = identifier(beside.relative_to(root), root)
            yield Excluded(name, f"there is no recording beside {beside}", selection=True)


def lists(request: CorpusRequest) -> list[Path]:
    """The texts."""
    root = find(request)
    return text.shown(path for path in root.rglob("*") if path.suffix.lower() in TEXTS)


def detect(request: CorpusRequest) -> Detection | None:
    """Whether some recording has a text beside it. Corpora with lists may, too."""
    if not request.path.is_dir():
        return None
    for audio in _recordings(request.path):
        if beside := _text(audio):
            return Detection(f"recordings with their text beside: {beside.name}", sure=False)
    return None


def find(request: CorpusRequest) -> Path:
    path = text.folder("beside", request.path, "a folder of recordings with their texts")
    if not any(_recordings(path)):
        raise UserError(f"{path} has no recordings ({', '.join(sorted(SUFFIXES))}).")
    return path


def _recordings(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        folders.sort()
        for file in sorted(files):
            if Path(file).suffix.lower() in SUFFIXES and not file.startswith("."):
                yield Path(folder) / file


def _text(audio: Path) -> Path | None:
    beside = (audio.with_suffix(suffix) for suffix in (*TEXTS, *map(str.upper, TEXTS)))
    return next((path for path in beside if path.is_file()), None)
