"""NIST's sclite, to compare scores with: an installed one, or Debian's, fetched."""

import os
import shutil
from pathlib import Path

from cascade.corpora.corpus import CorpusRequest
from local.helpers.debian import Package, unpack

FOLDER = "usr/lib/sctk/bin"  # Debian's package puts it here, outside of PATH
PACKAGE = Package(
    "sctk",
    "2.4.10-20151007-1312Z+dfsg2-3.1",
    {
        "amd64": "5fe1eab7c08f814d1fc130e73fa7b434be68d92a7503db2e2c6b880ab26f603e",
        "arm64": "ac429fbb906d241311c722ac429f0cabba6ea5e730f5f401f96b424eac234c26",
    },
)


def installed() -> Path | None:
    """The sclite of this machine, or None."""
    path = shutil.which("sclite", path=f"{os.environ.get('PATH', '')}{os.pathsep}/{FOLDER}")
    return Path(path) if path else None


def sclite(request: CorpusRequest) -> Path:
    """A sclite that runs; raises `UserError` if there is none and none can be fetched."""
    return installed() or unpack([PACKAGE], request, "sctk", ["usr/"]) / FOLDER / "sclite"
