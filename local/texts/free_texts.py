"""Free text in many languages: the stories of a game, in English and translated.

It serves to look at a language before a recipe takes it; see `cascade.inventory.phone_counts`.
"""

from collections.abc import Iterator

from cascade.corpora.corpus import CorpusRequest
from local.texts import sentences as splitting
from local.texts import wesnoth

LICENCE = wesnoth.LICENCE
# The translation's name where it is not that of espeak-ng's voice.
LOCALES = {"nb": "nb_NO", "pt-br": "pt_BR", "es-419": "es_419"}


def sentences(request: CorpusRequest, voice: str) -> Iterator[str]:
    """Yield sentences in the language of one of espeak-ng's voices; none if there is no text.

    Raises `UserError` if a package cannot be fetched.
    """
    language = voice.partition("-")[0]
    if language in ("en", "ru"):  # unpacked already where a recipe has one of them
        texts = (pair[language == "ru"] for pair in wesnoth.messages(request))
    else:
        texts = (text for _, text in wesnoth.translations(request, LOCALES.get(voice, language)))
    for text in texts:
        yield from splitting.split(text)
