"""Free English text for a language model: stories of a game, and WordNet's examples.

The prompts that ``synth_en`` reads are left out, so that no model is trained on them.
"""

from collections.abc import Iterator

from cascade.corpora.corpus import CorpusRequest
from local.corpora import synth_en
from local.texts import sentences as splitting
from local.texts import wesnoth, wordnet

LICENCE = f"{wesnoth.LICENCE} {wordnet.LICENCE}"


def sentences(request: CorpusRequest) -> Iterator[str]:
    """Yields sentences as they are written, none twice, in a fixed order.

    Raises `UserError` where a package cannot be had.
    """
    spoken = {prompt.lower() for prompt in synth_en.prompts(request)}
    seen = set()
    for text in _texts(request):
        for sentence in splitting.split(text):
            plain = (wordnet.prompt(sentence, *synth_en.WORDS) or "").lower()
            if sentence not in seen and plain not in spoken:
                seen.add(sentence)
                yield sentence


def _texts(request: CorpusRequest) -> Iterator[str]:
    yield from (text for text, _ in wesnoth.messages(request))
    yield from wordnet.examples(request)
