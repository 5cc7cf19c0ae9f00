"""Files whose SHA-256 is recorded: they are fetched once, and checked.

Whoever fetches one later gets the same bytes or an error. A file that is already in the folder of
downloads is used as it is.
"""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from cascade.runtime.errors import UserError


class RecordedFile(Protocol):
    """A package of which one ``file`` is fetched, with its SHA-256."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def file(self) -> str: ...
    @property
    def digest(self) -> str: ...


File = TypeVar("File", bound=RecordedFile)


def provide(
    packages: Sequence[File], downloads: Path, download: Callable[[list[File]], None]
) -> list[Path]:
    """Return the packages' files in ``downloads``, in order; ``download`` fetches those not there.

    Raises `UserError` for a file whose digest is not the recorded one.
    """
    missing = []
    for package in packages:
        path = downloads / package.file
        if path.exists():
            check(path, package, "Delete it and run again: it will be fetched again.")
        else:
            missing.append(package)
    if missing:
        downloads.mkdir(parents=True, exist_ok=True)
        download(missing)
    return [downloads / package.file for package in packages]


def check(path: Path, package: RecordedFile, remedy: str) -> None:
    """Raise `UserError` with ``remedy`` unless ``path`` has the package's digest."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != package.digest:
        raise UserError(
            f"{path} is not the recorded file of {package.name} {package.version}: its SHA-256"
            f" is {digest}, expected {package.digest}. {remedy}"
        )


def not_fetched(
    packages: Sequence[RecordedFile], downloads: Path, why: str, kind: str = ""
) -> UserError:
    """The error that says which file to put where; ``kind`` is that of the packages."""
    files = "\n".join(
        f"  {package.file}  (package {package.name}, version {package.version}, "
        f"SHA-256 {package.digest})"
        for package in packages
    )
    return UserError(
        f"Cannot fetch {len(packages)} {kind}package(s); {why}. Fetch these on another "
        f"machine, put them into {downloads} and run again:\n{files}"
    )
