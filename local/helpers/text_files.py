"""The text files that corpora come with: UTF-8, read line by line, errors with the line."""

import codecs
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from cascade.runtime.errors import UserError

UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def decoded(path: Path) -> Iterator[str]:
    """Yield lines with their ends, without a byte order mark.

    Raises `UserError` for a file that cannot be read or is not UTF-8.
    """
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
    """Yield number and text of each line that is not blank; line ends are taken off."""
    for number, line in enumerate(decoded(path), 1):
        line = line.rstrip("\r\n")
        if line.strip():
            yield number, line


def pairs(path: Path) -> Iterator[tuple[int, str, str]]:
    """Yield number, first field and rest of each line, as Kaldi and LibriSpeech write them.

    The first field is in NFC, so that lists of several programs agree.

    ::

        103-1240-0000 CHAPTER ONE
        103-1240-0001 IT WAS A COLD MORNING
        103-1240-0002 NOBODY SPOKE
    """
    for number, line in lines(path):
        key, _, rest = line.strip().replace("\t", " ", 1).partition(" ")
        yield number, unicodedata.normalize("NFC", key), rest.strip()


class Lookup:
    """Values by key from a list that has them in about the order in which they are asked for.

    Lines are read only as far as needed: of lists in the same order, one line is in memory. A
    value is returned once, or with ``keep`` any number of times.
    """

    def __init__(self, path: Path, keep: bool = False) -> None:
        self.path = path
        self._lines = pairs(path)
        self._waiting: dict[str, str] = {}
        self._keep = keep

    def get(self, key: str) -> str | None:
        """The rest of the line that begins with ``key``, or None.

        Raises `UserError` if a key appears twice.
        """
        key = unicodedata.normalize("NFC", key)
        while key not in self._waiting:
            number, next_key, rest = next(self._lines, (0, "", ""))
            if not number:
                return None
            if next_key in self._waiting:
                raise UserError(
                    f"{self.path}, line {number}: '{next_key}' appears twice. Remove one of its"
                    " lines."
                )
            self._waiting[next_key] = rest
        return self._waiting[key] if self._keep else self._waiting.pop(key)

    def left(self) -> Iterator[str]:
        """The keys that were not asked for."""
        yield from self._waiting
        for _, key, _ in self._lines:
            yield key
