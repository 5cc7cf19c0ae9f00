"""espeak-ng's IPA as tokens of Kokoro.

Kokoro knows 114 characters. What else espeak-ng writes becomes the nearest of them, or the
sentence cannot be read, such as one with the tones of Vietnamese.
"""

import re
import unicodedata
from collections.abc import Mapping

# Two or three characters of espeak-ng that Kokoro writes with one or two; longer ones come first.
PAIRS = {
    **{"r̝̊": "rʃ", "r̝": "rʒ", "ɪ^": "ʲ"},
    **{"tʃ": "ʧ", "dʒ": "ʤ", "ts": "ʦ", "dz": "ʣ", "tɕ": "ʨ", "dʑ": "ʥ"},
}
NEAREST = {
    **{"ɭ": "l", "ɫ": "l", "ɬ": "l", "ɱ": "m", "ɗ": "d", "ʑ": "ʒ", "ʐ": "ʒ", "ʍ": "w"},
    **{"ɵ": "o", "ʉ": "u", "ʏ": "y", "ε": "ɛ", "^": "ʲ"},
}
SYLLABIC = re.compile("(.)\u0329")  # a consonant that is a syllable gets the vowel ə
# Details that Kokoro does not write: liaison, glottal and tone marks of single words, tie bars,
# and marks below or above that say where exactly the tongue is.
DETAILS = dict.fromkeys(map(ord, "-#`\u0361\u032a\u033a\u033b\u031e\u0308\u032f"))
RUSSIAN = {"y": "ɨ"}  # espeak-ng's sign for ы


def tokens(
    ipa: str, language: str, vocabulary: Mapping[str, int]
) -> tuple[tuple[int, ...], set[str]]:
    """Return the tokens of a sentence's IPA, and the characters that Kokoro does not have.

    ``language`` is espeak-ng's name of it.

    >>> tokens("tʃˈɵ", "ru", {"ʧ": 1, "ˈ": 2, "o": 3})
    ((1, 2, 3), set())
    """
    nearest = {**NEAREST, **(RUSSIAN if language.partition("-")[0] == "ru" else {})}
    ipa = unicodedata.normalize("NFC", ipa)
    ipa = "".join(c if c in vocabulary else unicodedata.normalize("NFD", c) for c in ipa)
    ipa = ipa.translate(DETAILS)
    for pair, written in PAIRS.items():
        ipa = ipa.replace(pair, written)
    characters = [nearest.get(c, c) for c in SYLLABIC.sub(r"ə\1", ipa)]
    unknown = set(characters) - set(vocabulary)
    return tuple(vocabulary[c] for c in characters if c not in unknown), unknown
