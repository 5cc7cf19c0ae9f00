"""The English (US) spelling dictionary of Debian's package ``hunspell-en-us``."""

from pathlib import Path

from cascade.corpora.corpus import CorpusRequest
from local.helpers import debian

LICENCE = "hunspell-en-us: SCOWL, a permissive licence, Kevin Atkinson and others."
PACKAGE = debian.Package(
    "hunspell-en-us",
    "1:2020.12.07-2",
    {"all": "04fdf8f6d3171d72980e8ebe4cb1a00c8100e609025cabb65dfb8f7170e65e07"},
)


def path(request: CorpusRequest) -> Path:
    """The ``.dic`` file; raises `UserError` if the package cannot be fetched."""
    return debian.unpack([PACKAGE], request, "hunspell_en_us") / "usr/share/hunspell/en_US.dic"
