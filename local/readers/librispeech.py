"""LibriSpeech and Mini LibriSpeech (OpenSLR 12 and 31), in the folder that the recipe names.

``LibriSpeech/PART/SPEAKER/CHAPTER/SPEAKER-CHAPTER.trans.txt`` has a line an utterance,
``SPEAKER-CHAPTER-NNNN WORDS``; the audio is beside, ``SPEAKER-CHAPTER-NNNN.flac``.
"""

from collections.abc import Iterator
from pathlib import Path

from cascade.corpora.corpus import CorpusRequest, Detection, Excluded, Utterance
from cascade.runtime.errors import UserError
from local.helpers import lists as text

LICENCE = "librispeech: LibriSpeech, CC-BY-4.0."
SOURCE = "https://www.openslr.org/12"
PARTS = (
    "dev-clean",
    "dev-other",
    "test-clean",
    "test-other",
    "train-clean-100",
    "train-clean-360",
    "train-other-500",
    "dev-clean-2",
    "train-clean-5",
)
LOOKS_FOR = "PART/SPEAKER/CHAPTER/*.trans.txt"


def utterances(request: CorpusRequest) -> Iterator[Utterance | Excluded]:
    """Yields the utterances by speaker and chapter; raises `UserError`."""
    transcripts = lists(request)
    for transcript in transcripts:
        listed = set()
        for _, name, words in text.pairs(transcript):
            listed.add(name)
            audio = transcript.parent / f"{name}.flac"
            if not audio.is_file() and audio.with_suffix(".wav").is_file():  # often converted
                audio = audio.with_suffix(".wav")
            yield Utterance(id=name, audio=audio, text=words, speaker=name.partition("-")[0])
        for audio in text.shown(transcript.parent.glob("*.flac")):
            if audio.stem not in listed:
                reason = f"{transcript.name} has no line of it"
                yield Excluded(audio.stem, reason, selection=True)
    chapters = {transcript.parent for transcript in transcripts}
    found = (audio for audio in find(request).rglob("*.flac") if audio.parent not in chapters)
    for audio in text.shown(found):
        yield Excluded(audio.stem, f"{audio.parent} has no transcript, *.trans.txt")


def lists(request: CorpusRequest) -> list[Path]:
    folder = find(request)
    found = text.shown(folder.rglob("*.trans.txt"))
    if not found:
        raise UserError(f"{folder} has no transcripts, SPEAKER/CHAPTER/*.trans.txt.")
    return found


def detect(request: CorpusRequest) -> Detection | None:
    """Whether the folder is LibriSpeech's, has it, or is a part of it."""
    for folder in (request.path, request.path / "LibriSpeech"):
        there = [p for p in PARTS if next(folder.glob(f"{p}/*/*/*.trans.txt"), None)]
        if there:
            parts = {
                role: tuple(part for part in there if part.startswith(begin))
                for role, begin in (("train", "train"), ("valid", "dev"), ("test", "test"))
            }
            parts = {role: names for role, names in parts.items() if names}
            return Detection(f"LibriSpeech: it has {', '.join(there)}", parts)
    found = next(request.path.glob("*/*/*.trans.txt"), None)
    return Detection(f"a part of LibriSpeech: it has {found.name}") if found else None


def find(request: CorpusRequest) -> Path:
    """The folder of the part: named itself, or within LibriSpeech's."""
    path = text.folder(
        "librispeech", request.path, "LibriSpeech's folder, or that of a part", SOURCE
    )
    if request.part is None or path.name == request.part:
        return path
    for folder in (path / request.part, path / "LibriSpeech" / request.part):
        if folder.is_dir():
            return folder
    inside = path / "LibriSpeech" if (path / "LibriSpeech").is_dir() else path
    parts = [folder for folder in sorted(inside.iterdir()) if folder.name in PARTS]
    raise UserError(
        f"{path} has no part '{request.part}'; of LibriSpeech it has {text.among(parts)}."
    )
