"""Small files of games, written as their formats say: what the tests of games_en read."""

import io
import struct
from collections.abc import Mapping, Sequence

import numpy as np
import soundfile

from local.corpora.games import sky_files

RATE = 11025


def tone(seconds: float, pitch: float = 200) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * pitch * np.arange(round(RATE * seconds)) / RATE)


def eight_bits(samples: np.ndarray) -> bytes:
    """Samples of +-1 as unsigned bytes."""
    return (128 + np.round(127 * samples)).astype(np.uint8).tobytes()


def numbers(*values: int, order: str = ">") -> bytes:
    """Words of 2 bytes; negative ones in two's complement."""
    return struct.pack(f"{order}{len(values)}H", *(value & 0xFFFF for value in values))


# Flight of the Amazon Queen.


def mp3(seconds: float, pitch: float = 200) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, tone(seconds, pitch), RATE, format="MP3", subtype="MPEG_LAYER_III")
    return stream.getvalue()


def qtbl(files: Mapping[str, bytes], compression: int = 1) -> bytes:
    offset = 15 + 21 * len(files)
    head = b"QTBL" + b"CEM10\0" + bytes(2) + bytes([compression]) + numbers(len(files))
    for name, data in files.items():
        head += name.encode().ljust(12, b"\0") + b"\1" + struct.pack(">II", offset, len(data))
        offset += len(data)
    return head + b"".join(files.values())


def amiga(data: bytes) -> bytes:
    """A file with the header that the game skips."""
    return b"AmBk".ljust(20, b"\xff") + data


def with_string(data: bytes, text: str, multiple: int = 2) -> bytes:
    """Bytes and a string behind them; what follows begins at a multiple."""
    data += bytes([len(text)]) + text.encode("cp437")
    return data + bytes(-len(data) % multiple if text else 0)


def dog(
    key: int,
    joe: Sequence[tuple[int, str]],
    partner: Sequence[tuple[int, str]],
    greetings: tuple[str, str] = ("", ""),
    levels: int = 1,
) -> bytes:
    """A dialogue: sentences with their ids, and the second greetings, the partner's first."""
    data = bytes(32 + 96 * abs(levels))
    places = []
    for sentences in (joe, partner):
        places.append(len(data))
        for number, text in sentences:
            data = with_string(data + numbers(0, number), text, 4)
    places.append(len(data))
    for text in greetings:
        data = with_string(data, text)
    head = numbers(levels, 0, key, len(joe), len(partner), *[0] * 6, places[1], 0, places[2])
    return amiga(head + data[len(head) :])


def cut(
    records: Sequence[tuple[int, str]],
    talk: tuple[str, int] = ("", 0),
    animated: Sequence[int] = (),
) -> bytes:
    """A cutaway: objects and what they say; the ``animated`` records do something first."""
    data = bytes(12)
    for i, (number, _) in enumerate(records):
        lists = 7 if i in animated else 0
        data += numbers(number, 0, 0, 0, lists, lists, *[0] * 11)
        data += numbers(1, 5) if i % 2 else numbers(0)
        if i in animated:
            data += numbers(*[3] * 10) + numbers(-2)
    end = len(data) + 2
    strings = end + 10
    data = with_string(data + bytes(12), "skipped")
    for _, text in records:
        data = with_string(data, text)
    banks = len(data)
    data = with_string(with_string(data + numbers(1), "a.bbk"), talk[0]) + numbers(talk[1])
    return amiga(numbers(0, len(records), 0, end, strings, banks) + data[12:])


def jas(
    rooms: Sequence[Sequence[bool]],
    actors: Sequence[tuple[int, int, int]],
    commands: Sequence[tuple[int, int, int]] = (),
    states: Sequence[tuple[int, int]] = (),
    descriptions: int = 1,
    names: int = 1,
) -> bytes:
    """QUEEN.JAS: the objects of each room (is it a person?), actors as room, bob and name.

    ``commands`` are a verb and two objects, ``states`` a command and a description.
    """
    persons = [person for room in rooms for person in room]
    ends = np.cumsum([0, *map(len, rooms)]).tolist()

    def table(rows: Sequence[Sequence[int]], width: int) -> bytes:
        full = [[*row, *[0] * (width - len(row))] for row in rows] or [[0] * width]
        return numbers(len(rows)) + b"".join(numbers(*row) for row in full)

    data = numbers(len(rooms), 2, len(persons), descriptions)
    for i, person in enumerate(persons):
        data += numbers(*[0] * 7, (-3 - i % 2) if person else 5)
    data += numbers(*ends) + bytes(2 * len(rooms)) + table([], 5) + table([[1]], 5)
    data += b"".join(numbers(0, 1, *[0] * 8) for _ in rooms) + bytes(8 * len(persons))
    data += table([], 3) + table([], 4) + table(commands, 10) + 3 * table([[1]], 3)
    data += table([(command, 0, 0, text) for command, text in states], 4)
    data += numbers(9) + table([], 2) + numbers(len(actors), 1, names, 1)
    data += b"".join(numbers(*actor, *[0] * 9) for actor in actors)
    return amiga(data + table([], 3) + b"CEM10" + bytes(5))


def jas2(
    descriptions: Sequence[str], rooms: int, responses: Sequence[str], actors: Sequence[str]
) -> bytes:
    """QUEEN2.JAS, with 40 responses of Joe."""
    responses = [*responses, *[""] * (40 - len(responses))]
    lines = [*descriptions, *["name"] * 2, *["room"] * rooms, *["verb"] * 12, *responses]
    return "\r\n".join([*lines, "anim", *actors, "a.act", ""]).encode("cp437")


# Drascula.


def als(samples: np.ndarray) -> bytes:
    return bytes(32) + eight_bits(samples) + bytes(32)


def dat(tables: Sequence[Sequence[str]], languages: int = 6) -> bytes:
    """drascula.dat; the first table is filled up to 501 texts."""
    data = b"something else" + numbers(languages)
    for i, texts in enumerate(tables):
        texts = [*texts, *[""] * (501 - len(texts))] if i == 0 else texts
        data += numbers(len(texts))
        for language in range(languages):
            block = bytes(2)
            for text in texts:
                text = text if language == 0 else text[::-1]
                coded = text.encode("cp850") + b"\0"
                block += numbers(len(coded) + 2) + coded
            data += numbers(len(block)) + block
    return data


# Beneath a Steel Sky.


class _BitWriter:
    """Bits in words of 2 bytes, lowest first; literal bytes come behind the last word begun."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.word = -2
        self.used = 16

    def bits(self, value: int, count: int) -> None:
        for i in range(count):
            if self.used == 16:
                self.word, self.used = len(self.data), 0
                self.data += bytes(2)
            place = self.word + self.used // 8
            self.data[place] |= (value >> i & 1) << (self.used % 8)
            self.used += 1

    def number(self, value: int) -> None:
        """A number in the code of `rnc`: symbols of 5 bits, in which all are equally likely."""
        symbol = value.bit_length()
        for i in reversed(range(5)):
            self.bits(symbol >> i & 1, 1)
        self.bits(value - (1 << (symbol - 1)) if symbol > 1 else 0, max(0, symbol - 1))


def rnc(*steps: tuple[bytes, int, int], end: bytes = b"") -> bytes:
    """Packed data: literal bytes, then a copy from a distance of a length; literals at the end."""
    unpacked = bytearray()
    writer = _BitWriter()
    writer.bits(0, 2)
    for _ in range(3):  # tables: 17 symbols, the codes 0 to 16 of 5 bits
        writer.bits(17, 5)
        for _ in range(17):
            writer.bits(5, 4)
    writer.bits(len(steps) + 1, 16)
    for literals, distance, length in steps:
        writer.number(len(literals))
        writer.data += literals
        writer.number(distance - 1)
        writer.number(length - 2)
        unpacked += literals
        for _ in range(length):
            unpacked.append(unpacked[-distance] if distance <= len(unpacked) else 0)
    writer.number(len(end))
    writer.data += end
    lengths = struct.pack(">II", len(unpacked) + len(end), len(writer.data))
    return b"RNC\1" + lengths + bytes(5) + b"\1" + bytes(writer.data)


def speech(samples: np.ndarray) -> bytes:
    """A packed speech file: all samples but the last 100, which repeat those before."""
    data = eight_bits(samples)
    return b"\x81".ljust(22, b"\x80") + rnc((data[:-100], 50, 100))


def dnr(files: Mapping[int, bytes], plain: Sequence[int] = ()) -> tuple[bytes, bytes]:
    """sky.dnr and sky.dsk; the ``plain`` files are marked as not packed."""
    table, data = struct.pack("<I", len(files)), b""
    for number, contents in files.items():
        data += bytes(-len(data) % 16)
        place = len(data) >> 4 | 1 << 23
        size = len(contents) | (number in plain) << 23
        table += (
            struct.pack("<H", number) + place.to_bytes(3, "little") + size.to_bytes(3, "little")
        )
        data += contents
    return table, data


def sky_texts(texts: Sequence[str]) -> bytes:
    """The texts of a section; each code is filled up to units of 2 bits, and to 8 of them."""
    codes = {char: code for code, char in sky_files._codes().items()}
    coded = ["".join(codes[char] for char in f"{text}\0") for text in texts]
    coded = [code + "0" * (-len(code) % 16) for code in coded]
    sizes = [len(code) // 2 for code in coded]
    skips = bytes(0x80 | size >> 3 if size > 127 else size for size in sizes)
    blocks = [sum(sizes[i : i + 32]) for i in range(0, len(sizes), 32)]
    bits = "".join(coded)
    at = 4 + 2 * len(blocks)
    data = bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))
    return numbers(at, at + len(skips), *blocks, order="<") + skips + data


def scripts(*each: Sequence[int]) -> bytes:
    """A module of scripts, from number 1 on."""
    starts = np.cumsum([len(each) + 1, *map(len, each)]).tolist()
    words = [len(each) + 1, *starts[:-1], *(word for script in each for word in script)]
    return numbers(*words, order="<")


def say(who: tuple[int, int], text: int, function: int = 36) -> list[int]:
    """The instructions of a call: push who, the text, an animation, and speak."""
    return [*who, 2, text, 2, 0, 11, 3, 4 * function]


def cpt(names: Sequence[str]) -> bytes:
    """sky.cpt, with one list; the object 0 does not exist."""
    words = numbers(0, order="<")
    for i, _ in enumerate(names):
        words += numbers(i + 1, 1, *[7] * (i + 1), order="<")
    strings = b"".join(name.encode() + b"\0" for name in names)
    head = numbers(0, 1, len(names) + 1, order="<") + bytes(4)
    sizes = struct.pack("<I", len(words) // 2), struct.pack("<I", len(strings))
    return head + sizes[0] + words + sizes[1] + strings
