"""English telephone prompts, one woman: those of Asterisk, 25 minutes, 21 of sentences.

Source: Debian packages ``asterisk-core-sounds-en``, ``-en-g722`` (16 kHz) and ``-en-wav`` (8 kHz).
"""

from collections.abc import Iterator

from cascade.corpora.corpus import CorpusRequest, Excluded, Utterance
from local.corpora import asterisk_prompts
from local.helpers.debian import Package

LICENCE = "asterisk-core-sounds-en: CC-BY-SA-3.0, Allison Smith, Digium."
PARTS = asterisk_prompts.PARTS

TEXTS = Package(
    "asterisk-core-sounds-en",
    "1.6.1-1",
    {"all": "973e797d28e37fa6ca3c0a9d6fa717e77cf1268ae916bf09fd3503113cdffa50"},
)
SOUNDS = {
    16000: Package(
        "asterisk-core-sounds-en-g722",
        "1.6.1-1",
        {"all": "38c5261820b406dcb0ecb37675720da2b0864850690690352ca52707eb623806"},
    ),
    8000: Package(
        "asterisk-core-sounds-en-wav",
        "1.6.1-1",
        {"all": "2be3ea287d83299d143815fa804f11179a75b7affd4a758b98b55f5afc18a35d"},
    ),
}
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def utterances(request: CorpusRequest) -> Iterator[Utterance | Excluded]:
    """Yields the prompts in the order of the list, then sounds that have no text."""
    return asterisk_prompts.listing(request, "asterisk_en", "en", TEXTS, SOUNDS, LETTERS)
