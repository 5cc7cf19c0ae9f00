"""Data packed by Rob Northen's compressor, method 1 (RNC1).

A packed file begins with a header of 18 bytes, whose numbers are big-endian::

    "RNC", 1
    the unpacked and the packed length, 4 bytes each
    two checksums, 2 bytes each
    1 byte, and the number of blocks

Then come the blocks. Bits are taken from words of 2 bytes, little-endian, the lowest first. Literal
bytes are where the last word loaded ends.
"""

import struct

HEADER = 18
Table = tuple[int, list[tuple[int, int] | None]]  # see _table


class _Bits:
    """Bits and bytes of a packed stream; raises `ValueError` behind its end."""

    def __init__(self, data: bytes):
        self.data = data
        self.at = 0
        self.held = 0
        self.count = 0

    def load(self, count: int) -> None:
        while self.count < count:
            if self.at >= len(self.data):
                raise ValueError("the packed data end too early")
            word = self.data[self.at : self.at + 2]
            self.held |= int.from_bytes(word, "little") << self.count
            self.at += 2
            self.count += 16

    def take(self, count: int) -> int:
        if self.count < count:
            self.load(count)
        number = self.held & ((1 << count) - 1)
        self.held >>= count
        self.count -= count
        return number

    def literals(self, count: int) -> bytes:
        self.at += count
        if count and self.at > len(self.data):  # the last word may be half a word
            raise ValueError("the packed data end too early")
        return self.data[self.at - count : self.at]


def unpack(packed: bytes) -> bytes:
    """Return the unpacked bytes; raises `ValueError` for data that are damaged."""
    if len(packed) < HEADER or packed[:4] != b"RNC\1":
        raise ValueError("the data are not packed with RNC1")
    length, packed_length = struct.unpack_from(">II", packed, 4)
    bits = _Bits(packed[HEADER : HEADER + packed_length])
    unpacked = bytearray()
    bits.take(2)
    for _ in range(packed[HEADER - 1]):
        runs, distances, lengths = _table(bits), _table(bits), _table(bits)
        for left in reversed(range(bits.take(16))):
            unpacked += bits.literals(_value(bits, runs))
            if left:
                distance = _value(bits, distances) + 1
                _copy(unpacked, distance, _value(bits, lengths) + 2)
            if len(unpacked) > length:
                raise ValueError("more data are unpacked than the header says")
    if len(unpacked) != length:
        raise ValueError(f"{len(unpacked)} bytes are unpacked, and the header says {length}")
    return bytes(unpacked)


def _copy(unpacked: bytearray, distance: int, count: int) -> None:
    """Append ``count`` bytes that begin ``distance`` before the end; they may overlap."""
    start = len(unpacked) - distance
    if start < 0:
        raise ValueError("a copy begins before the data")
    piece = unpacked[start : start + count]
    unpacked += (piece * (count // len(piece) + 1))[:count]


def _table(bits: _Bits) -> Table:
    """Read a Huffman code: its longest code, and the length and symbol by that many next bits."""
    sizes = [bits.take(4) for _ in range(bits.take(5))]
    longest = max(sizes, default=0)
    table: list[tuple[int, int] | None] = [None] * (1 << longest)
    code = 0
    for size in range(1, longest + 1):
        for symbol, its_size in enumerate(sizes):
            if its_size == size and code < 1 << size:
                first = int(f"{code:0{size}b}"[::-1], 2)  # the first bit is the lowest
                for place in range(first, 1 << longest, 1 << size):
                    table[place] = (size, symbol)
                code += 1
        code <<= 1
    return longest, table


def _value(bits: _Bits, table: Table) -> int:
    """Read a number: its symbol is its number of bits, of which the highest is not written."""
    longest, entries = table
    at = bits.at
    held = bits.held
    count = bits.count
    while count < longest:  # look ahead without loading: literals may come next
        held |= int.from_bytes(bits.data[at : at + 2], "little") << count
        at += 2
        count += 16
    entry = entries[held & ((1 << longest) - 1)] if longest else None
    if entry is None:
        raise ValueError("the packed data have a code without a meaning")
    size, symbol = entry
    bits.take(size)
    return symbol if symbol < 2 else 1 << (symbol - 1) | bits.take(symbol - 1)
