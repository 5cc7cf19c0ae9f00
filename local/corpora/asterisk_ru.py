"""Russian telephone prompts, one woman: those of Asterisk, 24 minutes, 21 of sentences.

Source: Debian packages ``asterisk-core-sounds-ru``, ``-ru-g722`` (16 kHz) and ``-ru-wav`` (8 kHz).
"""

from collections.abc import Iterator

from cascade.corpora.corpus import CorpusRequest, Excluded, Utterance
from local.corpora import asterisk_prompts
from local.helpers.debian import Package

LICENCE = "asterisk-core-sounds-ru: CC-BY-3.0, Maxim Topal, ivrvoice.ru."
PARTS = asterisk_prompts.PARTS

TEXTS = Package(
    "asterisk-core-sounds-ru",
    "1.6.1-1",
    {"all": "28a61616bb0cd3345a7ea532dec4df9f071e5d0fa9f8c1a563ea9669002f39ab"},
)
SOUNDS = {
    16000: Package(
        "asterisk-core-sounds-ru-g722",
        "1.6.1-1",
        {"all": "673b4238a6b8269960f055d868c6a11083f7a0d00979167cb01554046b48ed9b"},
    ),
    8000: Package(
        "asterisk-core-sounds-ru-wav",
        "1.6.1-1",
        {"all": "ccbfaebfa450b7a9ddf644ae0f3d1e9017d5df7c0aebe816e946345589d38201"},
    ),
}
LETTERS = "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"


def utterances(request: CorpusRequest) -> Iterator[Utterance | Excluded]:
    """Yields the prompts in the order of the list, then sounds that have no text."""
    return asterisk_prompts.listing(request, "asterisk_ru", "ru", TEXTS, SOUNDS, LETTERS)
