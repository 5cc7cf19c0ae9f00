"""Words of languages that write no spaces between them.

ICU cuts Chinese, Japanese, Thai, Lao, Khmer and Burmese by its dictionaries. Of other languages
each character is a word, with the marks on it. Syllables of Tibetan have a mark between them, and
are words.
"""

import unicodedata
from collections.abc import Iterator

from cascade.runtime.errors import UserError

BY_ICU = {  # espeak-ng's code: ICU's
    **{"cmn": "zh", "ja": "ja", "km": "km", "lo": "lo", "my": "my", "th": "th", "yue": "yue"},
}
BY_CHARACTER = frozenset(("hak", "nan", "shn"))
UNSPACED = frozenset((*BY_ICU, *BY_CHARACTER, "bo"))


def segments(run: str, code: str) -> list[str]:
    """Return the words of letters without a space.

    >>> segments("我喜欢学习", "cmn"), segments("我喜欢", "hak"), segments("да", "ru")
    (['我', '喜欢', '学习'], ['我', '喜', '欢'], ['да'])
    """
    if code in BY_ICU:
        try:
            from icu4py.breakers import WordBreaker  # 40 MB, which few recipes need
        except ImportError:
            raise UserError(
                f"texts of '{code}' have no spaces, and ICU, which cuts them into words, is not"
                " installed: pip install icu4py."
            ) from None
        pieces = WordBreaker(run, BY_ICU[code])
        return [piece for piece in pieces if any(map(str.isalnum, piece))]
    return list(_characters(run)) if code in BY_CHARACTER else [run]


def how(code: str) -> str | None:
    """Say how a text becomes words in a language without spaces; None for other languages."""
    if code not in UNSPACED:
        return None
    what = "a dictionary of ICU cuts its words"
    if code not in BY_ICU:
        what = "each syllable is a word" if code == "bo" else "each character is a word"
    return f"the language writes no spaces: {what}. Compare CER, the errors of characters"


def _characters(run: str) -> Iterator[str]:
    """Yield characters with the marks on them."""
    begin = 0
    for end in range(1, len(run) + 1):
        if end == len(run) or unicodedata.category(run[end])[0] != "M":
            yield run[begin:end]
            begin = end
