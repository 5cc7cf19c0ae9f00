"""Digits to words, by the rules that ICU has for 67 languages.

ICU cannot know the case that a sentence needs, so words are in the nominative. What has several
readings stays as it is, and the utterance is left out: dates, sums of money, percentages, full
hours, telephone numbers.
"""

import functools
import importlib.util
import re
from collections import Counter
from decimal import Decimal
from typing import Any

from cascade.config.sections import Language
from cascade.text.alphabet import script

CONVERTED = "numbers written as words, in the nominative"
LONGEST = 12  # digits
YEARS = range(1100, 2100)
AS_YEARS = frozenset(("da", "de", "en", "nb", "nl", "sv"))  # nineteen ninety-nine
# Languages in which a point is before decimals, and commas are between thousands.
POINT = frozenset(("cmn", "cy", "en", "fil", "ga", "he", "hi", "ja", "ko", "ms", "sw", "ta", "th"))
LOCALES = {"cmn": "zh", "hyw": "hy", "hak": "zh"}  # espeak-ng's code: ICU's
ORDINAL = "%spellout-ordinal"
ORDINALS = {  # what follows the digits of an ordinal, and its gender
    "en": {"st|nd|rd|th": ""},
    "es": {r"\.?º": "-masculine", r"\.?ª": "-feminine"},
    "fr": {"ère|re": "-feminine", "er|ème|e": "-masculine"},
    "it": {"º|°": "-masculine", "ª": "-feminine"},
    "nl": {"ste|de|e": ""},
    "pt": {r"\.?º": "-masculine", r"\.?ª": "-feminine"},
    "ru": {"-?(?:ый|ий|ой|й)": "-masculine", "-?(?:ая|я)": "-feminine", "-?(?:ое|е)": "-neuter"},
}
NUMBER = r"(?<![\w.,:/$€£¥№#%°+−-])(\d+(?:[.,:'’\u00a0\u202f ]\d+)*)"
END = r"(?![\w%$€£¥°/+]|[.,:]\d|-[\d\w]|\s?[%$€£¥°])"
GROUPS = re.compile(r"(?<!\d)\d{1,3}(?:[\u00a0\u202f ]\d{3})+(?!\d)")


def in_words(text: str, language: Language, counts: Counter[str]) -> str:
    """Return ``text`` with its numbers in words, as far as they have one reading.

    ``counts`` gets how many numbers were replaced.

    >>> in_words("В 1999 году было 5 котов", Language("", "ru"), Counter())
    'В одна тысяча девятьсот девяносто девять году было пять котов'
    """
    if not any(map(str.isdigit, text)):
        return text
    code = _locale(language.code, language.letters)
    if code is None:
        return text
    if code != "en":
        text = GROUPS.sub(lambda match: re.sub(r"\s", "", match[0]), text)
    for suffix, gender in ORDINALS.get(code, {}).items():
        text = re.sub(
            rf"(?<![\w.,:/$€£¥№#+−-])(\d+)(?:{suffix})(?!\w)",
            lambda match: _spelt(match[1], code, counts, ORDINAL + gender) or match[0],  # noqa: B023
            text,
        )
    number = NUMBER.replace("\\u00a0\\u202f ", "")
    return re.sub(number + END, lambda match: _reading(match[1], code, counts) or match[0], text)


def supported(language: Language) -> bool:
    """Say whether ICU has numbers of the language in words, in the script of its letters.

    It has none where ICU is not installed, as beside a bundle.
    """
    if importlib.util.find_spec("icu4py") is None:
        return False
    return _locale(language.code, language.letters) is not None


@functools.lru_cache(maxsize=64)
def _locale(code: str, letters: str) -> str | None:
    """Return ICU's name of a language whose words for numbers are in the script of ``letters``."""
    if code == "en":
        return code
    wanted = script(dict.fromkeys(letters, 1))
    for name in (code, f"{code}-Latn"):
        words = str(_format(name, "").format({"n": 21}))
        if words != "twenty-one" and wanted in ("", script(dict.fromkeys(words, 1))):
            return name
    return None


def _reading(number: str, code: str, counts: Counter[str]) -> str | None:
    """Return a number in words; None if it has several readings, or none."""
    point, comma = (".", ",") if code in POINT else (",", ".")
    if number.isdigit():
        year = code in AS_YEARS and len(number) == 4 and int(number) in YEARS
        return _spelt(number, code, counts, "%spellout-numbering-year" if year else "")
    if time := re.fullmatch(r"(\d{1,2}):([1-5]\d)", number):
        if int(time[1]) > 23:
            return None
        hour = _spelt(str(int(time[1])), code, counts)
        return f"{hour} {_spelt(time[2], code, Counter())}"
    if re.fullmatch(rf"\d{{1,3}}(?:[{comma}'’]\d{{3}})+", number):
        return _spelt(re.sub(r"\D", "", number), code, counts)
    if re.fullmatch(rf"\d+{re.escape(point)}\d+", number):
        counts[CONVERTED] += 1
        return str(_format(code, "").format({"n": Decimal(number.replace(point, "."))}))
    return None


def _spelt(digits: str, code: str, counts: Counter[str], rule: str = "") -> str | None:
    if len(digits) > LONGEST or (digits[0] in "0٠۰०" and len(digits) > 1):
        return None
    counts[CONVERTED] += 1
    return str(_format(code, rule).format({"n": int(digits)}))


@functools.cache
def _format(code: str, rule: str) -> Any:
    """Return ICU's format of numbers in words, by one of its rules."""
    from icu4py.messageformat import MessageFormat  # 40 MB, which few recipes need

    return MessageFormat(f"{{n, spellout{',' if rule else ''}{rule}}}", LOCALES.get(code, code))
