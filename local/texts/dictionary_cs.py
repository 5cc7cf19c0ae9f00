"""The Czech spelling dictionary of Debian's package ``hunspell-cs``."""

from pathlib import Path

from cascade.corpora.corpus import CorpusRequest
from local.helpers import debian

LICENCE = "hunspell-cs (LibreOffice): GPL-2, Pavel Janík."
PACKAGE = debian.Package(
    "hunspell-cs",
    "1:7.5.0-1",
    {"all": "2ca09be6c556c0f383c4876fd7e97e36d3dac8510f5b6f703f3c447d143088ad"},
)


def path(request: CorpusRequest) -> Path:
    """The ``.dic`` file; raises `UserError` if the package cannot be fetched."""
    return debian.unpack([PACKAGE], request, "hunspell_cs") / "usr/share/hunspell/cs_CZ.dic"
