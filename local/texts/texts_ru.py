"""Free Russian text for a language model: stories of a game, and aphorisms."""

import re
from collections.abc import Iterator

from cascade.corpora.corpus import CorpusRequest
from local.texts import fortunes_ru, wesnoth
from local.texts import sentences as splitting

LICENCE = f"{wesnoth.LICENCE} {fortunes_ru.LICENCE}"
CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)


def sentences(request: CorpusRequest) -> Iterator[str]:
    """Yield sentences as they are written, each once, in a fixed order.

    One without a Cyrillic letter, such as a name left in English, is left out.
    """
    return filter(CYRILLIC.search, splitting.unique(_texts(request)))


def _texts(request: CorpusRequest) -> Iterator[str]:
    yield from (translation for _, translation in wesnoth.messages(request))
    yield from fortunes_ru.paragraphs(request)
