"""A folder that is made once, and again when what it is made from changes."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

from cascade.runtime.errors import UserError
from cascade.runtime.files import write_text

MARKER = ".complete"


def provide(final: Path, description: str, fill: Callable[[Path], None]) -> Path:
    """Return ``final``, made by ``fill`` unless it is complete.

    ``fill`` writes into an empty folder beside it, which is renamed at the end: an interrupted
    run leaves nothing that looks complete. ``description`` says what the contents are made
    from. It is kept in the folder, and another one makes the folder again.
    """
    marker = final / MARKER
    if marker.is_file() and marker.read_text(encoding="utf-8") == description:
        return final
    partial = final.with_name(f"{final.name}.partial")
    if partial.exists():  # of an interrupted run
        shutil.rmtree(partial)
    partial.mkdir(parents=True)
    fill(partial)
    (partial / MARKER).write_text(description, encoding="utf-8")
    if final.exists():
        shutil.rmtree(final)
    partial.rename(final)
    return final


def growing(final: Path, description: str) -> Path:
    """Return the folder ``final`` and a digest of ``description``, to which files are added.

    Each file must appear at once, by renaming: an interrupted run leaves complete files, and the
    next one adds the others. Another description is another folder. It is kept in the folder.
    """
    digest = hashlib.sha256(description.encode()).hexdigest()[:12]
    folder = final.with_name(f"{final.name}.{digest}")
    if not (folder / MARKER).is_file():
        write_text(folder / MARKER, description)
    return folder


def damaged(path: Path, problem: str) -> UserError:
    """The error for a ``path`` in such a folder with a ``problem``: it says what to delete."""
    folder = next((p for p in (path, *path.parents) if (p / MARKER).is_file()), path.parent)
    return UserError(f"{path}{problem}. Delete {folder} and run again: it will be made again.")
