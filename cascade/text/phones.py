"""Phones: from espeak-ng's IPA to units, and which languages share them.

The rule, the same for every language:

1. Drop stress, length, syllable and tie marks, and all that is not an IPA letter or diacritic.
2. Split before each letter; a diacritic stays with the letter before it. So a diphthong
   becomes its two vowels, and a vowel with ``ɹ`` a vowel and an ``ɹ``.
3. Keep an affricate, a plosive with the fricative of the same place, as one phone if espeak-ng
   writes it as one (``tʃ`` in *church*, but not the ``t s`` of *cats*).
4. Apply the language's ``phone_map``. It renames a phone, replaces it by several, or drops it:
   for languages that espeak-ng writes in a way of their own, and to merge allophones.
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
# The tilde of nasal vowels; the cedilla of ç, which is not c; the tack of Czech ř, which is not r;
# the square of Basque z, which is not s.
KEPT = "\u0303\u0327\u031d\u033b"
# Some voices have symbols that espeak-ng does not turn into IPA: tS of Uzbek. Its own table does.
MNEMONICS = str.maketrans(
    "ABCDEGHIJLMNOPQRSTUVWXYZ`",
    "ɑβçðɛɢħɪɟɫɱŋɔɸɣʀʃθʊʌœχøʒʼ",
)


def phones_of(ipa: str, phone_map: Mapping[str, str]) -> list[str]:
    """Split one word's IPA by the rule of this module. Spaces separate espeak-ng's phones.

    >>> phones_of("tʃ ˈɜː tʃ", {"ɜ": "ə ɹ"})  # church
    ['tʃ', 'ə', 'ɹ', 'tʃ']
    >>> phones_of("k ˈæ t s", {}), phones_of("ʊ tS", {})
    (['k', 'æ', 't', 's'], ['ʊ', 'tʃ'])
    """
    units = [unit for symbol in ipa.split() for unit in _units(symbol)]
    return [new for unit in units for new in phone_map.get(unit, unit).split()]


def _units(symbol: str) -> list[str]:
    """Apply steps 1 to 3 of the rule to one of espeak-ng's phones."""
    phones: list[str] = []
    for char in unicodedata.normalize("NFD", symbol.translate(MNEMONICS)):
        category = unicodedata.category(char)
        if (category == "Lm" and char not in DROPPED) or char in KEPT:
            if phones:  # palatalised, aspirated, nasal ...
                phones[-1] += char
        elif category in ("Ll", "Lo"):
            if phones and phones[-1] + char in AFFRICATES:
                phones[-1] += char
            else:
                phones.append(char)
        # All other marks are dropped.
    return [unicodedata.normalize("NFC", phone) for phone in phones]


def frames_needed(labels: Sequence[Any]) -> int:
    """Return the fewest frames in which CTC can write ``labels``: a blank separates equal ones.

    >>> frames_needed("abba")
    5
    """
    return len(labels) + sum(a == b for a, b in pairwise(labels))


def write_phones(path: Path, inventories: Mapping[str, Iterable[str]]) -> list[str]:
    """Write the union of the languages' phones as a Kaldi symbol table; return the phones.

    The CTC blank is 0::

        <blk> 0
        a 1
        sʲ 2
    """
    phones = [BLANK, *sorted(set[str]().union(*inventories.values()))]
    write_text(path, "".join(f"{phone} {i}\n" for i, phone in enumerate(phones)))
    return phones


def read_phones(path: Path) -> list[str]:
    """Read what `write_phones` wrote: the phones by number; raise `UserError` if it is not that."""
    phones = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
        fields = line.split()
        if len(fields) != 2 or fields[1] != str(number):
            raise UserError(f"{path}, line {number + 1}: expected 'phone {number}'.")
        phones.append(fields[0])
    if not phones or phones[0] != BLANK:
        raise UserError(f"{path} must begin with '{BLANK} 0'.")
    return phones


def write_sharing(path: Path, counts: Mapping[str, Mapping[str, int]]) -> None:
    """Write which languages have each phone, and how often; ``counts[language][phone]``::

        phone   languages  ru  en
        a       ru+en      5   7
        ɨ       ru         2   0

    Tabs separate the fields.
    """
    languages = list(counts)
    lines = ["phone\tlanguages\t" + "\t".join(languages) + "\n"]
    for phone in sorted(set[str]().union(*counts.values())):
        having = "+".join(name for name in languages if phone in counts[name])
        numbers = "\t".join(str(counts[name].get(phone, 0)) for name in languages)
        lines.append(f"{phone}\t{having}\t{numbers}\n")
    write_text(path, "".join(lines))
