"""What a .deb file holds, written into a folder without root and without surprises."""

import subprocess
import tarfile
from collections.abc import Sequence
from pathlib import Path

from cascade.runtime.errors import UserError


def extract(file: Path, folder: Path, prefixes: Sequence[str] | None = None) -> None:
    """Unpacks the .deb ``file`` into ``folder``, or only members whose path begins so.

    Raises `UserError` for a file that ``dpkg-deb`` cannot read, for a member that would
    leave the folder, and for a prefix under which there is nothing at all.
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
        raise UserError(f"{file} cannot be unpacked: {why}. Delete it and run again.")
    if count == 0:
        raise UserError(f"{file} holds nothing under {', '.join(prefixes or ['.'])}.")


def _members(tar: tarfile.TarFile, file: Path, folder: Path, prefixes: Sequence[str] | None) -> int:
    """Extracts the chosen members one by one; returns how many there were."""
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
        f"{file} was refused at its member '{member.name}': {why}. A package of Debian's "
        "has no such member; delete the file and fetch it anew."
    )
