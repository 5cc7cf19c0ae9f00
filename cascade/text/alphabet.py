"""The letters of a language, from its texts."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping

from cascade.text.words import DROPPED

APOSTROPHE = "'"
# Scripts that one language mixes, by the first word in the Unicode names of their letters.
MIXED = dict.fromkeys(("HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "IDEOGRAPHIC"), "CJK")
COMMON = ("COMBINING", "MODIFIER")  # of any script: the tilde of g̃, the ʻ of oʻ


def count(lines: Iterable[str]) -> Counter[str]:
    """Count the lines that contain each letter or mark on a letter, in lower case.

    An apostrophe counts if it is between two letters.

    >>> count(["It's", "Si, si"]) == {"i": 2, "t": 1, "'": 1, "s": 2}
    True
    """
    counts: Counter[str] = Counter()
    for line in lines:
        line = unicodedata.normalize("NFC", line.lower().replace("’", APOSTROPHE))
        chars = {char for char in line if char.isalpha() or unicodedata.category(char)[0] == "M"}
        inside = zip(line, line[1:], line[2:], strict=False)
        if any(b == APOSTROPHE and a.isalpha() and c.isalpha() for a, b, c in inside):
            chars.add(APOSTROPHE)
        counts.update(chars)
    return counts


def letters(counts: Mapping[str, int]) -> str:
    """Return the letters of the most frequent script, sorted, the apostrophe last.

    Names in another script would add the phones of another language.

    >>> letters(count(["Да, нет!", "да", "OK"]))
    'адент'
    """
    scripts: Counter[str] = Counter()
    for char, times in counts.items():
        if char.isalpha():
            scripts[_script(char)] += times
    script = max(sorted(scripts), key=scripts.__getitem__, default="")
    kept = sorted(
        char
        for char in counts
        if char != APOSTROPHE and ord(char) not in DROPPED and _script(char) in (script, *COMMON)
    )
    return "".join(kept) + APOSTROPHE * (APOSTROPHE in counts)


def _script(letter: str) -> str:
    """Return a letter's script, such as LATIN or CYRILLIC, from its Unicode name."""
    first = unicodedata.name(letter, "").partition(" ")[0]
    return MIXED.get(first, first)
