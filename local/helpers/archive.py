"""The contents of a .deb file, unpacked into a folder without root.

``dpkg-deb`` reads the outer archive: it may be compressed with zstd, which Python 3.11 cannot read.
"""

import subprocess
import tarfile
from collections.abc import Sequence
from pathlib import Path

from cascade.runtime.errors import UserError


def extract(file: Path, folder: Path, prefixes: Sequence[str] | None = None) -> None:
    """Unpack the .deb ``file`` into ``folder``, or only members whose path begins so.

    Raises `UserError` for a file that ``dpkg-deb`` cannot read, for a member that would
    leave the folder, and if nothing is under any of the prefixes.
    """
    try:
        process = subprocess.Popen(
            ["dpkg-deb", "--fsys-tarfile", str(file.resolve())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    except FileNotFoundError:
        raise UserError(f"dpkg-deb, which unpacks {file}, is missing. Install dpkg.") from None
    failure = None
    count = 0
    with process:
        assert process.stdout and process.stderr  # pipes
        try:
            with tarfile.open(fileobj=process.stdout, mode="r|") as tar:
                count = _members(tar, file, folder, prefixes)
            process.stdout.read()  # padding: without it dpkg-deb dies of a closed pipe
        except tarfile.TarError as error:
            failure = error
        except BaseException:
            process.kill()
            raise
        complaint = process.stderr.read().decode(errors="replace").strip()
    if process.returncode != 0 or failure is not None:
        why = (complaint or str(failure)).splitlines()[-1]
        raise UserError(f"{file} cannot be unpacked ({why}). Delete it and run again.")
    if count == 0:
        raise UserError(f"{file} has nothing under {', '.join(prefixes or ['.'])}.")


def _members(tar: tarfile.TarFile, file: Path, folder: Path, prefixes: Sequence[str] | None) -> int:
    """Extract the chosen members one by one; return how many there were."""
    count = 0
    for member in tar:
        name = member.name.removeprefix("./")
        if prefixes is not None and not name.startswith(tuple(prefixes)):
            continue
        # The filter would quietly make an absolute path a relative one.
        if name.startswith("/"):
            raise _refused(file, member, "its path is absolute")
        try:
            tar.extract(member, folder, filter="data")
        except tarfile.FilterError as error:
            raise _refused(file, member, str(error)) from None
        count += not member.isdir()
    return count


def _refused(file: Path, member: tarfile.TarInfo, why: str) -> UserError:
    return UserError(
        f"{file} was refused because of its member '{member.name}': {why}. No package of Debian"
        " has such a member. Delete the file and run again: it will be fetched again."
    )
