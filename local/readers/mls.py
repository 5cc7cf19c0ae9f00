"""Multilingual LibriSpeech (OpenSLR 94).

``mls_polish/PART/transcripts.txt`` has the texts, after a tab. The audio of the first line is
``audio/4217/1653/4217_1653_000000.flac`` beside it, or ``.opus`` in ``mls_polish_opus``::

    4217_1653_000000	nie było jeszcze południa
    4217_1653_000001	kto tam zapytała cicho
    5090_2210_000014	wrócili do domu przed nocą

The parts 9hr and 1hr are those of limited supervision: their ``handles.txt`` lists utterances of
the training part.
"""

from collections.abc import Iterator
from pathlib import Path

from cascade.corpora.corpus import CorpusRequest, Detection, Excluded, Utterance
from cascade.runtime.errors import UserError
from local.helpers import folders, text_files

LICENCE = "mls: Multilingual LibriSpeech, CC-BY-4.0."
SOURCE = "https://www.openslr.org/94"
PARTS = ("train", "dev", "test", "9hr", "1hr")
LOOKS_FOR = "mls_LANGUAGE, or in it train/transcripts.txt"

LIMITED = "limited_supervision"
ROLES = {"train": "train", "valid": "dev", "test": "test"}
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
    """Yield the utterances of a part in the order of its list.

    Raises `UserError` if a list is missing or empty.
    """
    transcripts, *handles = lists(request)
    chosen = {line.strip() for path in handles for _, line in text_files.lines(path)}
    missing = set(chosen)
    suffix = ".flac"
    empty = True
    for _, name, text in text_files.pairs(transcripts):
        empty = False
        missing.discard(name)
        if handles and name not in chosen:
            continue
        speaker, book = [*name.split("_"), ""][:2]
        audio = transcripts.parent / "audio" / speaker / book / f"{name}{suffix}"
        if not audio.is_file():
            others = (s for s in (".flac", ".opus", ".wav") if audio.with_suffix(s).is_file())
            suffix = next(others, suffix)
        yield Utterance(name, audio.with_suffix(suffix), text, speaker)
    if empty:
        raise UserError(f"{transcripts} is empty. It must have a line for each recording.")
    for name in sorted(missing):
        yield Excluded(name, f"it is in handles.txt, but not in train/{transcripts.name}")


def lists(request: CorpusRequest) -> list[Path]:
    """The transcripts, and the lists of handles for a part of limited supervision."""
    part = request.part or "train"
    folder = find(request)
    if part not in ("9hr", "1hr"):
        return [folder / part / "transcripts.txt"]
    limited = folder / "train" / LIMITED / part
    handles = [file for file in folders.files(limited) if file.name == "handles.txt"]
    if not handles:
        raise UserError(f"{limited} has no handles.txt, which lists the utterances of '{part}'.")
    return [folder / "train" / "transcripts.txt", *handles]


def detect(request: CorpusRequest) -> Detection | None:
    """Whether the folder, or that of the language in it, has transcripts."""
    for folder in _folders(request):
        parts = {r: (p,) for r, p in ROLES.items() if (folder / p / "transcripts.txt").is_file()}
        if parts:
            return Detection(f"MLS: {folder.name} has transcripts.txt", parts)
    return None


def advice(path: Path) -> str | None:
    """What to name in place of the folder of a part."""
    if not (path / "transcripts.txt").is_file():
        return None
    return f"it is one part of MLS. Name the folder above it, {path.parent}"


def find(request: CorpusRequest) -> Path:
    """The folder of the language, named itself or among others; raises `UserError`."""
    what = "a folder such as mls_polish, or one that contains it"
    path = folders.existing("mls", request.path, what, SOURCE)
    name, part = _name(request), request.part if request.part in ("dev", "test") else "train"
    for folder in _folders(request):
        if (folder / part / "transcripts.txt").is_file():
            return folder
    languages = [folder for folder in sorted(path.glob("mls_*")) if folder.is_dir()]
    raise UserError(
        f"{path} has neither {part}/transcripts.txt nor a folder {name} with it; its languages:"
        f" {folders.names(languages)}. Correct 'path:' in the recipe."
    )


def _name(request: CorpusRequest) -> str:
    return f"mls_{LANGUAGES.get(request.language, request.language)}"


def _folders(request: CorpusRequest) -> tuple[Path, Path, Path]:
    """Where the language may be: in the folder itself, or in one below."""
    path, name = folders.named(request), _name(request)
    return path, path / name, path / f"{name}_opus"
