"""The pronunciations of a text's words: from the user's file, the bundle, or espeak-ng."""

import importlib.util
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from cascade.alignment.forced_path import Word
from cascade.config.sections import Language
from cascade.decoding.word_times import Pronunciations
from cascade.runtime.errors import UserError
from cascade.text.lexicon import look_up, read_lexicon

ESPEAK = ("phonemizer", "espeakng_loader")  # packages


class Pronouncer:
    """Gives the pronunciations of words in numbers of the network's phones.

    ``rule`` is that of a bundle, ``lexicon`` its file, ``phones`` its table of phones, of which
    ``allowed`` are those of the language. ``own`` is the user's lexicon file.
    """

    def __init__(
        self,
        rule: Language,
        lexicon: Path,
        phones: Sequence[str],
        allowed: Iterable[int],
        own: Path | None = None,
    ):
        self.language = replace(rule, lexicon=str(own) if own else None)
        self.own = read_lexicon(self.language)
        self.packed = Pronunciations(lexicon, phones)
        self.numbers = {phones[number]: number for number in allowed if number}

    def __call__(self, words: Iterable[str]) -> dict[str, Word]:
        """Return the pronunciations of each word; none for one that nothing pronounces.

        Raises `UserError` for phones that the language does not have, and where espeak-ng would
        be needed and is not installed.
        """
        table: dict[str, Word] = {}
        unknown = []
        for word in sorted(set(words)):
            if self.own.get(word):
                table[word] = [self._numbers(word, pron) for pron in self.own[word]]
            elif prons := self.packed(word):
                table[word] = [[label - 1 for label in pron] for pron in prons]
            else:
                unknown.append(word)
        return table | self._by_espeak(unknown)

    def _by_espeak(self, words: Sequence[str]) -> dict[str, Word]:
        if not words:
            return {}
        some = ", ".join(words[:5]) + (" ..." if len(words) > 5 else "")
        if not all(map(importlib.util.find_spec, ESPEAK)):
            raise UserError(
                f"the bundle's lexicon lacks {some} ({len(words)} in all), and espeak-ng is not"
                " installed. Install it (pip install phonemizer-fork espeakng-loader), or give"
                " pronunciations: --lexicon FILE, with lines 'word phone phone ...'."
            )
        prons = look_up(words, replace(self.language, lexicon=None))
        return {w: [self._numbers(w, p)] if p else [] for w, p in prons.items()}

    def _numbers(self, word: str, pron: Sequence[str]) -> list[int]:
        if odd := [phone for phone in pron if phone not in self.numbers]:
            raise UserError(
                f"'{word}' has the phone '{odd[0]}', which the bundle's network does not know in"
                f" this language. It knows {' '.join(self.numbers)}. Give the word with these:"
                " --lexicon FILE, with lines 'word phone phone ...'."
            )
        return [self.numbers[phone] for phone in pron]
