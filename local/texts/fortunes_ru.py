"""Russian aphorisms and jokes of Debian's package ``fortunes-ru``, one paragraph each."""

import re
from collections.abc import Iterator

from cascade.corpora.corpus import CorpusRequest
from local.helpers import debian

LICENCE = "fortunes-ru: GPL-2, Pavel Maryanov; quotations of mixed origin."

PACKAGE = debian.Package(
    "fortunes-ru",
    "1.52-3.1",
    {"all": "2dc76af9c0e02e2926d36f88dcb685bb171fab8677e553a6def41efe8a551cc6"},
)
FOLDER = "usr/share/games/fortunes/ru/"
# All of one contributor's collection, whose subject is sex and courtship.
ADULT = re.compile(
    "amur|b0|b1[123]|b2|d1|d21|d41|e0|e1[23]|fidelity|flirt|g1|innocence|love_s|lovers|relations"
    "|sex|sympathy|treason"
)
AUTHOR = re.compile(r"\s*(--|—\s*—|\(c\)|\(с\))")
SPEECH = re.compile(r"\s*[-–—]\s")


def paragraphs(request: CorpusRequest) -> Iterator[str]:
    """Yield paragraphs, file by file, without the adult files and without authors."""
    folder = debian.unpack([PACKAGE], request, "fortunes_ru", [FOLDER]) / FOLDER
    for path in sorted(folder.iterdir()):
        # .dat is an index, .u8 a link to the same file.
        if not ADULT.fullmatch(path.name) and path.suffix not in (".dat", ".u8"):
            yield from parse(path.read_text(encoding="utf-8"))


def parse(text: str) -> Iterator[str]:
    """Yield the paragraphs of a fortune file.

    A line of ``%``, an empty line or a dash ends one; a line with the author is left out::

        Кто рано встал,
        тот и кота накормил.
                -- Народная мудрость
        %
        - Где ключи?
        - Там же, где вчера.
    """
    lines: list[str] = []
    for line in [*text.splitlines(), "%"]:
        speech = SPEECH.match(line)
        if line.strip() in ("", "%") or speech or AUTHOR.match(line):
            if lines:
                yield " ".join(lines)
            lines = []
        if speech:
            lines = [line[speech.end() :].strip()]
        elif line.strip() not in ("", "%") and not AUTHOR.match(line):
            lines.append(line.strip())
