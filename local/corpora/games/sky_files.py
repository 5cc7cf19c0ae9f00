"""The files of Beneath a Steel Sky: the archive, the texts, the names of its objects.

All numbers are little-endian. ``sky.dnr`` lists the files that are in ``sky.dsk``: how many, then 8
bytes a file: its number, 3 bytes with its place, 3 bytes with its size and how it is stored::

    number  place        size and kind
    60600   0x000123     0x800400    a plain file at 16 * 0x123, 1,024 bytes
    50007   0x000456     0x000250    a packed one, with a header of 22 bytes
"""

from dataclasses import dataclass
from pathlib import Path

from local.corpora.games import rnc
from local.corpora.games.binary import Binary

HEADER = 22
TEXTS = 60600  # the file with the texts of section 0 in English
BLOCK = 32  # texts
LONGEST_TEXT = 1000
# Huffman codes of the texts in version 0.0372, a tree in preorder: a semicolon is an inner node,
# whose first branch has bit 0; the others are characters. They are not in the package.
TREE = (
    ";;; ;ea;;;os;tn;;.ir;;;;;\0Eu;mA;;;lI;dR;;NST;;;;;Ohc;Dg;;;LC;pU;;!yM;;;;;PvH;?b;;;'f,;GB;;"
    ";;;VkF;qw;;;K-W;J*;;;;zY;j+;;;Q\x85);;Z\x8b<;;;;;\x95~\x8a;\x87:;;;\x7f]#;;xX\x91;;;;;\x88`"
    '2;;0\x831;;;/(=;\x86^;;;;39;\x984;;;}8\\;"\x90;;;;&\x8d;56;;\x92\x8f;\x8e\x93;;;;\x8c7\x80;;'
    "\x81\x99;$@;;;;[\x9a_;>\x96;;;\x82%\t;;\x9c\x97;{;\x94!"
)


@dataclass(frozen=True)
class Archive:
    """The files of the game: where each one is in ``data``, its size, and whether it is plain."""

    path: Path
    data: bytes
    files: dict[int, tuple[int, int, bool]]

    def stored(self, number: int) -> bytes:
        """A file as it is stored; raises `UserError` if there is none, or it is cut off."""
        contents = Binary(self.data, self.path, "little", str(number))
        if number not in self.files:
            raise contents.damaged("is missing")
        contents.at, size, _ = self.files[number]
        return contents.take(size)

    def plain(self, number: int) -> Binary:
        """A file that is not packed, or is packed and has a header; raises `UserError`."""
        contents = self.stored(number)
        if not self.files[number][2] and contents[HEADER : HEADER + 3] == b"RNC":
            try:
                contents = contents[:HEADER] + rnc.unpack(contents[HEADER:])
            except ValueError as error:
                raise Binary(b"", self.path, "little", str(number)).damaged(f"({error})") from None
        return Binary(contents, self.path, "little", str(number))


def archive(folder: Path) -> Archive:
    """Read ``sky.dnr`` and ``sky.dsk`` in ``folder``; raises `UserError` for other contents."""
    table = Binary((folder / "sky.dnr").read_bytes(), folder / "sky.dnr", "little")
    files = {}
    for _ in range(table.unsigned(4)):
        number, place, size = table.unsigned(), table.unsigned(3), table.unsigned(3)
        place = (place & 0x7FFFFF) << 4 if place >> 23 else place
        files[number] = place, size & 0x3FFFFF, bool(size >> 23)
    return Archive(folder / "sky.dsk", (folder / "sky.dsk").read_bytes(), files)


def texts(game: Archive, section: int, wanted: set[int]) -> dict[int, str]:
    """The texts of a section whose numbers are ``wanted``; raises `UserError` for a damaged file.

    The file has the place of the skip bytes, that of the bits, and the lengths of the blocks of 32
    texts. A skip byte is the length of a text, and x | 0x80 is 8 times x; all lengths are in units
    of 2 bits.
    """
    data = game.plain(TEXTS + section)
    skips, start = data.unsigned(), data.unsigned()
    by_number, block_start, codes = {}, 0, _codes()
    for first in range(0, max(wanted, default=-1) + 1, BLOCK):
        place = block_start
        for number in range(first, first + BLOCK):
            if number in wanted:
                by_number[number] = _decode(data, 8 * start + 2 * place, codes)
            if number < start - skips:
                data.at = skips + number
                skip = data.unsigned(1)
                place += (skip & 0x7F) << 3 if skip & 0x80 else skip
        data.at = 4 + 2 * (first // BLOCK)
        block_start += data.unsigned()
    return by_number


def _codes() -> dict[str, str]:
    """The characters by code, which is a string of 0 and 1."""
    codes = {}
    open_nodes = [""]
    for char in TREE:
        code = open_nodes.pop()
        if char == ";":
            open_nodes += [f"{code}1", f"{code}0"]
        else:
            codes[code] = char
    return codes


def _decode(data: Binary, bit: int, codes: dict[str, str]) -> str:
    """The text whose code begins at ``bit``, highest bits first; a zero character ends it."""
    text, code = "", ""
    while len(text) <= LONGEST_TEXT:
        data.at = bit >> 3
        code += str(data.unsigned(1) >> (7 - (bit & 7)) & 1)
        bit += 1
        if code in codes:
            if codes[code] == "\0":
                return text
            text += codes[code]
            code = ""
    raise data.damaged(f"has a text of more than {LONGEST_TEXT} characters")


def names(path: Path) -> dict[int, str]:
    """The objects of ``sky.cpt`` by number, list << 12 | place; raises `UserError`.

    The file has 2 bytes, the number of lists, the number of places in each; the words of the
    objects, and their names. A place is its number of words, and if that is not 0, its kind and
    those words.
    """
    data = Binary(path.read_bytes(), path, "little", at=2)
    places = [data.unsigned() for _ in range(data.unsigned())]
    data.take(4)
    words = Binary(data.take(2 * data.unsigned(4)), path, "little")
    strings = Binary(data.take(data.unsigned(4)), path, "little")
    by_number = {}
    for number, count in enumerate(places):
        for place in range(count):
            length = words.unsigned()
            if length:
                words.take(2 + 2 * length)
                by_number[number << 12 | place] = strings.text("latin-1")
    return by_number
