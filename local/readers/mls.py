"""Multilingual LibriSpeech (OpenSLR 94), in the folder that the recipe names.

``mls_polish/PART/transcripts.txt`` has a line an utterance, ``SPEAKER_BOOK_NNNNNN``, a tab
and the text; the audio is ``audio/SPEAKER/BOOK/SPEAKER_BOOK_NNNNNN.flac`` beside it, or
``.opus`` in ``mls_polish_opus``. The parts 9hr and 1hr are those of limited supervision.
"""

from collections.abc import Iterator
from pathlib import Path

from cascade.corpora.corpus import CorpusRequest, Detection, Excluded, Utterance
from cascade.runtime.errors import UserError
from local.helpers import lists as text

LICENCE = "mls: Multilingual LibriSpeech, CC-BY-4.0."
SOURCE = "https://www.openslr.org/94"
PARTS = ("train", "dev", "test", "9hr", "1hr")
LOOKS_FOR = "mls_LANGUAGE, or in it train/transcripts.txt"

LIMITED = "limited_supervision"
LANGUAGES = {  # of a recipe, and of a folder
    "en": "english",
    "de": "german",
    "nl": "dutch",
    "es": "spanish",
    "fr": "french",
    "it": "italian",
    "pt": "portuguese",
    "pl": "polish",
}


def utterances(request: CorpusRequest) -> Iterator[Utterance | Excluded]:
    """Yields the utterances of a part in the order of its list; raises `UserError`."""
    transcripts, *handles = lists(request)
    chosen = {line.strip() for path in handles for _, line in text.lines(path)}
    lost = set(chosen)
    suffix = ".flac"
    empty = True
    for _, name, words in text.pairs(transcripts):
        empty = False
        lost.discard(name)
        if handles and name not in chosen:
            continue
        speaker, book = [*name.split("_"), ""][:2]
        audio = transcripts.parent / "audio" / speaker / book / f"{name}{suffix}"
        if not audio.is_file():
            others = (s for s in (".flac", ".opus", ".wav") if audio.with_suffix(s).is_file())
            suffix = next(others, suffix)
        yield Utterance(name, audio.with_suffix(suffix), words, speaker)
    if empty:
        raise UserError(f"{transcripts} is empty.")
    for name in sorted(lost):
        yield Excluded(name, f"handles.txt has it, and {transcripts.name} of train does not")


def lists(request: CorpusRequest) -> list[Path]:
    """The transcripts, and the lists of handles where a part of the training is asked for."""
    part = request.part or "train"
    folder = find(request)
    if part not in ("9hr", "1hr"):
        return [folder / part / "transcripts.txt"]
    handles = sorted((folder / "train" / LIMITED / part).rglob("handles.txt"))
    if not handles:
        raise UserError(f"{folder / 'train' / LIMITED / part} has no handles.txt.")
    return [folder / "train" / "transcripts.txt", *handles]


def detect(request: CorpusRequest) -> Detection | None:
    """Whether the folder, or that of the language in it, has transcripts."""
    roles = {"train": "train", "valid": "dev", "test": "test"}
    for folder in _folders(request):
        parts = {r: (p,) for r, p in roles.items() if (folder / p / "transcripts.txt").is_file()}
        if parts:
            return Detection(f"MLS: {folder.name} has transcripts.txt", parts)
    return None


def advice(path: Path) -> str | None:
    """What to name in place of a part's own folder."""
    part = path / "transcripts.txt"
    return (
        f"it is a part of MLS. Name the folder that has it, {path.parent}"
        if part.is_file()
        else None
    )


def find(request: CorpusRequest) -> Path:
    """The folder of the language: named itself, or among others."""
    path = text.folder(
        "mls", request.path, "a folder such as mls_polish, or one that has it", SOURCE
    )
    name, part = _name(request), request.part if request.part in ("dev", "test") else "train"
    for folder in _folders(request):
        if (folder / part / "transcripts.txt").is_file():
            return folder
    languages = [folder for folder in sorted(path.glob("mls_*")) if folder.is_dir()]
    raise UserError(
        f"{path} has neither {part}/transcripts.txt nor a folder {name} with it; of MLS it has"
        f" {text.among(languages)}."
    )


def _name(request: CorpusRequest) -> str:
    return f"mls_{LANGUAGES.get(request.language, request.language)}"


def _folders(request: CorpusRequest) -> tuple[Path, ...]:
    """Where the language may be: in the folder itself, or one below."""
    path, name = request.path, _name(request)
    return (path, path / name, path / f"{name}_opus")
