"""Phones: from espeak-ng's IPA to units, and which languages share them.

The rule, the same for every language:

1. Stress, length, syllable and tie marks go, and whatever is no IPA letter or diacritic.
2. The string is cut before each letter; a diacritic stays with the letter before it.
   A diphthong is so the sequence of its vowels, a vowel with ``ɹ`` a vowel and an ``ɹ``.
3. A plosive and the fricative of its own place are one phone, an affricate, where
   espeak-ng has them as one (``tʃ`` in *church*, but not the ``t s`` of *cats*).
4. The language's ``phone_map`` renames phones, or replaces one by several: for what a
   language of espeak-ng writes in its own way, and for allophones that are not kept apart.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from cascade.runtime.errors import UserError
from cascade.runtime.files import write_text

BLANK = "<blk>"
AFFRICATES = frozenset({"ts", "tʃ", "tɕ", "tʂ", "dz", "dʒ", "dʑ", "dʐ"})
DROPPED = frozenset("ˈˌːˑ.‿ˀ")  # stress, length, syllable, linking
# The tilde of nasal vowels; the cedilla of ç, which is no c; the tack of Czech ř, which is no r.
KEPT = "\u0303\u0327\u031d"


def phones_of(ipa: str, phone_map: Mapping[str, str]) -> list[str]:
    """Cuts one word's IPA, espeak-ng's phones parted by spaces, by the rule of this module."""
    units = [unit for symbol in ipa.split() for unit in _units(symbol)]
    return [new for unit in units for new in phone_map.get(unit, unit).split()]


def _units(symbol: str) -> list[str]:
    """Steps 1 to 3 of the rule, for one of espeak-ng's phones."""
    phones: list[str] = []
    for char in unicodedata.normalize("NFD", symbol):
        category = unicodedata.category(char)
        if (category == "Lm" and char not in DROPPED) or char in KEPT:
            if phones:  # palatalised, aspirated, nasal ...
                phones[-1] += char
        elif category in ("Ll", "Lo"):
            if phones and phones[-1] + char in AFFRICATES:
                phones[-1] += char
            else:
                phones.append(char)
        # All other marks say nothing that a phone of ours depends on.
    return [unicodedata.normalize("NFC", phone) for phone in phones]


def frames_needed(labels: Sequence[Any]) -> int:
    """The fewest frames that CTC can spell ``labels`` in: between equal ones stands a blank."""
    return len(labels) + sum(a == b for a, b in pairwise(labels))


def write_phones(path: Path, inventories: Mapping[str, Iterable[str]]) -> list[str]:
    """Writes the union of the languages' phones as Kaldi's ``phone number`` table.

    The CTC blank is 0. Returns the phones, the blank first.
    """
    phones = [BLANK, *sorted(set().union(*inventories.values()))]
    write_text(path, "".join(f"{phone} {i}\n" for i, phone in enumerate(phones)))
    return phones


def read_phones(path: Path) -> list[str]:
    """Reads what `write_phones` wrote: the phones by number."""
    phones = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
        fields = line.split()
        if len(fields) != 2 or fields[1] != str(number):
            raise UserError(f"{path}, line {number + 1}: 'phone {number}' was expected.")
        phones.append(fields[0])
    if not phones or phones[0] != BLANK:
        raise UserError(f"{path} must begin with '{BLANK} 0'.")
    return phones


def write_sharing(path: Path, counts: Mapping[str, Mapping[str, int]]) -> None:
    """Writes which languages have each phone, and how often: ``counts[language][phone]``."""
    languages = list(counts)
    lines = ["phone\tlanguages\t" + "\t".join(languages) + "\n"]
    for phone in sorted(set().union(*counts.values())):
        having = "+".join(name for name in languages if phone in counts[name])
        numbers = "\t".join(str(counts[name].get(phone, 0)) for name in languages)
        lines.append(f"{phone}\t{having}\t{numbers}\n")
    write_text(path, "".join(lines))
