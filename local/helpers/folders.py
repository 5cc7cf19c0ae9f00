"""The user's folder: whether it is there, what it contains, and what paths are relative to."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from cascade.corpora.corpus import CorpusRequest
from cascade.runtime.errors import UserError
from cascade.runtime.file_names import on_disk

FIRST = 8  # of many folders, these are named


def named(request: CorpusRequest) -> Path:
    """The path that the recipe names; raises `UserError` if it names none."""
    if request.path is None:
        raise UserError("A corpus of your own needs 'path:' in the recipe.")
    return request.path


def existing(corpus: str, path: Path | None, what: str, source: str = "") -> Path:
    """``path`` if it is a folder; else raises `UserError`, which says ``what`` it must be.

    ``source`` is the address from which the corpus can be downloaded.
    """
    download = f"Download it from {source}, unpack it, and name its folder" if source else ""
    if path is None:
        download = f" {download} there." if source else ""
        raise UserError(f"Corpus '{corpus}' needs 'path:' in the recipe: {what}.{download}")
    if not path.is_dir():
        remedy = f"{download or 'Name an existing one'} in 'path:' of the recipe."
        raise UserError(f"There is no folder {path}. Corpus '{corpus}' needs {what}. {remedy}")
    return path


def visible(paths: Iterable[Path]) -> list[Path]:
    """Sorted paths without hidden files: beside each file a Mac may leave one, ``._x.wav``."""
    return sorted(path for path in paths if not path.name.startswith("."))


def files(root: Path) -> Iterator[Path]:
    """All files below a folder, in order; none if it is a file.

    Links to folders are followed, but each folder is visited once. Raises `UserError` for a folder
    that cannot be read.
    """

    def fail(error: OSError) -> None:
        raise UserError(
            f"{error.filename} cannot be read: {error.strerror}. Make it readable, or move it away."
        )

    visited = set()
    tree = os.walk(root, onerror=fail, followlinks=True) if root.is_dir() else ()
    for folder, subfolders, inside in tree:
        if (real := os.path.realpath(folder)) in visited:
            subfolders.clear()
            continue
        visited.add(real)
        subfolders.sort()
        yield from (Path(folder) / name for name in sorted(inside))


def names(folders: Sequence[Path]) -> str:
    """Names of folders or files for a message: the first few, or "none".

    >>> names([Path("x/en"), Path("x/ru")])
    'en, ru'
    """
    others = f" and {len(folders) - FIRST} more" if len(folders) > FIRST else ""
    return ", ".join(path.name for path in folders[:FIRST]) + others or "none"


class RelativeTo:
    """What the relative paths of a list are relative to: its folder, or one above that.

    Kaldi and Lhotse take paths from where a recipe runs. The first path of the list that
    exists below one of these folders decides for all. ``exists`` says whether a path does.
    """

    def __init__(
        self, folder: Path, exists: Callable[[Path], bool] = lambda path: on_disk(path).is_file()
    ) -> None:
        self._folder, self._exists = folder, exists
        self._root: Path | None = None

    def path(self, path: Path) -> Path:
        """Where ``path`` is; if it is nowhere, where it would be in the list's own folder."""
        if self._root is None and not path.is_absolute():
            roots = (self._folder, *self._folder.absolute().parents, Path.cwd())
            self._root = next((root for root in roots if self._exists(root / path)), None)
        return (self._root or self._folder) / path
