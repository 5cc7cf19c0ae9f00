"""Message catalogues of gettext: a text and its translation."""

import struct
from collections.abc import Iterator
from pathlib import Path

from cascade.runtime.errors import UserError

MAGIC = 0x950412DE


def pairs(path: Path) -> Iterator[tuple[str, str]]:
    """Yields text and translation of a ``.mo`` file, the first form where there are plurals.

    The header, which is the translation of nothing, is left out. Source: the GNU gettext
    manual, "The Format of GNU MO Files". Raises `UserError` for a damaged file.
    """
    data = path.read_bytes()
    try:
        order = "<" if struct.unpack_from("<I", data)[0] == MAGIC else ">"
        magic, _, count, texts, translations = struct.unpack_from(f"{order}5I", data)
        if magic != MAGIC:
            raise ValueError("it does not begin as such a file does")
        for index in range(count):
            text, translation = (
                _string(data, order, table + 8 * index) for table in (texts, translations)
            )
            if text:
                yield text, translation
    except (struct.error, ValueError) as error:
        raise UserError(
            f"{path} is no message catalogue: {error}. Delete its folder and run again."
        ) from None


def _string(data: bytes, order: str, at: int) -> str:
    """The string that the length and offset at byte ``at`` of ``data`` tell of."""
    length, offset = struct.unpack_from(f"{order}2I", data, at)
    if offset + length > len(data):
        raise ValueError("it is cut short")
    return data[offset : offset + length].split(b"\0")[0].decode("utf-8")
