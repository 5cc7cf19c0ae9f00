"""Free Dutch text for a language model: lines of a game that nobody speaks, and a manual.

The stories of Wesnoth, which the other languages take, are not translated into Dutch.
"""

import gzip
from collections.abc import Iterator
from pathlib import Path

from cascade.corpora.corpus import CorpusRequest
from local.corpora import fillets, fillets_nl
from local.helpers import debian
from local.texts import sentences as splitting

FAQ = debian.Package(
    "debian-faq-nl",
    "11.1",
    {"all": "133abcbedaafd65baa8c258551c2c536e8b391426bc16b85b1af4bbe7403e624"},
)
FILE = "usr/share/doc/debian/FAQ/debian-faq.nl.txt.gz"
LICENCE = f"{fillets_nl.LICENCE} debian-faq-nl: free to copy, Software in the Public Interest."


def sentences(request: CorpusRequest) -> Iterator[str]:
    """Yield sentences as they are written, each once, in a fixed order."""
    return splitting.unique(_texts(request))


def paragraphs(path: Path) -> Iterator[str]:
    """Yield the paragraphs of a gzipped text file; an empty line ends one."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for paragraph in file.read().split("\n\n"):
            yield " ".join(paragraph.split())


def _texts(request: CorpusRequest) -> Iterator[str]:
    yield from fillets.unspoken(request, fillets_nl.DIALOGUES)
    yield from paragraphs(debian.unpack([FAQ], request, "debian_faq_nl", ["usr/share/doc/"]) / FILE)
