"""Italian telephone prompts, one man: those of Asterisk, 23 minutes, 11 of sentences.

Source: Debian packages ``asterisk-core-sounds-it``, ``-it-g722`` (16 kHz) and ``-it-wav`` (8 kHz).
"""

from collections.abc import Iterator

from cascade.corpora.corpus import CorpusRequest, Excluded, Utterance
from local.corpora import asterisk_prompts
from local.helpers.debian import Package

LICENCE = "asterisk-core-sounds-it: CC-BY-3.0, Carlo Flora, segreterietelefoniche.it."
PARTS = asterisk_prompts.PARTS

TEXTS = Package(
    "asterisk-core-sounds-it",
    "1.6.1-1",
    {"all": "3884d9457e12f21caa018c18f0d587df5d53ebea14b673d8453a134c5941ab3b"},
)
SOUNDS = {
    16000: Package(
        "asterisk-core-sounds-it-g722",
        "1.6.1-1",
        {"all": "46b4cf7afc508a5fcfc051b7ea233251c0d195dd4ef83cc4b7facb4c6429b016"},
    ),
    8000: Package(
        "asterisk-core-sounds-it-wav",
        "1.6.1-1",
        {"all": "5a26638089e134b8ac39363fe249c5c93c50cd8bfdc9b2499ae61ec4a35e2fcb"},
    ),
}
LETTERS = "aàbcdeèéfghiìíîjklmnoòópqrstuùúvwxyz"


def utterances(request: CorpusRequest) -> Iterator[Utterance | Excluded]:
    """Yields the prompts in the order of the list, then sounds that have no text."""
    return asterisk_prompts.listing(request, "asterisk_it", "it", TEXTS, SOUNDS, LETTERS)
