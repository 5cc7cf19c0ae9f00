"""What a folder contains: which corpus module reads it, and which of its parts is for what."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from types import ModuleType

from cascade.corpora import corpus
from cascade.corpora.audio import SUFFIXES
from cascade.corpora.corpus import CorpusRequest, Detection
from cascade.runtime.errors import UserError
from cascade.runtime.file_names import on_disk

# Names of the folders that are a corpus's parts.
FOLDERS = {
    "train": ("train", "training"),
    "valid": ("valid", "validation", "val", "dev"),
    "test": ("test", "eval"),
}
ARCHIVES = (".gz", ".tgz", ".bz2", ".xz", ".zst", ".tar", ".zip", ".7z", ".rar")
MANY = 100_000  # files; enough to see what kind of folder it is


@dataclass(frozen=True)
class CorpusPart:
    """A corpus, or a part of one, and its possible role: train, valid or test."""

    role: str
    language: str
    corpus: str
    path: Path | None
    part: str | None = None


def find_parts(where: str, request: CorpusRequest) -> tuple[str, list[CorpusPart]]:
    """Find what ``where`` has for a language: a folder or file, or a corpus that is fetched.

    Returns a phrase on how it is read, and its parts with their roles. A corpus without parts
    is one part, ``train``. Raises `UserError` if no reader detects it, or more than one.
    """
    path = on_disk(Path(where))
    language = request.language
    if not path.exists():
        module = corpus.load(where) if where in corpus.names() else None
        if module is None or hasattr(module, "detect"):
            raise UserError(f"There is no folder {where}.")
        own = [CorpusPart(r, language, where, None, r) for r in FOLDERS if r in module.PARTS]
        return "a corpus that is fetched", own or [CorpusPart("train", language, where, None)]
    name, detection = _detect(path, request)
    if detection is None or not detection.sure:
        folders = list(_role_folders(path, request))
        if any(part.role == "train" for part, _ in folders):
            names = ", ".join(folder.name for _, folder in folders)
            parts = [part for part, _ in folders]
            return f"{parts[0].corpus}, in the folders {names}", parts
    if detection is None:
        raise UserError(_refusal(path))
    own = [
        CorpusPart(role, language, name, path, part)
        for role in FOLDERS
        for part in detection.parts.get(role, ())
    ]
    return detection.why, own or [CorpusPart("train", language, name, path)]


def _detect(path: Path, request: CorpusRequest) -> tuple[str, Detection | None]:
    """Return the corpus module that reads ``path``; raise `UserError` if several do."""
    asked = replace(request, path=path)
    detections: dict[str, Detection] = {}
    for name, module in _readers():
        if detection := module.detect(asked):
            detections[name] = detection
    detections = {name: d for name, d in detections.items() if d.sure} or detections
    if len(detections) > 1:
        ways = ", and as ".join(f"'{name}' ({d.why})" for name, d in detections.items())
        raise UserError(
            f"{path} can be read as {ways}. Name the table or the manifest itself, or a folder"
            f" with only one of them."
        )
    return next(iter(detections.items()), ("", None))


def _readers() -> Iterator[tuple[str, ModuleType]]:
    for name, file in corpus.modules().items():
        if "\ndef detect(" in file.read_text(encoding="utf-8"):  # others may need more packages
            yield name, corpus.load(name)


def _role_folders(path: Path, request: CorpusRequest) -> Iterator[tuple[CorpusPart, Path]]:
    """Yield the folders for training, validation and test that ``path`` has."""
    for role, names in FOLDERS.items():
        for name in names:
            folder = path / name
            if folder.is_dir():
                module, detection = _detect(folder, request)
                if detection is not None and not detection.parts:
                    yield CorpusPart(role, request.language, module, folder), folder
                    break


def _refusal(path: Path) -> str:
    """Say why no reader detects ``path``: what to do, or else what it has and what is expected."""
    modules = (module for _, module in _readers() if hasattr(module, "advice"))
    if advice := [sentence for module in modules if (sentence := module.advice(path))]:
        return f"{path} cannot be read as it is: {'; '.join(advice)}."
    if path.is_file() and path.suffix.lower() in ARCHIVES:
        return f"{path} looks like an archive. Unpack it, and name the folder that it contains."
    if path.is_file():
        return f"{path} is not a table or manifest of a known form. {_layouts()}"
    walk = ((folder, file) for folder, _, files in os.walk(path) for file in sorted(files))
    files = [Path(folder) / file for folder, file in islice(walk, MANY)]
    if not files:
        return f"{path} is empty."
    recordings = [file for file in files if file.suffix.lower() in SUFFIXES]
    others = [file for file in files if file not in set(recordings)]
    names = ", ".join(sorted(str(file.relative_to(path)) for file in others)[:5]) or "none"
    if recordings:
        count, first = len(recordings), recordings[0].name
        plural = "s" if count > 1 else ""
        what = f"has {count} recording{plural}, such as {first}, but no transcripts of a known form"
    else:
        what = "has neither recordings nor lists of recordings of a known form"
    return f"{path} {what} (other files: {names}). {_layouts()}"


def _layouts() -> str:
    layouts = "; ".join(f"{name}: {module.LOOKS_FOR}" for name, module in _readers())
    return (
        f"Known layouts: {layouts}. The simplest is a table.tsv beside the recordings, with the"
        f" columns path and text."
    )
