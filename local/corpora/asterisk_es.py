"""Spanish telephone prompts of Asterisk, of Mexico, one woman: 29 minutes, 17 of them sentences.

Debian packages ``asterisk-core-sounds-es``, ``-es-g722`` (16 kHz) and ``-es-wav`` (8 kHz).
"""

from collections.abc import Iterator

from cascade.corpora.corpus import CorpusRequest, Excluded, Utterance
from local.corpora import asterisk_prompts

LICENCE = "asterisk-core-sounds-es: CC-BY-SA-3.0, Allison Smith, Digium."
PARTS = asterisk_prompts.PARTS
PROMPTS = asterisk_prompts.Prompts(
    language="es",
    letters="aábcdeéfghiíjklmnñoópqrstuúüvwxyz",
    texts="9afdab7f559f036649fb406e625899306ca1004df8ebe39c30bfbd5912d66f74",
    sounds={
        16000: "e4e3b4281057d3b81b779298fd6be705f57411513955c518eed1bcaabbd615b8",
        8000: "9283a09a6d56fccdcc2bcfe86c48f0f844289cfbd46a3184d8785a6f7f569903",
    },
)


def utterances(request: CorpusRequest) -> Iterator[Utterance | Excluded]:
    """Yield the prompts in the order of their list, then sounds without text."""
    return asterisk_prompts.listing(request, PROMPTS)
