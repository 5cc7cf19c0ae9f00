"""Spanish telephone prompts, of Mexico, one woman: those of Asterisk, 29 minutes, 17 of sentences.

Source: Debian packages ``asterisk-core-sounds-es``, ``-es-g722`` (16 kHz) and ``-es-wav`` (8 kHz).
"""

from collections.abc import Iterator

from cascade.corpora.corpus import CorpusRequest, Excluded, Utterance
from local.corpora import asterisk_prompts
from local.helpers.debian import Package

LICENCE = "asterisk-core-sounds-es: CC-BY-SA-3.0, Allison Smith, Digium."
PARTS = asterisk_prompts.PARTS

TEXTS = Package(
    "asterisk-core-sounds-es",
    "1.6.1-1",
    {"all": "9afdab7f559f036649fb406e625899306ca1004df8ebe39c30bfbd5912d66f74"},
)
SOUNDS = {
    16000: Package(
        "asterisk-core-sounds-es-g722",
        "1.6.1-1",
        {"all": "e4e3b4281057d3b81b779298fd6be705f57411513955c518eed1bcaabbd615b8"},
    ),
    8000: Package(
        "asterisk-core-sounds-es-wav",
        "1.6.1-1",
        {"all": "9283a09a6d56fccdcc2bcfe86c48f0f844289cfbd46a3184d8785a6f7f569903"},
    ),
}
LETTERS = "aábcdeéfghiíjklmnñoópqrstuúüvwxyz"


def utterances(request: CorpusRequest) -> Iterator[Utterance | Excluded]:
    """Yields the prompts in the order of the list, then sounds that have no text."""
    return asterisk_prompts.listing(request, "asterisk_es", "es", TEXTS, SOUNDS, LETTERS)
