"""The one rule by which every text becomes words: transcripts, language models, scores.

Unicode NFC, lower case, stress marks off, and soft hyphens and joiners, which nobody sees,
unless they are letters; whatever is not a letter, a mark on one (as the vowels of Hindi are),
a digit or an apostrophe inside a word parts words, hyphens and ``<COMMA>`` too.
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
    """Cuts ``text`` into words by the rule above.

    An apostrophe belongs to a word only where ``letters`` holds it. Letters that are not
    in ``letters`` stay in their words, for `foreign` to find.
    """
    text = PUNCTUATION.sub(" ", text).lower().replace("’", "'")
    text = unicodedata.normalize("NFC", text)
    kept = [c if c in letters else unicodedata.normalize("NFD", c).translate(DROPPED) for c in text]
    text = unicodedata.normalize("NFC", "".join(kept))
    if "'" not in letters:
        text = text.replace("'", " ")
    kinds = {c: unicodedata.category(c) for c in sorted(set(text))}
    marks = "".join(c for c, k in kinds.items() if k[0] == "M" or (k == "Cf" and c in letters))
    found = re.findall(rf"(?:[^\W_]|['{marks}])+", text)
    return [word for word in (w.strip("'") for w in found) if word]


def no_word(text: str) -> str | None:
    """What a transcript has in place of a word, such as ``<unk>`` or ``[noise]``, or None."""
    found = NO_WORD.search(PUNCTUATION.sub(" ", text))
    return found and found[0]


def foreign(words: list[str], letters: str) -> str | None:
    """Says what in ``words`` the language cannot write, or None: digits, other letters."""
    known = set(letters)
    for word in words:
        odd = sorted(set(word) - known)
        if any(c.isdigit() for c in odd):
            return f"digits in '{word}': write numbers as words"
        if odd:
            names = ", ".join(f"'{c}' ({unicodedata.name(c, 'unnamed').lower()})" for c in odd[:3])
            return f"letters that the language does not have in '{word}': {names}"
    return None


@dataclass(frozen=True)
class WordNormalizer:
    """How words are compared when they are scored: reference and hypothesis alike.

    `words_of`, then each letter that ``fold`` has as what it says; digits stay digits.
    """

    letters: str
    fold: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self):
        if any(len(letter) != 1 for letter in self.fold):
            raise UserError(f"'fold' must map single letters, not {sorted(self.fold)}.")

    def __call__(self, tokens: Sequence[str]) -> list[list[str]]:
        """The words of each token; none where it has neither letters nor digits."""
        plain = frozenset(self.letters) - {"'"} - self.fold.keys()
        as_it_is = plain.issuperset  # nearly all are, and are done in no time
        return [[token] if as_it_is(token) else self._words(token) for token in tokens]

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
