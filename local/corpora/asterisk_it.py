"""Italian telephone prompts of Asterisk, one man: 23 minutes, 11 of them sentences.

Debian packages ``asterisk-core-sounds-it``, ``-it-g722`` (16 kHz) and ``-it-wav`` (8 kHz).
"""

from collections.abc import Iterator

from cascade.corpora.corpus import CorpusRequest, Excluded, Utterance
from local.corpora import asterisk_prompts

LICENCE = "asterisk-core-sounds-it: CC-BY-3.0, Carlo Flora, segreterietelefoniche.it."
PARTS = asterisk_prompts.PARTS
PROMPTS = asterisk_prompts.Prompts(
    language="it",
    letters="aàbcdeèéfghiìíîjklmnoòópqrstuùúvwxyz",
    texts="3884d9457e12f21caa018c18f0d587df5d53ebea14b673d8453a134c5941ab3b",
    sounds={
        16000: "46b4cf7afc508a5fcfc051b7ea233251c0d195dd4ef83cc4b7facb4c6429b016",
        8000: "5a26638089e134b8ac39363fe249c5c93c50cd8bfdc9b2499ae61ec4a35e2fcb",
    },
)


def utterances(request: CorpusRequest) -> Iterator[Utterance | Excluded]:
    """Yield the prompts in the order of their list, then sounds without text."""
    return asterisk_prompts.listing(request, PROMPTS)
