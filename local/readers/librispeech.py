"""LibriSpeech and Mini LibriSpeech (OpenSLR 12 and 31).

``LibriSpeech/PART/SPEAKER/CHAPTER/SPEAKER-CHAPTER.trans.txt`` has the texts of the recordings
``SPEAKER-CHAPTER-NNNN.flac`` beside it::

    103-1240-0000 CHAPTER ONE
    103-1240-0001 IT WAS A COLD MORNING AND NOBODY HAD LIT THE FIRE
    103-1240-0002 WHO IS THERE SHE ASKED
"""

from collections.abc import Iterator
from pathlib import Path

from cascade.corpora.corpus import CorpusRequest, Detection, Excluded, Utterance
from cascade.runtime.errors import UserError
from local.helpers import folders, text_files

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
ROLES = {"train": "train", "valid": "dev", "test": "test"}  # how parts begin


def utterances(request: CorpusRequest) -> Iterator[Utterance | Excluded]:
    """Yield the utterances by speaker and chapter; raises `UserError` if there is no transcript."""
    transcripts = lists(request)
    for transcript in transcripts:
        listed = set()
        for _, name, text in text_files.pairs(transcript):
            listed.add(name)
            audio = transcript.parent / f"{name}.flac"
            if not audio.is_file() and audio.with_suffix(".wav").is_file():  # often converted
                audio = audio.with_suffix(".wav")
            yield Utterance(id=name, audio=audio, text=text, speaker=name.partition("-")[0])
        for audio in folders.visible(transcript.parent.glob("*.flac")):
            if audio.stem not in listed:
                yield Excluded(audio.stem, f"it has no line in {transcript.name}", selection=True)
    chapters = {transcript.parent for transcript in transcripts}
    recordings = (file for file in folders.files(find(request)) if file.suffix == ".flac")
    for audio in folders.visible(file for file in recordings if file.parent not in chapters):
        yield Excluded(audio.stem, f"{audio.parent} has no transcript, *.trans.txt")


def lists(request: CorpusRequest) -> list[Path]:
    """The transcripts."""
    folder = find(request)
    transcripts = folders.visible(
        file for file in folders.files(folder) if file.name.endswith(".trans.txt")
    )
    if not transcripts:
        raise UserError(
            f"{folder} has no transcripts, SPEAKER/CHAPTER/*.trans.txt. Name LibriSpeech's folder,"
            " or that of a part."
        )
    return transcripts


def detect(request: CorpusRequest) -> Detection | None:
    """Whether the folder is LibriSpeech's, contains it, or is a part of it."""
    path = folders.named(request)
    for folder in (path, path / "LibriSpeech"):
        there = [p for p in PARTS if next(folder.glob(f"{p}/*/*/*.trans.txt"), None)]
        if there:
            parts = {
                role: tuple(part for part in there if part.startswith(begin))
                for role, begin in ROLES.items()
            }
            parts = {role: names for role, names in parts.items() if names}
            return Detection(f"LibriSpeech: it has {', '.join(there)}", parts)
    transcript = next(path.glob("*/*/*.trans.txt"), None)
    return Detection(f"a part of LibriSpeech: it has {transcript.name}") if transcript else None


def find(request: CorpusRequest) -> Path:
    """The folder of the part, named itself or in LibriSpeech's; raises `UserError`."""
    what = "LibriSpeech's folder, or that of a part"
    path = folders.existing("librispeech", request.path, what, SOURCE)
    if request.part is None or path.name == request.part:
        return path
    for folder in (path / request.part, path / "LibriSpeech" / request.part):
        if folder.is_dir():
            return folder
    inside = path / "LibriSpeech" if (path / "LibriSpeech").is_dir() else path
    parts = [folder for folder in sorted(inside.iterdir()) if folder.name in PARTS]
    raise UserError(
        f"{path} has no part '{request.part}'; its parts: {folders.names(parts)}. Correct 'part:'"
        " or 'path:' in the recipe."
    )
