"""Drascula: 40 minutes of eleven characters, 8 bits a sample at 11,025 Hz.

Debian package ``drascula``. Texts are in ``drascula.dat``, sounds in ``PREFIXn.ALS``: text n of the
table that PREFIX names. Texts are in capitals::

    THAT'S THE SECOND BIGGEST DOOR I'VE SEEN IN MY LIFE
    HEY IGOR, HOW IS EVERYTHING GOING?
    MASTER, THIS IS NOT WORKING
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from local.corpora.games.binary import Binary
from local.corpora.games.game_lines import Line
from local.helpers import debian

PACKAGE = debian.Package(
    "drascula",
    "1.0+ds4-2",
    {"all": "ed4af8e2d41ad446e2f3b73533daa1804e2f13f62f596c0b02b8dc39544f22b4"},
)
FOLDER = "usr/share/scummvm/drascula/en/"
RATE = 11025  # Hz, of its recordings
EDGE = 32  # bytes before and behind the samples of an .ALS
SILENCE = 0.02  # of full scale: three steps of 8 bits
MARGIN = 0.1  # seconds that are left of a silence at the beginning or the end

# The tables of drascula.dat in order: the prefix of the sounds, and who speaks.
TABLES = {
    "": "hacker",
    "D": "drascula",
    "B": "drunk",
    "BJ": "bj",
    "E": "tavernguest",
    "I": "igor",
    "L": "wolf",
    "P": "pianist",
    "T": "bartender",
    "VB": "vonbraun",
}
MAIN_TEXTS = 501  # texts of the first table
LANGUAGES = 6  # English is the first one
BLIND_MAN = range(68, 79)  # sounds of the table D; those behind are of nobody


def lines(folder: Path) -> Iterator[Line]:
    """Yield every sound that has a text, table by table.

    ``folder`` is where the package is unpacked. Raises `UserError` for files of other contents.
    """
    folder = folder / FOLDER
    for prefix, texts in tables(folder / "drascula.dat").items():
        for number, text in enumerate(texts):
            path = folder / f"{prefix}{number}.ALS"
            if text and path.is_file():
                speaker: str | None = TABLES[prefix]
                if prefix == "D" and number >= BLIND_MAN.start:
                    speaker = "blindman" if number in BLIND_MAN else None
                sound = path.read_bytes()
                yield Line(path.stem, text, speaker and f"drascula_{speaker}", sound)


def tables(path: Path) -> dict[str, list[str]]:
    """The English texts of ``drascula.dat`` by prefix; raises `UserError` for another file.

    A table is its number of texts and, for each language, a size and a block. In the block each
    text, the first one at byte 4, has its distance to the next text in the 2 bytes before it. All
    numbers are big-endian, of 2 bytes.
    """
    data = Binary(path.read_bytes(), path, "big")
    start = LANGUAGES.to_bytes(2, "big") + MAIN_TEXTS.to_bytes(2, "big")
    data.at = data.data.find(start) + 2
    if data.at < 2:
        raise data.damaged(f"has no table of {MAIN_TEXTS} texts")
    texts: dict[str, list[str]] = {}
    for prefix in TABLES:
        count = data.unsigned()
        block = Binary(data.take(data.unsigned()), path, "big")
        for _ in range(LANGUAGES - 1):
            data.take(data.unsigned())
        texts[prefix] = []
        place = 4
        for _ in range(count):
            block.at = place - 2
            place += block.unsigned()
            texts[prefix].append(block.text("cp850"))
    return texts


def samples(line: Line) -> np.ndarray:
    """The sound of a line, floats of +-1, (N,) at `RATE`, without long silences at its ends.

    Raises `ValueError` for a sound without samples.
    """
    sound = np.frombuffer(line.sound[EDGE:-EDGE], np.uint8) / 128 - 1
    loud = np.flatnonzero(np.abs(sound) > SILENCE)
    if not len(loud):
        raise ValueError("it is silent")
    margin = round(MARGIN * RATE)
    return sound[max(0, loud[0] - margin) : loud[-1] + 1 + margin]
