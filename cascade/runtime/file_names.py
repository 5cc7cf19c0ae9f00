"""File names that a list writes in another Unicode normal form than the disk has them.

A Mac writes ``ё`` as two characters, ``е`` and a combining mark (NFD); lists mostly have one (NFC).
"""

import functools
import os
import unicodedata
from pathlib import Path

from cascade.runtime.errors import UserError


def on_disk(path: Path) -> Path:
    """Return the file or folder that ``path`` means; ``path`` itself if there is none.

    Raises `UserError` if the names of several differ only in their normal form, and none is
    ``path``.
    """
    if str(path).isascii() or path.exists():
        return path
    folder = on_disk(path.parent)
    if not folder.is_dir():
        return path
    same = _names(folder, folder.stat().st_mtime_ns).get(_form(path.name), [])
    if len(same) > 1:
        raise UserError(
            f"{folder} has {len(same)} files named '{path.name}', which differ only in their"
            " Unicode normal form, and none has the form of the list. Rename one of them"
        )
    return folder / (same[0] if same else path.name)


def _form(name: str) -> str:
    return unicodedata.normalize("NFC", name)


@functools.lru_cache(maxsize=64)
def _names(folder: Path, _mtime_ns: int) -> dict[str, list[str]]:
    names: dict[str, list[str]] = {}
    for name in sorted(os.listdir(folder)):
        if not name.isascii():
            names.setdefault(_form(name), []).append(name)
    return names
