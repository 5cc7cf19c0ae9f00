"""Free Russian text for a language model: stories of a game, and aphorisms."""

import re
from collections.abc import Iterator

from cascade.corpora.corpus import CorpusRequest
from local.texts import fortunes_ru, wesnoth
from local.texts import sentences as splitting

LICENCE = f"{wesnoth.LICENCE} {fortunes_ru.LICENCE}"
CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)


def sentences(request: CorpusRequest) -> Iterator[str]:
    """Yields sentences as they are written, none twice, in a fixed order.

    What has no Cyrillic letter (a name left in English) is left out. Raises `UserError`
    where a package cannot be had.
    """
    seen = set()
    for text in _texts(request):
        for sentence in splitting.split(text):
            if sentence not in seen and CYRILLIC.search(sentence):
                seen.add(sentence)
                yield sentence


def _texts(request: CorpusRequest) -> Iterator[str]:
    yield from (translation for _, translation in wesnoth.messages(request))
    yield from fortunes_ru.paragraphs(request)
