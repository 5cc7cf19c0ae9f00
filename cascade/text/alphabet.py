"""The letters of a language, from its texts."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cascade.config.sections import Language
from cascade.text.characters import APOSTROPHE, JOINERS, normalise

# Scripts that one language mixes, by the first word in the Unicode names of their letters.
MIXED = dict.fromkeys(("HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "IDEOGRAPHIC"), "CJK")
COMMON = ("COMBINING", "MODIFIER")  # of any script: the tilde of g̃, the ʻ of oʻ
DOT = "·"  # of Catalan: col·legi
WORD = re.compile(
    rf"(?:[^\W\d_]|[{APOSTROPHE}{DOT}{JOINERS}\u0300-\u036f\u0900-\u0dff\u0e00-\u109f])+"
)
# Joiners separate letters only in Arabic script and in the scripts of India.
LONG = 4  # letters of a good example
JOINED = re.compile("[\u0600-\u06ff]\u200c[\u0600-\u06ff]|[\u0900-\u0dff][\u200c\u200d]")


@dataclass
class LetterCounts:
    """How often the letters of a language, and marks on letters, are in its texts.

    ``lines`` and ``words`` contain them; ``examples`` has a word that contains each.
    """

    lines: Counter[str] = field(default_factory=Counter)
    words: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    line_count: int = 0
    word_count: int = 0


def count(lines: Iterable[str], voice: str = "") -> LetterCounts:
    """Count the letters of texts, in lower case by the rules of the language of ``voice``.

    An apostrophe counts if it is between two letters.

    >>> count(["It's", "Si, si"]).lines == {"i": 2, "t": 1, "'": 1, "s": 2}
    True
    """
    language, counts = Language("", voice), LetterCounts()
    for line in lines:
        in_line = set()
        for run in WORD.findall(normalise(line, language)):
            word = run.strip(APOSTROPHE + DOT)
            chars = {c for c in word if c.isalpha() or unicodedata.category(c)[0] == "M"}
            chars |= {APOSTROPHE} & set(word)
            chars |= {DOT} & set(word) if language.code == "ca" else set()
            chars |= {c for pair in JOINED.findall(word) for c in pair if c in JOINERS}
            counts.words.update(chars)
            counts.word_count += bool(chars)
            for char in chars:
                if len(counts.examples.get(char, "")) < min(len(word), LONG):
                    counts.examples[char] = word
            in_line |= chars
        counts.lines.update(in_line)
        counts.line_count += 1
    return counts


def letters(counts: Mapping[str, int]) -> str:
    """Return the letters of the most frequent script, sorted, the apostrophe last.

    Names in another script would add the phones of another language.

    >>> letters(count(["Да, нет!", "да", "OK"]).lines)
    'адент'
    """
    own = (script(counts), *COMMON)
    kept = sorted(
        char
        for char in counts
        if char in DOT + JOINERS or (char != APOSTROPHE and _script(char) in own)
    )
    return "".join(kept) + APOSTROPHE * (APOSTROPHE in counts)


def script(counts: Mapping[str, int]) -> str:
    """Return the most frequent script of letters, such as LATIN; "" if there are none."""
    scripts: Counter[str] = Counter()
    for char, times in counts.items():
        if char.isalpha():
            scripts[_script(char)] += times
    return max(sorted(scripts), key=scripts.__getitem__, default="")


def _script(letter: str) -> str:
    """Return a letter's script, such as LATIN or CYRILLIC, from its Unicode name."""
    first = unicodedata.name(letter, "").partition(" ")[0]
    return MIXED.get(first, first)
