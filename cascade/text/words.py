"""The one rule by which every text becomes words: transcripts, language models, scores.

1. Unicode NFC, lower case.
2. Stress marks, soft hyphens and joiners are dropped, unless they are letters of the language.
3. Words consist of letters, marks on letters (such as the vowels of Hindi), digits, and
   apostrophes between letters. Everything else separates words: hyphens too, and ``<COMMA>``.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cascade.runtime.errors import UserError

# Combining grave and acute, as dictionaries print them; soft hyphen, joiners, marks of direction.
DROPPED = dict.fromkeys((0x300, 0x301, 0xAD, 0x200C, 0x200D, 0x200E, 0x200F, 0x2060, 0xFEFF))
PUNCTUATION = re.compile("<(?:COMMA|PERIOD|QUESTIONMARK|EXCLAMATIONPOINT)>")  # GigaSpeech's
# <unk>, [background noise], {breath}, ++um++, %hesitation, !SIL
NO_WORD = re.compile(r"[<\[{][^<>\[\]{}]*[>\]}]|\+\+\S+?\+\+|(?<!\S)%[^\W\d]\w*|(?<!\S)!SIL\b")


def words_of(text: str, letters: str) -> list[str]:
    """Split ``text`` into words by the rule above.

    An apostrophe belongs to a word only if it is one of ``letters``. Letters of other languages
    stay in their words, so that `foreign` can report them.

    >>> words_of("Mother-in-law, DON'T!", "abcdefghijklmnopqrstuvwxyz'")
    ['mother', 'in', 'law', "don't"]
    >>> words_of("За́мок <COMMA> об'явить 5", "абвгдежзийклмнопрстуфхцчшщъыьэюя")
    ['замок', 'об', 'явить', '5']
    """
    text = PUNCTUATION.sub(" ", text).lower().replace("’", "'")
    text = unicodedata.normalize("NFC", text)
    kept = [c if c in letters else unicodedata.normalize("NFD", c).translate(DROPPED) for c in text]
    text = unicodedata.normalize("NFC", "".join(kept))
    if "'" not in letters:
        text = text.replace("'", " ")
    kinds = {c: unicodedata.category(c) for c in sorted(set(text))}
    marks = "".join(c for c, k in kinds.items() if k[0] == "M" or (k == "Cf" and c in letters))
    runs = re.findall(rf"(?:[^\W_]|['{marks}])+", text)
    return [word for word in (run.strip("'") for run in runs) if word]


def no_word(text: str) -> str | None:
    """Return what a transcript has in place of a word; None if there is nothing of the kind.

    >>> no_word("да [шум] <COMMA> нет"), no_word("да <COMMA> нет")
    ('[шум]', None)
    """
    match = NO_WORD.search(PUNCTUATION.sub(" ", text))
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
            return f"digits in '{word}': write numbers as words"
        if odd:
            names = ", ".join(f"'{c}' ({unicodedata.name(c, 'unnamed').lower()})" for c in odd[:3])
            return f"letters that the language does not have in '{word}': {names}"
    return None


@dataclass(frozen=True)
class WordNormalizer:
    """How reference and hypothesis are normalised before they are scored.

    `words_of`, then ``fold`` replaces letters. Digits stay digits. Raises `UserError` if
    ``fold`` maps more than single letters.

    >>> normalize = WordNormalizer("абвгдеёжз", {"ё": "е"})
    >>> normalize(["Ёж", "где-то", "!"])
    [['еж'], ['где', 'то'], []]
    """

    letters: str
    fold: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if any(len(letter) != 1 for letter in self.fold):
            raise UserError(f"'fold' must map single letters, not {sorted(self.fold)}.")

    def __call__(self, tokens: Sequence[str]) -> list[list[str]]:
        """Return the words of each token; none if it has neither letters nor digits."""
        unchanged = (frozenset(self.letters) - {"'"} - self.fold.keys()).issuperset
        # Nearly all tokens are normal already, and this test is fast.
        return [[token] if unchanged(token) else self._words(token) for token in tokens]

    def _words(self, token: str) -> list[str]:
        fold = str.maketrans(dict(self.fold))
        folded = (word.translate(fold) for word in words_of(token, self.letters))
        return [word for word in folded if word]

    def __str__(self) -> str:
        same = "".join(f", '{a}' as '{b}'" for a, b in self.fold.items())
        return (
            "Unicode NFC, lower case, no stress marks; hyphens and other punctuation part words; "
            f"digits as written{same}"
        )
