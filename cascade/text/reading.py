"""How a language is read aloud: its words, and espeak-ng's IPA of sentences.

For corpora that a program speaks. They are in ``local/`` and know nothing of this package.
"""

from collections.abc import Sequence
from functools import partial

from cascade.config.sections import Language
from cascade.corpora.corpus import Reading
from cascade.runtime.errors import UserError
from cascade.text.lexicon import run_g2p
from cascade.text.words import foreign, words_of


def reading(language: Language) -> Reading:
    """Return how sentences of ``language`` are read aloud."""
    return Reading(
        language.voice,
        language.spoken,
        partial(_words, language),
        partial(sentence_ipa, language.voice),
    )


def sentence_ipa(voice: str, sentences: Sequence[str]) -> list[str]:
    """Return espeak-ng's IPA of every sentence, with stress marks and blanks between words.

    Raises `UserError` if espeak-ng fails.
    """
    text = "".join(f"{sentence}\n" for sentence in sentences)
    lines = run_g2p("--sentences", voice, text=text).split("\n")[: len(sentences)]
    if len(lines) != len(sentences):
        raise UserError(f"espeak-ng returned {len(lines)} lines for {len(sentences)} sentences.")
    return [" ".join(line.split()) for line in lines]


def _words(language: Language, sentence: str) -> tuple[str, ...]:
    """The words of a sentence; () if the language cannot write one of them."""
    words = words_of(sentence, language)
    return () if foreign(words, language.letters) else tuple(words)
