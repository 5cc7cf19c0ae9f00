"""English telephone prompts of Asterisk, one woman: 25 minutes, 21 of them sentences.

Debian packages ``asterisk-core-sounds-en``, ``-en-g722`` (16 kHz) and ``-en-wav`` (8 kHz).
"""

from collections.abc import Iterator

from cascade.corpora.corpus import CorpusRequest, Excluded, Utterance
from local.corpora import asterisk_prompts

LICENCE = "asterisk-core-sounds-en: CC-BY-SA-3.0, Allison Smith, Digium."
PARTS = asterisk_prompts.PARTS
PROMPTS = asterisk_prompts.Prompts(
    language="en",
    letters="abcdefghijklmnopqrstuvwxyz",
    texts="973e797d28e37fa6ca3c0a9d6fa717e77cf1268ae916bf09fd3503113cdffa50",
    sounds={
        16000: "38c5261820b406dcb0ecb37675720da2b0864850690690352ca52707eb623806",
        8000: "2be3ea287d83299d143815fa804f11179a75b7affd4a758b98b55f5afc18a35d",
    },
)


def utterances(request: CorpusRequest) -> Iterator[Utterance | Excluded]:
    """Yield the prompts in the order of their list, then sounds without text."""
    return asterisk_prompts.listing(request, PROMPTS)
