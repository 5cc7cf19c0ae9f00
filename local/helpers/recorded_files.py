"""Files whose SHA-256 is recorded: their check, and what to do where they cannot be fetched."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

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
