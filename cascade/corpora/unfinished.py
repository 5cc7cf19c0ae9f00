"""Recordings whose header was never finished: the recorder was cut off before it wrote the size.

The header of such a wav or au file says that there are no samples, and samples follow.
"""

import os
import struct
from collections.abc import Mapping
from pathlib import Path

MOST = 0xFFFFFFFF  # bytes, of which no size is larger


def corrections(path: Path) -> dict[int, bytes]:
    """Return what an unfinished header should have, by its place in the file; else nothing.

    A file that is finished and has no samples ends with its header, or the header counts what
    follows.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        head = stream.read(12)
        if head[:4] in (b"RIFF", b"RF64") and head[8:] == b"WAVE":
            said = struct.unpack("<I", head[4:8])[0] % MOST  # RF64 has its size elsewhere
            while len(chunk := stream.read(8)) == 8:
                name, length = chunk[:4], struct.unpack("<I", chunk[4:])[0] % MOST
                begin = stream.tell()
                if name == b"data":
                    if length or said > begin - 8 or size <= begin:
                        return {}
                    sizes = (min(n, MOST - 1) for n in (size - 8, size - begin))
                    file, data = (struct.pack("<I", n) for n in sizes)
                    return {0: b"RIFF", 4: file, begin - 4: data}
                if name == b"ds64" and any(stream.read(length)):
                    return {}
                stream.seek(begin + length + length % 2)
        elif head[:4] == b".snd" and len(head) == 12:
            begin, length = struct.unpack(">II", head[4:])
            if not length and size > begin:
                return {8: struct.pack(">I", min(size - begin, MOST - 1))}
    return {}


class Corrected:
    """A file for reading, some of whose bytes are replaced."""

    def __init__(self, path: Path, replacements: Mapping[int, bytes]) -> None:
        self._stream = path.open("rb")
        self._replacements = replacements

    def read(self, count: int = -1) -> bytes:
        begin = self._stream.tell()
        data = bytearray(self._stream.read(count))
        for place, new in self._replacements.items():
            for i, byte in enumerate(new, place - begin):
                if 0 <= i < len(data):
                    data[i] = byte
        return bytes(data)

    def seek(self, place: int, whence: int = os.SEEK_SET) -> int:
        return self._stream.seek(place, whence)

    def tell(self) -> int:
        return self._stream.tell()
