"""Stories of the game Battle for Wesnoth: the English text and its translations.

Debian packages of eight campaigns, those with the most words for their size: 67 MB.
``wesnoth-1.16-data`` is not taken: 146 MB of help texts and lists of units.
"""

from collections.abc import Iterator
from pathlib import Path

from cascade.corpora.corpus import CorpusRequest
from local.helpers import debian
from local.texts import catalogue
from local.texts import sentences as splitting

LICENCE = "Battle for Wesnoth 1.16: GPL-2+, its authors and translators."
DIGESTS = {
    "utbs": "81e05717bebbfb6348c0bed2cd6ce2560c4fd9205ed419c2e7bc039b4a70e228",
    "did": "774619f5aaeb7eb4c848e1cc1758795a8c58e96bd270cceecc9d847dbcc769b3",
    "nr": "13edcf1bdd23708f531ba81c67100c5800363a119f10155c7f9e146fe7dced34",
    "dm": "1997ad4d91e8de36415db2a3445904288f588a76d75111222d2aace409ace5c6",
    "tsg": "38b5f564253b8e0d9c093b2b7c58aabfef24f688968d9cbaf42abfc1e76d8288",
    "sota": "fa44304ff53d259f3c5fe13c03cb8166e55e9c307807d1a5663048c396645ba6",
    "httt": "05b16a3f8f8204278794aae14d8e6a7c95d2b2faef7337c4997c827a146d1bbd",
    "sof": "b6f1ddffdbd1a977f3965dae944e4fb11c147627471f1cfc71c92d1e69efb555",
}
PACKAGES = tuple(
    debian.Package(f"wesnoth-1.16-{name}", "1:1.16.9-1", {"all": digest})
    for name, digest in DIGESTS.items()
)
LOCALES = "usr/share/games/wesnoth/1.16/locale/"
FOLDER = f"{LOCALES}ru/LC_MESSAGES/"


def messages(request: CorpusRequest) -> Iterator[tuple[str, str]]:
    """Yield English text and Russian translation, catalogue by catalogue.

    Raises `UserError` if a package cannot be fetched or a catalogue is damaged.
    """
    yield from _messages(debian.unpack(PACKAGES, request, "wesnoth", [FOLDER]) / FOLDER)


def translations(request: CorpusRequest, locale: str) -> Iterator[tuple[str, str]]:
    """Yield the same for another language; nothing if it has no translation."""
    folder = debian.unpack(PACKAGES, request, "wesnoth_locales", [LOCALES]) / LOCALES
    yield from _messages(folder / locale / "LC_MESSAGES")


def sentences(request: CorpusRequest, locale: str) -> Iterator[str]:
    """Yield the sentences of a translation, each once, in a fixed order."""
    translated = (
        translation
        for text, translation in translations(request, locale)
        if translation != text  # what nobody has translated is there in English
    )
    return splitting.unique(translated)


def _messages(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.glob("*")):
        for text, translation in catalogue.pairs(path):
            # What precedes a caret tells the translator where the text is used.
            yield text.rpartition("^")[2], translation
