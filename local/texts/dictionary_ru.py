"""The Russian spelling dictionary of Debian's package ``hunspell-ru``: 1.4 million forms."""

from pathlib import Path

from cascade.corpora.corpus import CorpusRequest
from local.helpers import debian

LICENCE = "hunspell-ru (LibreOffice): BSD-like, Alexander I. Lebedev."
PACKAGE = debian.Package(
    "hunspell-ru",
    "1:7.5.0-1",
    {"all": "ef3f0a54a8e52682be80932e414b97d7d268d4a33dfcb5b27b46142b5d84cfe3"},
)


def path(request: CorpusRequest) -> Path:
    """The ``.dic`` file; raises `UserError` if the package cannot be fetched."""
    return debian.unpack([PACKAGE], request, "hunspell_ru") / "usr/share/hunspell/ru_RU.dic"
