"""Message catalogues of gettext: texts and their translations.

Python's gettext reads such files, too, but gives no public list of what is in them.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

from local.helpers import cached_folder

MAGIC = 0x950412DE


def pairs(path: Path) -> Iterator[tuple[str, str]]:
    """Yield text and translation of a ``.mo`` file; of plurals, the first form.

    The header, which is the translation of nothing, is left out. Source: the GNU gettext
    manual, "The Format of GNU MO Files". Raises `UserError` for a damaged file.
    """
    data = path.read_bytes()
    try:
        order = "<" if struct.unpack_from("<I", data)[0] == MAGIC else ">"
        magic, _, count, texts, translations = struct.unpack_from(f"{order}5I", data)
        if magic != MAGIC:
            raise ValueError("it begins with other bytes")
        for index in range(count):
            text, translation = (
                _string(data, order, table + 8 * index) for table in (texts, translations)
            )
            if text:
                yield text, translation
    except (struct.error, ValueError) as error:
        raise cached_folder.damaged(path, f" is not a message catalogue ({error})") from None


def _string(data: bytes, order: str, at: int) -> str:
    """The string whose length and offset are at byte ``at`` of ``data``."""
    length, offset = struct.unpack_from(f"{order}2I", data, at)
    if offset + length > len(data):
        raise ValueError("it is cut short")
    return data[offset : offset + length].split(b"\0")[0].decode("utf-8")
