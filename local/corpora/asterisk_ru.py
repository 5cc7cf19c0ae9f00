"""Russian telephone prompts of Asterisk, one woman: 24 minutes, 21 of them sentences.

Debian packages ``asterisk-core-sounds-ru``, ``-ru-g722`` (16 kHz) and ``-ru-wav`` (8 kHz).
"""

from collections.abc import Iterator

from cascade.corpora.corpus import CorpusRequest, Excluded, Utterance
from local.corpora import asterisk_prompts

LICENCE = "asterisk-core-sounds-ru: CC-BY-3.0, Maxim Topal, ivrvoice.ru."
PARTS = asterisk_prompts.PARTS
PROMPTS = asterisk_prompts.Prompts(
    language="ru",
    letters="абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
    texts="28a61616bb0cd3345a7ea532dec4df9f071e5d0fa9f8c1a563ea9669002f39ab",
    sounds={
        16000: "673b4238a6b8269960f055d868c6a11083f7a0d00979167cb01554046b48ed9b",
        8000: "ccbfaebfa450b7a9ddf644ae0f3d1e9017d5df7c0aebe816e946345589d38201",
    },
)


def utterances(request: CorpusRequest) -> Iterator[Utterance | Excluded]:
    """Yield the prompts in the order of their list, then sounds without text."""
    return asterisk_prompts.listing(request, PROMPTS)
