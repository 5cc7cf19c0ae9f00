"""The one rule by which every text becomes words: transcripts, language models, scores.

1. Characters are normalised as the language writes them (`cascade.text.characters`).
2. Words consist of letters, marks on letters (such as the vowels of Hindi), digits, and
   apostrophes between letters. Everything else separates words: hyphens too, and ``<COMMA>``.
3. Languages that write no spaces are cut into words (`cascade.text.segments`).
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cascade.config.sections import Language
from cascade.runtime.errors import UserError
from cascade.text.characters import APOSTROPHE, ARMENIAN, normalise, repaired
from cascade.text.segments import UNSPACED, segments

PUNCTUATION = re.compile("<(?:COMMA|PERIOD|QUESTIONMARK|EXCLAMATIONPOINT)>")  # GigaSpeech's
# <unk>, [background noise], {breath}, ++um++, %hesitation, !SIL
NO_WORD = re.compile(r"[<\[{][^<>\[\]{}]*[>\]}]|\+\+\S+?\+\+|(?<!\S)%[^\W\d]\w*|(?<!\S)!SIL\b")


DIGITS = "digits"  # begins the message that a transcript has some
LOST = "\ufffd"  # in place of a character that a program could not read


def words_of(
    text: str, language: Language, counts: Counter[str] | None = None, fix: bool = False
) -> list[str]:
    """Split ``text`` into words by the rule above.

    An apostrophe, or another sign, belongs to a word only if it is one of the letters. Letters of
    other languages stay in their words, so that `foreign` can report them. For ``counts`` and
    ``fix`` see `normalise`.

    >>> words_of("Mother-in-law, DON'T!", Language("abcdefghijklmnopqrstuvwxyz'", "en"))
    ['mother', 'in', 'law', "don't"]
    >>> words_of("За́мок <COMMA> об'явить 5", Language("абвгдежзийклмнопрстуфхцчшщъыьэюя", "ru"))
    ['замок', 'об', 'явить', '5']
    """
    letters = language.letters
    text = normalise(PUNCTUATION.sub(" ", text), language, counts, fix)
    if APOSTROPHE not in letters:
        text = text.replace(APOSTROPHE, " ")
    marks = {c for c in set(text) if unicodedata.category(c)[0] == "M"}
    signs = {APOSTROPHE, *(c for c in letters if not c.isalnum())} - marks
    inside = re.escape("".join(sorted(marks | signs | {LOST})))
    edges = "".join(signs - {"\u200d"})  # which ends words of Malayalam
    runs = re.findall(rf"(?:[^\W_]|[{inside}])+", text)
    words = [word for word in (run.strip(edges) for run in runs) if word]
    if language.code in UNSPACED:
        words = [piece for word in words for piece in segments(word, language.code)]
    return words


def no_word(text: str) -> str | None:
    """Return what a transcript has in place of a word; None if there is nothing of the kind.

    >>> no_word("да [шум] <COMMA> нет"), no_word("да <COMMA> нет")
    ('[шум]', None)
    """
    match = NO_WORD.search(PUNCTUATION.sub(" ", repaired(text, Counter())))
    return match and match[0]


def foreign(words: list[str], letters: str) -> str | None:
    """Say what in ``words`` the language cannot write, digits or other letters; else None.

    >>> foreign(["да", "yes"], "ад")
    "letters that the language does not have in 'yes': 'e' (latin small letter e), \
's' (latin small letter s), 'y' (latin small letter y)"
    """
    for word in words:
        odd = sorted(set(word) - set(letters))
        if any(c.isdigit() for c in odd):
            return f"{DIGITS} in '{word}': write numbers as words"
        if odd:
            names = ", ".join(f"'{c}' ({unicodedata.name(c, 'unnamed').lower()})" for c in odd[:3])
            return f"letters that the language does not have in '{word}': {names}"
    return None


def count_unknown(words: Iterable[str], vocabulary: Iterable[str], language: Language) -> int:
    """Return how many of ``words`` are not in ``vocabulary``.

    Words are compared as they are scored: with the letters of ``fold`` replaced.

    >>> count_unknown(["ёж", "да", "еж"], ["еж"], Language("адёеж", "ru", fold={"ё": "е"}))
    1
    """
    written = set(folded(vocabulary, language))
    return sum(word not in written for word in folded(words, language))


def folded(words: Iterable[str], language: Language) -> tuple[str, ...]:
    """Return words as scoring compares them: with the letters of ``fold`` replaced.

    >>> folded(["её", "дом"], Language("адёеж", "ru", fold={"ё": "е"}))
    ('ее', 'дом')
    """
    fold = str.maketrans(dict(language.fold))
    return tuple(word.translate(fold) for word in words)


@dataclass(frozen=True)
class WordNormalizer:
    """How reference and hypothesis are normalised before they are scored.

    `words_of`, then ``language.fold`` replaces letters. Digits stay digits. Raises `UserError`
    if ``fold`` maps more than single letters.

    >>> normalize = WordNormalizer(Language("абвгдеёжз", "ru", fold={"ё": "е"}))
    >>> normalize(["Ёж", "где-то", "!"])
    [['еж'], ['где', 'то'], []]
    """

    language: Language

    def __post_init__(self) -> None:
        fold = self.language.fold
        if any(len(letter) != 1 for letter in fold):
            raise UserError(f"'fold' must map single letters, not {sorted(fold)}.")

    def __call__(self, tokens: Sequence[str]) -> list[list[str]]:
        """Return the words of each token; none if it has neither letters nor digits."""
        letters = {c for c in self.language.letters if c.isalpha()}
        if self.language.code in ARMENIAN:  # և may be written as two letters
            letters = set()
        unchanged = (letters - self.language.fold.keys()).issuperset
        # Nearly all tokens are normal already, and this test is fast.
        return [[token] if unchanged(token) else self._words(token) for token in tokens]

    def _words(self, token: str) -> list[str]:
        return [word for word in folded(words_of(token, self.language), self.language) if word]

    def __str__(self) -> str:
        same = "".join(f", '{a}' as '{b}'" for a, b in self.language.fold.items())
        return (
            "Unicode NFC, lower case, no stress marks; hyphens and other punctuation part words; "
            f"digits as written{same}"
        )
