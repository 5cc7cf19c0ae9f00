"""The text files that corpora come with: UTF-8, read line by line, errors by line."""

import codecs
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from cascade.runtime.errors import UserError

UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def decoded(path: Path) -> Iterator[str]:
    """Yields lines with their ends, without a byte order mark; raises `UserError`."""
    at = 0
    try:
        with path.open("rb") as stream:
            for number, raw in enumerate(stream, 1):
                if number == 1 and raw.startswith(UTF_16):
                    raise UserError(f"{path} is UTF-16. Save it as UTF-8.")
                marked = number == 1 and raw.startswith(codecs.BOM_UTF8)
                try:
                    yield raw.decode("utf-8-sig" if marked else "utf-8")
                except UnicodeDecodeError as error:
                    rest = error.object[error.start :]
                    raise UserError(
                        f"{path} is not UTF-8: line {number}, byte {at + len(raw) - len(rest)} of"
                        f" the file is 0x{rest[0]:02x}. Save it as UTF-8."
                    ) from None
                at += len(raw)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from None


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yields number and text of each line that is not blank, whatever its end."""
    for number, line in enumerate(decoded(path), 1):
        line = line.rstrip("\r\n")
        if line.strip():
            yield number, line


def pairs(path: Path) -> Iterator[tuple[int, str, str]]:
    """Yields number, first field and the rest of each line: Kaldi's and LibriSpeech's form."""
    for number, line in lines(path):
        key, _, rest = line.strip().replace("\t", " ", 1).partition(" ")
        yield number, key, rest.strip()


class Lookup:
    """Values by key from a list whose lines come in about the order they are asked for in.

    Lines are read as far as they are needed, so that of lists in the same order no more
    than a line is in memory. A value is given once, or with ``keep`` any number of times.
    """

    def __init__(self, path: Path, keep: bool = False):
        self.path = path
        self._lines = pairs(path)
        self._waiting: dict[str, str] = {}
        self._keep = keep

    def get(self, key: str) -> str | None:
        """The rest of the line that begins with ``key``, None where there is none."""
        while key not in self._waiting:
            number, found, rest = next(self._lines, (0, "", ""))
            if not number:
                return None
            if found in self._waiting:
                raise UserError(f"{self.path}, line {number}: '{found}' stands there twice.")
            self._waiting[found] = rest
        return self._waiting[key] if self._keep else self._waiting.pop(key)

    def left(self) -> Iterator[str]:
        """The keys that nobody asked for."""
        yield from self._waiting
        for _, key, _ in self._lines:
            yield key


class Above:
    """What the relative paths of a list are relative to: its folder, or one above that.

    The first path that there is tells, for all that come after. ``there`` says of a path
    whether it is one.
    """

    def __init__(self, folder: Path, there: Callable[[Path], bool] = Path.is_file):
        self._folder, self._there = folder, there
        self._root: Path | None = None

    def path(self, path: Path) -> Path:
        """Where ``path`` is, or would be in the list's own folder."""
        if self._root is None and not path.is_absolute():
            roots = (self._folder, *self._folder.absolute().parents, Path.cwd())
            self._root = next((root for root in roots if self._there(root / path)), None)
        return (self._root or self._folder) / path


def shown(paths: Iterable[Path]) -> list[Path]:
    """Sorted paths, without hidden files: beside each file a Mac leaves one, ``._x.wav``."""
    return sorted(path for path in paths if not path.name.startswith("."))


def folder(corpus: str, path: Path | None, what: str, source: str = "") -> Path:
    """``path`` if it is a folder; raises `UserError` that says ``what`` it must be.

    ``source`` is the address where a corpus that many people use is had.
    """
    had = f" It is had from {source}." if source else ""
    if path is None:
        raise UserError(f"Corpus '{corpus}' needs 'path:' in the recipe: {what}.{had}")
    if not path.is_dir():
        had += " Unpack it, and name its folder in the recipe's 'path:'." if source else ""
        raise UserError(f"There is no folder {path}. Corpus '{corpus}' needs {what}.{had}")
    return path


def among(folders: Sequence[Path]) -> str:
    """Names of folders for a message: the first few."""
    names = [path.name for path in folders]
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return ", ".join(names[:8]) + more if names else "nothing"
