"""A folder that is made once, and again when what it is made from changes."""

import shutil
from collections.abc import Callable
from pathlib import Path

from cascade.runtime.errors import UserError

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


def damaged(path: Path, problem: str) -> UserError:
    """The error for a ``path`` in such a folder with a ``problem``: it says what to delete."""
    folder = next((p for p in (path, *path.parents) if (p / MARKER).is_file()), path.parent)
    return UserError(f"{path}{problem}. Delete {folder} and run again: it will be made again.")
