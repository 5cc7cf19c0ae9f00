"""Free English text for a language model: stories of a game, and WordNet's examples.

The prompts that ``synth_en`` reads are left out, so that no language model is trained on them.
"""

from collections.abc import Iterator

from cascade.corpora.corpus import CorpusRequest
from local.corpora import synth_en
from local.texts import sentences as splitting
from local.texts import wesnoth, wordnet

LICENCE = f"{wesnoth.LICENCE} {wordnet.LICENCE}"


def sentences(request: CorpusRequest) -> Iterator[str]:
    """Yield sentences as they are written, each once, in a fixed order."""
    prompts = {prompt.lower() for prompt in synth_en.prompts(request)}
    for sentence in splitting.unique(_texts(request)):
        if (wordnet.prompt(sentence, *synth_en.WORDS) or "").lower() not in prompts:
            yield sentence


def _texts(request: CorpusRequest) -> Iterator[str]:
    yield from (text for text, _ in wesnoth.messages(request))
    yield from wordnet.examples(request)
