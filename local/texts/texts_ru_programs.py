"""Free Russian text for a language model: messages of programs, such as office and mail programs.

Debian packages of eight programs, those with the most Russian words for their size: 10 MB.
"""

import re
from collections.abc import Iterator

from cascade.corpora.corpus import CorpusRequest
from local.helpers import debian
from local.texts import catalogue
from local.texts import sentences as splitting

LICENCE = (
    "Messages of programs, their authors and translators: LibreOffice: MPL-2.0; UFO: Alien"
    " Invasion, Gwyddion, GNUmed: GPL-2+; FreeIPA, Cairo-Dock: GPL-3+; libvirt, QtCurve: LGPL-2.1+."
)
PACKAGES = tuple(
    debian.Package(name, version, {"all": digest})
    for name, version, digest in (
        (
            "libreoffice-l10n-ru",
            "4:7.4.7-1+deb12u14",
            "01aec00c0f12f13994df49a0f41b8955bc93de1abf27acb281bc19a4c8feeae7",
        ),
        (
            "ufoai-misc",
            "2.5-7",
            "a0e9620fd9dd0238955d2da1ca3eaa1b1b89c1cb0bef7d7e2b46dd67dbd1df2c",
        ),
        (
            "freeipa-common",
            "4.9.11-1",
            "f14285fc27b05c2a3d5c22100a9bf947b190ec0705cfe76146a9eb6ca48f7fa3",
        ),
        (
            "qtcurve-l10n",
            "1.9-7",
            "f3df1f9ba363580ae8d2ce3c30f6ec704939fd70cc671e2c2c0bff48b32297be",
        ),
        (
            "gwyddion-common",
            "2.62-1",
            "9c13c19c2f224521b2a403cdbdc6e72566279ff8af64cb7348dca67a9d03baa4",
        ),
        (
            "cairo-dock-plug-in-data",
            "3.4.1+git20201022.a0d3415c-1",
            "88ad9662045de8499bb6f8f3dae1218af3400ac0f80146b4c0743ca6961d9b1d",
        ),
        (
            "gnumed-client",
            "1.8.9+dfsg-1",
            "4a028452ed7c5d3ac2e8c6f9f91c3627281f6765026063b072d7664b9918d5bf",
        ),
        (
            "libvirt-l10n",
            "9.0.0-4+deb12u2",
            "4f458df87ff36cd889f60cc479beeeb469523afbe8b82c878e4e7b0815926a57",
        ),
    )
)
MESSAGES = "ru/LC_MESSAGES/"
FOLDERS = tuple(
    f"usr/{folder}/{MESSAGES}"
    for folder in (
        "lib/libreoffice/program/resource",
        "share/games/ufoai/base/i18n",
        "share/locale",
    )
)
SHORTCUT = re.compile(r"[&_~](?=\w)")  # marks the letter of a keyboard shortcut
CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)
OTHER = re.compile("[a-z0-9]", re.IGNORECASE)
WORDS = 3  # fewest of a sentence: shorter ones are names of buttons


def sentences(request: CorpusRequest) -> Iterator[str]:
    """Yield sentences as they are written, each once, in a fixed order.

    One with Latin letters or digits is left out. Raises `UserError` if a package cannot be fetched
    or a catalogue is damaged.
    """
    root = debian.unpack(PACKAGES, request, "programs_ru", FOLDERS)
    paths = sorted(path for folder in FOLDERS for path in (root / folder).glob("*.mo"))
    messages = (
        SHORTCUT.sub("", translation) for path in paths for _, translation in catalogue.pairs(path)
    )
    for sentence in splitting.unique(messages):
        enough = len(sentence.split()) >= WORDS
        if enough and CYRILLIC.search(sentence) and not OTHER.search(sentence):
            yield sentence
