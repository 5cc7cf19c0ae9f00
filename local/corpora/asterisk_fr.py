"""French telephone prompts of Asterisk, of Canada, one woman: 24 minutes, 12 of them sentences.

Debian packages ``asterisk-core-sounds-fr``, ``-fr-g722`` (16 kHz) and ``-fr-wav`` (8 kHz).
"""

from collections.abc import Iterator

from cascade.corpora.corpus import CorpusRequest, Excluded, Utterance
from local.corpora import asterisk_prompts

LICENCE = "asterisk-core-sounds-fr: CC-BY-SA-3.0, June Wallack, Digium."
PARTS = asterisk_prompts.PARTS
PROMPTS = asterisk_prompts.Prompts(
    language="fr",
    letters="aàâæbcçdeéèêëfghiîïjklmnoôœpqrstuùûüvwxyÿz",
    texts="04c82c78c570c43a7136cbc5e2488d0c470b775468dff9fbce4a131b18cf1056",
    sounds={
        16000: "7add61d5e42279ecff1bbdf842a5a946ac3644fac9a0fe44384731aa7270c8e0",
        8000: "8d4e1bc32ed5ba7fbda40841ca1825ed20cc6232724a473c90f8bb0e53e6073e",
    },
)


def utterances(request: CorpusRequest) -> Iterator[Utterance | Excluded]:
    """Yield the prompts in the order of their list, then sounds without text."""
    return asterisk_prompts.listing(request, PROMPTS)
