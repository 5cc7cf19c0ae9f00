"""Free Spanish text for a language model: stories of a game."""

from collections.abc import Iterator

from cascade.corpora.corpus import CorpusRequest
from local.texts import wesnoth

LICENCE = wesnoth.LICENCE


def sentences(request: CorpusRequest) -> Iterator[str]:
    """Yields sentences as they are written, none twice, in a fixed order.

    Raises `UserError` where a package cannot be had.
    """
    return wesnoth.sentences(request, "es")
