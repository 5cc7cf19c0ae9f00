"""Words whose transcript shows how they are read: capitals, stress marks, marks of vowels.

A word has one spelling, such as ``мгу``. Where a transcript has ``МГУ``, it is read as espeak-ng
reads it in capitals. The lexicon of stage 1 has such words as they are written, too::

    мгу m ɡ u
    МГУ ɛ m ɡ ɛ u
"""

import unicodedata
from collections.abc import Collection, Iterable
from pathlib import Path

from cascade.config.sections import HINTS, Language
from cascade.runtime.files import read_lines
from cascade.text.characters import VOWEL_MARKS, lower, stressed
from cascade.text.lexicon import Phones, pronounce_together, read_lexicon
from cascade.text.words import PUNCTUATION, words_of

CAPITALS, STRESS, VOWELS = HINTS
SHORT = 2  # words in capitals may be acronyms: "МГУ"; a longer text all in capitals has none
EMPHASIS = 2 / 3  # of the words in capitals; with fewer acronyms, capitals are for emphasis
ACUTE = "\u0301"


def forms(text: str, language: Language) -> dict[int, str]:
    """Return words as ``text`` writes them, by their place among its words, if that is a hint.

    A text of several words, all in capitals, has no words in capitals.

    >>> forms("В МГУ поступил", Language("абвгилмопсту", "ru", hints=HINTS))
    {1: 'МГУ'}
    """
    pieces = PUNCTUATION.sub(" ", unicodedata.normalize("NFC", text)).split()
    hints = set(language.hints)
    if in_capitals(text) and sum(any(map(str.isalpha, piece)) for piece in pieces) > SHORT:
        hints.discard(CAPITALS)
    found: dict[int, str] = {}
    place = 0
    for piece in pieces:
        form = _form(piece, language, hints)
        words = words_of(piece, language)
        if form and len(words) == 1:
            found[place] = form
        place += len(words)
    return found


def in_capitals(text: str) -> bool:
    """Say whether a text has capitals and no small letters, except in tags such as <COMMA>."""
    return PUNCTUATION.sub(" ", text).isupper()


def _form(piece: str, language: Language, hints: Collection[str]) -> str | None:
    letters = [c for c in piece if c.isalpha()]
    if CAPITALS in hints and len(letters) > 1 and all(map(str.isupper, letters)):
        return "".join(letters)
    if VOWELS in hints and VOWEL_MARKS.search(piece):
        return "".join(c for c in piece if c.isalpha() or VOWEL_MARKS.match(c))
    if STRESS in hints and language.lexicon and ACUTE in (form := _stressed(piece, language)):
        return form
    return None


def _stressed(piece: str, language: Language) -> str:
    """Return a word in small letters, with a combining accent on the vowel that is stressed."""
    text = stressed(piece, language).lower()
    return "".join(c for c in text if c.isalpha() or c == ACUTE)


def acronyms(found: Iterable[str], language: Language, ordinary: Collection[str]) -> set[str]:
    """Return the words in capitals that are not ``ordinary``: not also in small letters.

    None, if so many are that capitals are for emphasis.
    """
    capitals = {form for form in found if form.isupper()}
    acronyms = {form for form in capitals if lower(form, language.code) not in ordinary}
    return acronyms if len(acronyms) > EMPHASIS * len(capitals) else set()


def pronunciations(
    found: Iterable[str], language: Language, ordinary: Collection[str]
) -> dict[str, Phones]:
    """Return the phones of words as they are written, as far as that decides them.

    All words in capitals are read as espeak-ng reads capitals, between two copies of one of the
    ``ordinary`` words: give only `acronyms`. The lexicon file comes before espeak-ng.
    """
    lexicon, wanted = read_lexicon(language), sorted(set(found))
    word = {form: next(iter(words_of(form, language)), "") for form in wanted}
    table = {form: phones for form, phones in _marked(language).items() if form in word}
    own = {form for form in wanted if lexicon.get(word[form])} | table.keys()
    capitals = {form for form in wanted if form.isupper()} - own
    frame = max(sorted(ordinary), key=lambda word: min(len(word), 6), default="")
    if capitals and frame:
        table |= _among(sorted(capitals), frame, language)
    vowels = [form for form in wanted if VOWEL_MARKS.search(form) and form not in own]
    table |= dict(zip(vowels, pronounce_together(vowels, language), strict=True))
    return {form: phones for form, phones in table.items() if phones}


def _among(capitals: list[str], frame: str, language: Language) -> dict[str, Phones]:
    """Return how espeak-ng reads capitals between small letters: a clause of both is needed."""
    small = [lower(form, language.code) for form in capitals]
    edge, *lines = pronounce_together(
        [frame, *(f"{frame} {form} {frame}" for form in (*capitals, *small))], language
    )
    size = len(edge)
    return {
        form: line[size:-size]
        for form, line, other in zip(
            capitals, lines[: len(small)], lines[len(small) :], strict=True
        )
        if size and line[:size] == edge == line[-size:] and line != other
    }


def _marked(language: Language) -> dict[str, Phones]:
    """Return the pronunciations of the lexicon file that are of a word with its stress marked."""
    table: dict[str, Phones] = {}
    for line in read_lines(Path(language.lexicon)) if language.lexicon else ():
        written, *phones = line.split() or [""]
        if ACUTE in (form := _stressed(written, language)) and phones:
            table.setdefault(form, tuple(phones))
    return table
