"""Numbers and strings in the bytes of a game's file; where they end too early, an error says so."""

from pathlib import Path

from cascade.runtime.errors import UserError
from local.helpers import cached_folder


class Binary:
    """The bytes of a file, or of an ``entry`` of an archive, read from the position ``at`` on.

    ``order`` is that of the bytes of a number: "big" or "little". Every reading raises
    `UserError` behind the end.

    >>> data = Binary(b"\\x00\\x07ab", Path("game.dat"), "big")
    >>> data.unsigned(), data.take(2), data.at
    (7, b'ab', 4)
    """

    def __init__(self, data: bytes, path: Path, order: str, entry: str = "", at: int = 0):
        self.data = data
        self.path = path
        self.order: str = order
        self.entry = entry
        self.at = at

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes."""
        if count < 0 or not 0 <= self.at <= len(self.data) - count:
            raise self.damaged(f"ends too early, at byte {len(self.data)}")
        self.at += count
        return self.data[self.at - count : self.at]

    def unsigned(self, size: int = 2) -> int:
        """The next number of ``size`` bytes."""
        return int.from_bytes(self.take(size), "big" if self.order == "big" else "little")

    def signed(self) -> int:
        """The next number of 2 bytes, from -32768 to 32767."""
        return (self.unsigned() ^ 0x8000) - 0x8000

    def row(self, count: int) -> list[int]:
        """The next ``count`` signed numbers of 2 bytes."""
        return [self.signed() for _ in range(count)]

    def text(self, encoding: str) -> str:
        """The next string, which ends with a byte of 0."""
        end = self.data.find(b"\0", self.at)
        if end < 0:
            raise self.damaged("has a string without an end")
        return self.take(end + 1 - self.at)[:-1].decode(encoding)

    def damaged(self, problem: str) -> UserError:
        """The error for these bytes: ``problem`` continues "the file ...", as in "is empty"."""
        what = f": its entry '{self.entry}'" if self.entry else ""
        return cached_folder.damaged(self.path, f"{what} {problem}")
