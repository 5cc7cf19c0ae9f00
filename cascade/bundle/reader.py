"""Opening a bundle, a folder or a zip file, after all of it has been checked.

A bundle may come from anywhere. Only files that a bundle has are read or unpacked, none of them
under a path of its own; sizes are bounded before anything is unpacked, and every file must have
the digest that ``bundle.json`` names. A digest finds damage. It does not say who made the bundle.
"""

import errno
import hashlib
import json
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from cascade.bundle.manifest import MB, MOST, NAME, OPTIONAL, PHONE_MODELS, File, Manifest, parse
from cascade.runtime.errors import UserError

BLOCK = 1 << 20
RATIO = 200  # a file that is packed more than this many times smaller is not one of ours
KNOWN = {NAME, *MOST, *OPTIONAL}
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)


@dataclass(frozen=True)
class Bundle:
    """A bundle that has been checked: its name for messages, its folder, and ``bundle.json``."""

    name: str
    folder: Path
    manifest: Manifest

    def shape(self) -> dict[str, Any]:
        """Return what ``model.json`` says. Raises `UserError` where it is damaged."""
        try:
            shape = json.loads((self.folder / "model.json").read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            shape = None
        if not isinstance(shape, dict):
            raise UserError(f"{self.name} is refused: its model.json cannot be read.")
        return shape


@contextmanager
def opened(path: Path, only: tuple[str, ...] = ()) -> Iterator[Bundle]:
    """Yield the bundle at ``path``, a folder or a zip file, checked.

    A zip file is unpacked into a temporary folder, which is removed at the end. ``only`` names
    the files that are needed; default: all. Raises `UserError` for a bundle that is missing,
    damaged, of another format, or that has anything which a bundle does not have.
    """
    if path.is_dir():
        yield check_folder(path, only)
    elif path.is_file():
        with tempfile.TemporaryDirectory(prefix="cascade-bundle-") as temporary:
            yield Bundle(str(path), Path(temporary), unpack(path, Path(temporary), only))
    else:
        raise UserError(f"{path}: no bundle is there. Stage 7 packs one: SYSTEM/bundle.zip.")


@contextmanager
def weights(path: Path) -> Iterator[tuple[Path, Path]]:
    """Yield the folder of ``model.safetensors`` and the phone table of a model at ``path``.

    That is a bundle, or the folder of a trained system. Raises `UserError` as `opened` does.
    """
    if path.is_dir() and not (path / NAME).exists():
        yield path, path / "phones.txt"
        return
    with opened(path, ("model.safetensors", "tokens.txt")) as bundle:
        yield bundle.folder, bundle.folder / "tokens.txt"


def weight_files(path: Path) -> list[Path]:
    """Return the files that `weights` reads, whether or not they exist."""
    if path.is_file() or path.suffix == ".zip":
        return [path]
    packed = (path / NAME).exists()
    return [path / "model.safetensors", path / ("tokens.txt" if packed else "phones.txt")]


def check_folder(folder: Path, only: tuple[str, ...] = ()) -> Bundle:
    """Return the bundle in ``folder``. Raises `UserError` as `opened` does."""
    manifest_path = folder / NAME
    if not _is_file(manifest_path):
        raise UserError(f"{folder} is not a bundle: it has no {NAME}.")
    if manifest_path.stat().st_size > MB:
        raise UserError(f"{folder} is refused: its {NAME} is larger than 1 MB.")
    manifest = parse(manifest_path.read_bytes(), folder)
    for name in only or manifest.files:
        file = _named(manifest, name, folder)
        path = folder / name
        if not _is_file(path):
            raise UserError(f"{folder} is damaged: {name} is missing. Fetch it again.")
        with path.open("rb") as stream:
            _copy(stream, None, file, name, folder)
    return Bundle(str(folder), folder, manifest)


def unpack(path: Path, folder: Path, only: tuple[str, ...] = ()) -> Manifest:
    """Unpack the zip file at ``path`` into ``folder``. Raises `UserError` as `opened` does."""
    try:
        with zipfile.ZipFile(path) as packed:
            members = _members(packed, path)
            with packed.open(members[NAME]) as stream:
                content = stream.read(MB + 1)
            manifest = parse(content, path)
            for name in manifest.files:
                if name not in members:
                    raise UserError(f"{path} is damaged: {name} is missing. Fetch it again.")
            for name in members.keys() - manifest.files.keys() - {NAME}:
                raise UserError(f"{path} is refused: its {NAME} does not name {name}.")
            (folder / NAME).write_bytes(content)
            for name in only or manifest.files:
                file = _named(manifest, name, path)
                if members[name].file_size != file.size:
                    raise UserError(f"{path} is damaged: {name} has another size. Fetch it again.")
                with packed.open(members[name]) as stream, (folder / name).open("wb") as output:
                    _copy(stream, output, file, name, path)
    except (*BROKEN, OSError) as error:
        if isinstance(error, OSError) and error.errno != errno.EINVAL:  # as of a full disk
            raise
        raise UserError(
            f"{path} is damaged, or not a zip file ({error}). Fetch it again."
        ) from None
    return manifest


def _members(packed: zipfile.ZipFile, path: Path) -> dict[str, zipfile.ZipInfo]:
    """Return what a zip file has, by name; raise `UserError` for what no bundle has."""
    members: dict[str, zipfile.ZipInfo] = {}
    if NAME not in packed.namelist():
        raise UserError(f"{path} is not a bundle: it has no {NAME}.")
    for info in packed.infolist():
        name = info.filename
        if name in members:
            raise UserError(f"{path} is refused: it has {name} twice.")
        if name not in KNOWN:  # nor a path, then
            raise UserError(f"{path} is refused: no bundle has a file '{name}'.")
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG):
            raise UserError(f"{path} is refused: {name} is a link, not a file.")
        if info.flag_bits & 1 or info.compress_type not in METHODS:
            raise UserError(f"{path} is refused: {name} is encrypted, or packed in another way.")
        if info.file_size > RATIO * max(info.compress_size, 1024):
            raise UserError(f"{path} is refused: {name} would be {info.file_size} bytes unpacked.")
        members[name] = info
    if members[NAME].file_size > MB:
        raise UserError(f"{path} is refused: its {NAME} is larger than 1 MB.")
    return members


def _named(manifest: Manifest, name: str, where: Path) -> File:
    if name not in manifest.files:
        again = " Pack it again with this version of cascade." if name == PHONE_MODELS else ""
        raise UserError(f"{where} has no {name}.{again}")
    return manifest.files[name]


def _is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _copy(stream: IO[bytes], output: IO[bytes] | None, file: File, name: str, where: Path) -> None:
    """Copy a file, or only read it; raise `UserError` where it is not the one that is named."""
    digest, size = hashlib.sha256(), 0
    while block := stream.read(BLOCK):
        size += len(block)
        if size > file.size:
            break
        digest.update(block)
        if output:
            output.write(block)
    if size != file.size or digest.hexdigest() != file.sha256:
        raise UserError(f"{where} is damaged: {name} has another content. Fetch it again.")
