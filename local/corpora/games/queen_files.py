"""The files of Flight of the Amazon Queen that have its lines: archive, dialogues, cutaways.

All numbers are big-endian. Behind the archive, each file begins with 20 bytes of Amiga's "AmBk".
A line has several parts, each with a sound of its own; they end at an asterisk with two letters or
digits, which are an animation::

    Nice shop.*01How did you find it?*FL*02

The parts of this line are 1 ("Nice shop."), 2 ("How did you find it?") and 3, which has no words.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from local.corpora.games.binary import Binary

HEADER = 20
POSITION = 11  # characters of "(128,112)" and its like, behind *XY
TEXTS = (-2, -3, -4)  # in place of an object: a text on the screen; somebody reads -2 and -3
JOE = (0, -1)  # object numbers of the player's character


@dataclass(frozen=True)
class Sentence:
    """A line of a dialogue or cutaway, and its sounds: ``PREFIXn.SB``, n from 1 in hexadecimal.

    ``object`` is the number of who speaks: 0 is Joe, None is not known. An ``undivided`` line is
    one part, whatever asterisks it has.
    """

    prefix: str
    text: str
    object: int | None
    undivided: bool = False

    def parts(self) -> Iterator[tuple[str, str]]:
        """Yield the name of the sound and the text of each part.

        >>> list(Sentence("JOE0001", "Nice.*01*FLShop*XY00(128,112)!", 0).parts())
        [('JOE00011', 'Nice.'), ('JOE00012', ''), ('JOE00013', 'Shop'), ('JOE00014', '!')]
        """
        number, rest = 1, self.text
        while not self.undivided and "*" in rest:
            part, _, rest = rest.partition("*")
            yield f"{self.prefix}{number:X}", part
            rest = rest[2 + POSITION * rest.startswith("XY") :]
            number += 1
        yield f"{self.prefix}{number:X}", rest


@dataclass(frozen=True)
class Cutaway:
    """The lines of a cutaway, and the dialogue that it ends in, with the object talked to."""

    sentences: list[Sentence]
    dialogue: str
    partner: int


def archive(path: Path) -> dict[str, Binary]:
    """The files of ``queen.1c`` by name, such as BOB1.DOG; sounds with the suffix .SB are MP3.

    Raises `UserError` for another file. The archive begins with "QTBL" and a version, and has a
    table with 21 bytes a file: name, 1 byte, offset, size.
    """
    data = Binary(path.read_bytes(), path, "big")
    if data.take(4) != b"QTBL":
        raise data.damaged("does not begin with QTBL")
    data.at = 12
    if data.unsigned(1) != 1:
        raise data.damaged("has sounds that are not MP3")
    files = {}
    for _ in range(data.unsigned()):
        name = data.take(12).rstrip(b"\0").decode("latin-1")
        if not re.fullmatch(r"[\w.-]+", name, re.ASCII):
            raise data.damaged(f"has a file with the name {name!r}")
        offset, size = data.unsigned(5) & 0xFFFFFFFF, data.unsigned(4)
        contents = Binary(data.data, path, "big", at=offset).take(size)
        files[name] = Binary(contents, path, "big", name)
    return files


def beginning(file: Binary, at: int = 0) -> Binary:
    """A file without its header, read from ``at`` on."""
    return Binary(file.data[HEADER:], file.path, "big", file.entry, at)


def dialogue(file: Binary, partner: int | None) -> list[Sentence]:
    """The sentences of a .DOG; ``partner`` is the object that Joe talks to.

    Numbers at fixed places: 0 levels, 4 talk key, 6 and 8 how many sentences Joe and the partner
    have, 22 and 26 where the partner's sentences and both second greetings begin. Joe's sentences
    come behind the levels; his first one is the first greeting.
    """
    data = beginning(file)
    levels, _, key, *counts = data.row(5)
    data.at = 22
    start, _, greetings = (data.unsigned() for _ in range(3))
    sentences = []
    for who, letter, at, count in (
        (0, "J", 32 + 96 * abs(levels), counts[0]),
        (partner, "P", start, counts[1]),
    ):
        data.at = at
        for number in range(count):
            data.take(2)
            place = f"{data.signed() & 0xFFFF:4x}"
            if letter == "J" and number == 0:
                place = "SSSS"
            sentences.append(Sentence(_prefix(key, place, letter), pstring(data, 4), who))
    data.at = greetings
    for who, letter in ((partner, "P"), (0, "J")):
        sentences.append(Sentence(_prefix(key, "XXXX", letter), pstring(data), who))
    return sentences


def _prefix(key: int, place: str, letter: str) -> str:
    return f"{key:2d}{place}{letter}".upper().replace(" ", "0")


def cutaway(file: Binary, is_person: Callable[[int], bool]) -> Cutaway:
    """The sentences of a .CUT. ``is_person`` tells whether an object can speak.

    Numbers at fixed places: 2 how many records, 6 where they end, 8 and 10 where the sentences
    and the names of the files begin. A record is 17 numbers (0 the object, 4 an animation list, 5
    whether it is executed, 12 the object it is copied from), a count and so many persons; behind
    an animation are frames of 20 bytes and a -2. Raises `UserError` if the records end elsewhere.
    """
    data = beginning(file, 2)
    count = abs(data.signed())
    data.at = 6
    end, strings, banks = (data.unsigned() for _ in range(3))
    records = []
    for _ in range(count):
        record = data.row(17)
        data.row(data.signed())
        number, animations, executed, copied = (record[i] for i in (0, 4, 5, 12))
        person = number in JOE or (number > 0 and is_person(number))
        animated = not (number in TEXTS or copied > 0 or (person and not animations))
        while animated and executed and data.signed() != -2:
            data.take(18)
        records.append(number)
    if end - data.at not in (2, 4):
        raise data.damaged("has records that end at the wrong place")

    data.at = strings
    pstring(data)
    sentences = []
    base = file.entry.partition(".")[0].ljust(5, "_")
    for i, number in enumerate(records, start=1):
        text = pstring(data)
        who = None if number in TEXTS else max(number, 0)
        sentences.append(Sentence(f"{base}{i:02d}", text, who, undivided=number in TEXTS))
    data.at = banks
    for _ in range(data.signed()):
        pstring(data)
    return Cutaway(sentences, pstring(data).upper(), data.signed())


def pstring(data: Binary, multiple: int = 2) -> str:
    """The next string: its length, then its characters; the place behind is rounded up."""
    text = data.take(data.unsigned(1)).decode("cp437")
    if text:
        data.at = -(-data.at // multiple) * multiple
    return text
