"""Free Italian text for a language model: stories of a game."""

from collections.abc import Iterator

from cascade.corpora.corpus import CorpusRequest
from local.texts import wesnoth

LICENCE = wesnoth.LICENCE


def sentences(request: CorpusRequest) -> Iterator[str]:
    """Yield sentences as they are written, each once, in a fixed order."""
    return wesnoth.sentences(request, "it")
