"""What a folder holds: which corpus module reads it, and what its own parts are for."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from cascade.corpora import corpus
from cascade.corpora.audio import SUFFIXES
from cascade.corpora.corpus import CorpusRequest, Detection
from cascade.runtime.errors import UserError

# Folders that are a corpus's parts, where a folder of them is named.
FOLDERS = {
    "train": ("train", "training"),
    "valid": ("valid", "validation", "val", "dev"),
    "test": ("test", "eval"),
}
ARCHIVES = (".gz", ".tgz", ".bz2", ".xz", ".zst", ".tar", ".zip", ".7z", ".rar")
MANY = 100_000  # files; enough to tell what kind of folder it is


@dataclass(frozen=True)
class Source:
    """A corpus, or a part of one, and what it may be for: train, valid or test."""

    role: str
    language: str
    corpus: str
    path: Path | None
    part: str | None = None


def sources(where: str, request: CorpusRequest) -> tuple[str, list[Source]]:
    """What ``where``, a folder or file, or a corpus that is fetched, holds for a language.

    Returns a sentence on how it is read, and its parts by role. One of no parts is all
    ``train``. Raises `UserError` if no reader detects it, or more than one.
    """
    path = Path(where)
    language = request.language
    if not path.exists():
        module = corpus.load(where) if where in corpus.names() else None
        if module is None or hasattr(module, "detect"):
            raise UserError(f"There is no folder {where}.")
        own = [Source(r, language, where, None, r) for r in FOLDERS if r in module.PARTS]
        return "a corpus that is fetched", own or [Source("train", language, where, None)]
    name, found = _detect(replace(request, path=path))
    if found is None or not found.sure:
        parts = list(_folders(path, request))
        if any(source.role == "train" for source in parts):
            names = ", ".join(source.path.name for source in parts)
            return f"{parts[0].corpus}, in the folders {names}", parts
    if found is None:
        raise UserError(_unknown(path))
    own = [
        Source(role, language, name, path, part)
        for role in FOLDERS
        for part in found.parts.get(role, ())
    ]
    if own and own[0].role != "train":  # what there is has to be divided anew
        first = own[0].role
        own = [replace(source, role="train") for source in own if source.role == first]
    return found.why, own or [Source("train", language, name, path)]


def _detect(request: CorpusRequest) -> tuple[str, Detection | None]:
    """The corpus module that reads ``request.path``; raises `UserError` where several do."""
    found = {}
    for name, module in _readers():
        if detection := module.detect(request):
            found[name] = detection
    found = {name: r for name, r in found.items() if r.sure} or found
    if len(found) > 1:
        ways = ", and as ".join(f"'{name}' ({r.why})" for name, r in found.items())
        raise UserError(
            f"{request.path} can be read as {ways}: name the table or the manifest itself,"
            f" or a folder that has but one of them."
        )
    return next(iter(found.items()), ("", None))


def _readers() -> Iterator[tuple[str, object]]:
    for name in corpus.names():
        module = corpus.load(name)
        if hasattr(module, "detect"):
            yield name, module


def _folders(path: Path, request: CorpusRequest) -> Iterator[Source]:
    """The folders for training, validation and test that ``path`` has."""
    for role, names in FOLDERS.items():
        for name in names:
            if (path / name).is_dir():
                inside = replace(request, path=path / name)
                module, found = _detect(inside)
                if found is not None and not found.parts:
                    yield Source(role, request.language, module, inside.path)
                    break


def _unknown(path: Path) -> str:
    """Why no reader detects it: what to do, or else what there is and was looked for."""
    modules = (module for _, module in _readers() if hasattr(module, "advice"))
    if advice := [said for module in modules if (said := module.advice(path))]:
        return f"{path} cannot be read as it is: {'; '.join(advice)}."
    if path.is_file() and path.suffix.lower() in ARCHIVES:
        return f"{path} looks like an archive: unpack it, and name the folder that comes out."
    if path.is_file():
        return f"{path} is no table or manifest that is known. {_looked_for()}"
    walk = ((folder, file) for folder, _, files in os.walk(path) for file in sorted(files))
    files = [Path(folder) / file for folder, file in islice(walk, MANY)]
    if not files:
        return f"{path} is empty."
    recordings = [file for file in files if file.suffix.lower() in SUFFIXES]
    others = [file for file in files if file not in set(recordings)]
    names = ", ".join(sorted(str(file.relative_to(path)) for file in others)[:5]) or "none"
    if recordings:
        count, first = len(recordings), recordings[0].name
        what = f"has {count} recordings, such as {first}, and no text that is known"
    else:
        what = "has no recordings, and no lists of any that are known"
    return f"{path} {what} (other files: {names}). {_looked_for()}"


def _looked_for() -> str:
    known = "; ".join(f"{name}: {module.LOOKS_FOR}" for name, module in _readers())
    return (
        f"Looked for was {known}. The simplest is a table.tsv beside the recordings, with the"
        f" columns path and text."
    )
