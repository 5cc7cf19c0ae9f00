"""A shared library whose functions do nothing, in place of one that plays sound.

espeak-ng is linked with a library that plays sound, and that one with a sound server: some
twenty packages that a server does not have. Nothing is played here, but the dynamic loader wants
every library before a program starts. So it gets one of the right name, in which each function
returns 0; espeak-ng writes the same samples with it as with the real one. The file is written
byte by byte because the machine may have no compiler.
"""

import platform
import struct
from collections.abc import Sequence
from pathlib import Path

from cascade.runtime.errors import UserError

# Machine -> its number in an ELF header, and the code of "return 0".
MACHINES = {
    "x86_64": (62, bytes.fromhex("31c0c3")),  # xor eax, eax; ret
    "aarch64": (183, bytes.fromhex("000080d2c0035fd6")),  # mov x0, 0; ret
}
PAGE = 0x10000  # the largest page that either machine may have
LOAD, DYNAMIC, STACK = 1, 2, 0x6474E551
READ_EXECUTE, READ_WRITE = 5, 6


def library(name: str, functions: Sequence[str], machine: str | None = None) -> bytes:
    """Return the bytes of an ELF shared library ``name`` that exports ``functions``.

    Source: the System V ABI, "Object Files" and "Dynamic Linking". ``machine`` is what
    `platform.machine` returns. Raises `UserError` for an unknown machine.
    """
    machine = machine or platform.machine()
    if machine not in MACHINES:
        raise UserError(
            f"The speech programs run on {' and '.join(MACHINES)} only; this machine is {machine}."
        )
    number, code = MACHINES[machine]

    strings = b"\0"
    offsets = []
    for string in (*functions, name):
        offsets.append(len(strings))
        strings += string.encode("ascii") + b"\0"

    count = len(functions) + 1  # symbol 0 is the reserved one
    hash_at = 64 + 4 * 56  # after the header and four program headers
    # One bucket: each symbol points to the next.
    table = struct.pack(f"<{3 + count}I", 1, count, 1, 0, *range(2, count), 0)
    symbols_at = _aligned(hash_at + len(table))
    strings_at = symbols_at + 24 * count
    code_at = _aligned(strings_at + len(strings))
    dynamic_at = _aligned(code_at + len(code))

    symbols = bytes(24)
    for offset in offsets[:-1]:  # a global function in "section 1", at the code
        symbols += struct.pack("<IBBHQQ", offset, 0x12, 0, 1, code_at, len(code))
    entries = (
        *(14, offsets[-1]),  # SONAME
        *(4, hash_at),
        *(5, strings_at),
        *(6, symbols_at),
        *(10, len(strings)),
        *(11, 24),  # bytes of a symbol
        *(0, 0),
    )
    dynamic = struct.pack(f"<{len(entries)}Q", *entries)

    header = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    header += struct.pack("<HHIQQQIHHHHHH", 3, number, 1, 0, 64, 0, 0, 64, 56, 4, 64, 0, 0)
    start = dynamic_at + PAGE
    header += _segment(LOAD, READ_EXECUTE, 0, 0, dynamic_at, PAGE)
    # The loader writes into the dynamic section, so it has its own segment.
    header += _segment(LOAD, READ_WRITE, dynamic_at, start, len(dynamic), PAGE)
    header += _segment(DYNAMIC, READ_WRITE, dynamic_at, start, len(dynamic), 8)
    header += _segment(STACK, READ_WRITE, 0, 0, 0, 16)  # no executable stack

    parts = (
        (0, header),
        (hash_at, table),
        (symbols_at, symbols),
        (strings_at, strings),
        (code_at, code),
        (dynamic_at, dynamic),
    )
    image = bytearray(dynamic_at + len(dynamic))
    for at, part in parts:
        image[at : at + len(part)] = part
    return bytes(image)


def write(folder: Path, name: str, functions: Sequence[str]) -> None:
    """Write ``folder/name``, a library that exports ``functions``, which do nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    beside = folder / f"{name}.partial"
    beside.write_bytes(library(name, functions))
    beside.rename(folder / name)


def _aligned(offset: int) -> int:
    """The next multiple of 16."""
    return (offset + 15) // 16 * 16


def _segment(kind: int, flags: int, offset: int, address: int, size: int, align: int) -> bytes:
    """A program header; offsets, addresses and sizes are in bytes."""
    return struct.pack("<IIQQQQQQ", kind, flags, offset, address, address, size, size, align)
