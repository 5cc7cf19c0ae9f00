"""The letters of a language, told from its texts."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping

from cascade.text.words import DROPPED

APOSTROPHE = "'"
# Scripts that one language mixes, by the first word of their letters' names.
MIXED = dict.fromkeys(("HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "IDEOGRAPHIC"), "CJK")
COMMON = ("COMBINING", "MODIFIER")  # of any script: the tilde of g̃, the ʻ of oʻ


def count(lines: Iterable[str]) -> Counter[str]:
    """In how many of ``lines`` each letter or mark on one comes, in lower case.

    The apostrophe is counted where it stands between two letters.
    """
    counts: Counter[str] = Counter()
    for line in lines:
        line = unicodedata.normalize("NFC", line.lower().replace("’", APOSTROPHE))
        found = {char for char in line if char.isalpha() or unicodedata.category(char)[0] == "M"}
        inside = zip(line, line[1:], line[2:], strict=False)
        if any(b == APOSTROPHE and a.isalpha() and c.isalpha() for a, b, c in inside):
            found.add(APOSTROPHE)
        counts.update(found)
    return counts


def letters(counts: Mapping[str, int]) -> str:
    """Those of the script of most, sorted, the apostrophe last.

    Names left in another script would lend a language the phones of a third one.
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
    """LATIN, CYRILLIC ...: what the names of a script's letters begin with."""
    first = unicodedata.name(letter, "").partition(" ")[0]
    return MIXED.get(first, first)
