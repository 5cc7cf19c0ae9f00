"""The one place where characters are normalised, by language, before a text becomes words.

0. What programs did to the text is undone: HTML entities, bytes read by the wrong table.
1. Case, by the rules of the language: Turkish ``I`` becomes ``ı``, Irish ``nAthair`` ``nathair``.
2. Characters that nobody sees are dropped. A zero-width space separates words in the languages
   that write it between words.
3. Stress marks are dropped, and so are the marks of vowels in Arabic and Hebrew.
4. Characters for the same letter become one: ligatures, wide letters, apostrophes, the Arabic
   letters that Persian and Urdu write in another way, and the Latin ones that keyboards have in
   place of letters of Chuvash, Tatar, Bashkir and Kazakh.
5. Signs of punctuation inside the words of Armenian are dropped.

What is among the ``letters`` of a language stays as it is.
"""

import functools
import html
import re
import unicodedata
from collections import Counter

from cascade.config.sections import Language

APOSTROPHE = "'"
APOSTROPHES = frozenset("'’‘‛′´`ʹʼʻʽˈꞌ＇՚׳")
# Languages in which ʻ is a letter of its own, and others of these characters stand for it.
OKINA = frozenset(("haw", "mi", "sm", "to", "ty"))
WITH_APOSTROPHE = frozenset(("be", "uk"))  # п'ять
DOTLESS = frozenset(("az", "ba", "crh", "gag", "kk", "tr", "tt"))  # I and ı, İ and i
SPACED = frozenset(("km", "lo", "my", "shn", "th"))  # U+200B is between words there
PREFIXED = frozenset(("ga", "gd"))  # n-athair, or nAthair: one word
JOINERS = "\u200c\u200d"  # between the letters of Persian and of the scripts of India
STRESS = frozenset("\u0300\u0301")  # combining grave and acute, as dictionaries print them
INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
# Vowels and other signs around the letters of Hebrew and Arabic; the stroke that lengthens a word.
VOWEL_MARKS = re.compile(
    "[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u0652"
    "\u0656-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed\u08d3-\u08ff]"
)
# Ligatures and other forms of letters: ĳ, ŉ, ſ, ǆ, ﬁ, ﬓ, Hebrew and Arabic ones, wide, narrow.
FORMS = re.compile(
    "[\u0132\u0133\u0149\u017f\u01c4-\u01cc\u01f1-\u01f3\ufb00-\ufdfb\ufe70-\ufefc"
    "\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\uff66-\uff9f]"
)
PERSIAN = {"ي": "ی", "ى": "ی", "ك": "ک"}
CEDILLAS = {"ş": "ș", "ţ": "ț"}  # which old fonts had in place of the comma below
SAME = {"ro": CEDILLAS, "fa": PERSIAN, "ckb": PERSIAN, "ur": PERSIAN | {"ه": "ہ"}}
VOWELS = "аеёиоуыэюяіїєўѣүұөәӑӗӳ"
# What is typed in place of letters that few keyboards have: Latin in words of Cyrillic letters, and
# in Azerbaijani the other way round.
TURKIC = {"ə": "ә", "Ə": "Ә", "ǝ": "ә", "ɵ": "ө", "Ɵ": "Ө", "h": "һ"}
CHUVASH = dict(zip("ăĕçÿĂĔÇŸǎěǍĚ", "ӑӗҫӳӐӖҪӲӑӗӐӖ", strict=True))
TYPED = {
    "az": {"ә": "ə", "Ә": "Ə", "ǝ": "ə", "Ǝ": "Ə"},
    "ba": TURKIC,
    "cv": CHUVASH,
    "kk": TURKIC,
    "ky": TURKIC,
    "tt": TURKIC,
}
ARMENIAN = frozenset(("hy", "hyw"))
IN_WORDS = frozenset("՛՜՞")  # Ինչպե՞ս
EW = re.compile("եւ|Եւ|ԵՒ|(?<=[Ա-Ֆ])ԵՎ|\\b[Եե]վ\\b|\\bԵՎ\\b")  # և, which has no capital
# Letters that look alike in Latin, Cyrillic and Greek.
ALIKE = (
    *("AАΑ", "BВΒ", "CС", "EЕΕ", "HНΗ", "IІΙ", "JЈ", "KКΚ", "MМΜ", "NΝ", "OОΟ", "PРΡ", "SЅ"),
    *("TТΤ", "XХΧ", "YУΥ", "ZΖ", "aа", "cс", "eе", "iі", "jј", "oоο", "pр", "sѕ", "vν", "xх", "yу"),
    *("ÄӒ", "ÇҪ", "ËЁ", "ÏЇ", "ÖӦ", "ƏӘ", "ƟӨ", "äӓ", "çҫ", "ëё", "hһ", "ïї", "öӧ", "əә", "ɵө"),
)
CONFUSABLES = "look-alike letters replaced"
ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][\da-fA-F]{1,6}|[A-Za-z][A-Za-z\d]{1,31});")
CONTROLS = re.compile("[\x80-\x9f]+")  # in Unicode; in Windows-1252 they are signs and letters
WINDOWS = {  # the bytes of characters that Latin-1 lacks
    c: byte for byte in range(0x80, 0xA0) if (c := bytes([byte]).decode("cp1252", "ignore"))
}
NEXT = f"[\u0080-\u00bf{''.join(WINDOWS)}]"
TWICE = re.compile(f"[ÂÃÄÅÎÏÐÑÒÓ×ØÙÚÛ]{NEXT}|â€{NEXT}|á[‚ƒ]{NEXT}")  # UTF-8 as Windows-1252
SURE = re.compile(f"â€{NEXT}|[ÂÃ][\u00a0-\u00bf]")  # not a capital before a quotation mark
GERSHAYIM = re.compile('(?<=[\u05d0-\u05ea])["\u05f4](?=[\u05d0-\u05ea])')  # צה״ל
WORD = re.compile(r"[^\W\d_]+")


def normalise(
    text: str, language: Language, counts: Counter[str] | None = None, fix: bool = False
) -> str:
    """Return ``text`` in the characters of ``language``; punctuation and digits stay.

    A language without letters keeps every letter: its alphabet is not known yet. ``counts``
    gets the changes that a user must know. With ``fix``, letters of another script that look
    like those of the language are replaced in words that are otherwise of its letters.

    >>> normalise("IĞDIR, İstanbul", Language("abcçdefgğhıijklmnoöprsştuüvyz", "tr"))
    'ığdır, istanbul'
    """
    rules = _rules(language.letters, language.code, language.stress_marks)
    counts = Counter() if counts is None else counts
    return rules(repaired(text, counts), counts, fix)


def repaired(text: str, counts: Counter[str]) -> str:
    """Return a text without the traces of programs; ``counts`` gets what was undone.

    UTF-8 that was read as Windows-1252 is decoded again if all of the text is valid then.

    >>> repaired("don&#39;t", Counter()), repaired("Ã©tÃ©", Counter())
    ("don't", 'été')
    """
    if "&" in text:
        plain = text
        for _ in range(2):  # &amp;#39; was escaped twice
            plain = ENTITY.sub(lambda match: html.unescape(match[0]), plain)
        if plain != text:
            counts["texts with HTML entities replaced"] += 1
            text = plain
    if (SURE.search(text) or len(TWICE.findall(text)) > 1) and TWICE.sub("", text).isascii():
        text = bytes(WINDOWS.get(c, ord(c)) for c in text).decode("utf-8", "replace")
        counts["texts decoded again: UTF-8 read as Windows-1252"] += 1
    if CONTROLS.search(text):
        text = CONTROLS.sub(lambda run: run[0].encode("latin-1").decode("cp1252", "ignore"), text)
        counts["texts with control characters read as those of Windows-1252"] += 1
    return text


def stressed(text: str, language: Language) -> str:
    """Return ``text`` with a combining accent on each vowel that has a stress mark.

    >>> stressed("з+амок, замо'к", Language("азкмо", "ru"))
    'за́мок, замо́к'
    """
    text = unicodedata.normalize("NFC", text)
    marks = _rules(language.letters, language.code, language.stress_marks).stress
    if marks is None:
        return text
    # A mark before its vowel goes behind it.
    before = re.sub(rf"\+([{VOWELS}{VOWELS.upper()}])", "\\1\u0301", text) if "+" in text else text
    return marks.sub("\u0301", before)


def lower(text: str, code: str) -> str:
    """Return ``text`` in lower case, by the rules of the language with this code.

    >>> lower("ISPARTA", "tr"), lower("nAthair", "ga"), lower("ΟΔΟΣ", "el"), lower("STRAẞE", "de")
    ('ısparta', 'nathair', 'οδος', 'straße')
    """
    if code in DOTLESS:
        text = text.replace("İ", "i").replace("I", "ı")
    if code in PREFIXED:
        text = re.sub(r"\b([hnt])-(?=[aeiouáéíóúàèìòù])", r"\1", text, flags=re.IGNORECASE)
    # The dot of i stays a dot: under accents in Lithuanian, and of İ in other languages.
    return re.sub("([ijį])\u0307", r"\1", text.lower())


class _Rules:
    """The rules of one language."""

    def __init__(self, letters: str, code: str, stress_marks: str) -> None:
        self._code = code
        self._table = _Table(letters, code)
        kept = {*letters, *(APOSTROPHE if code in WITH_APOSTROPHE else "")}
        self.stress = _stress_marks({*stress_marks} - kept)
        self._own = {*letters, *letters.upper()}
        alike = [(group, self._own.intersection(group)) for group in ALIKE]
        fixes = {c: min(own) for group, own in alike if len(own) == 1 for c in group}
        self._fixes = {ord(c): fixes[c] for c in fixes.keys() - self._own}
        typed = TYPED.get(code, {})
        self._typed = {ord(c): typed[c] for c in typed.keys() - self._own}
        self._is_typed = re.compile(f"[{''.join(map(chr, self._typed))}]") if typed else None

    def __call__(self, text: str, counts: Counter[str], fix: bool) -> str:
        text = unicodedata.normalize("NFC", text)
        if self._is_typed and self._is_typed.search(text):
            text = WORD.sub(lambda word: self._in_one_script(word[0]), text)
        if fix and self._fixes:
            text = WORD.sub(lambda word: self._without_confusables(word[0], counts), text)
        if self.stress:
            text, times = self.stress.subn("", text)
            if times:
                counts["stress marks dropped"] += times
        if marks := [c for c in VOWEL_MARKS.findall(text) if not self._table[ord(c)]]:
            counts["vowel marks dropped"] += len(marks)
        text = GERSHAYIM.sub("", text)
        if self._code == "uz":  # o and g with ʻ are letters of their own
            text = re.sub("[oOgG]?[{}]".format("".join(APOSTROPHES)), _uzbek, text)
        if self._code in ARMENIAN:
            text = EW.sub("և", "".join(c for c in text if c not in IN_WORDS))
        text = lower(text, self._code).translate(self._table)
        return unicodedata.normalize("NFC", text)

    def _in_one_script(self, word: str) -> str:
        """Return a word whose other letters are of the language's script in that script only."""
        rest = [c for c in word if ord(c) not in self._typed]
        latin, cyrillic = any(map(str.isascii, word)), any("\u0400" <= c <= "\u052f" for c in rest)
        own = latin and not cyrillic if self._code == "az" else cyrillic or not latin
        return word.translate(self._typed) if own else word

    def _without_confusables(self, word: str, counts: Counter[str]) -> str:
        """Return a word in the language's letters if some of it is, and the rest looks like it."""
        others = [c for c in word if c not in self._own]
        if not others or len(others) == len(word) or any(ord(c) not in self._fixes for c in others):
            return word
        counts[CONFUSABLES] += len(others)
        return word.translate(self._fixes)


@functools.lru_cache(maxsize=64)
def _rules(letters: str, code: str, stress_marks: str) -> _Rules:
    return _Rules(letters, code, stress_marks)


class _Table(dict[int, str]):
    """What replaces each character, by its number, for `str.translate`."""

    def __init__(self, letters: str, code: str) -> None:
        super().__init__()
        self._letters, self._code = frozenset(letters), code
        self._same = SAME.get(code, {})
        self._stress = STRESS | {"\u0303"} if code == "lt" else STRESS  # the tilde, too
        own = [c for c in letters if c in APOSTROPHES and (code, c) != ("uz", "ʻ")]
        self._apostrophe = "ʻ" if code in OKINA else own[0] if len(own) == 1 else APOSTROPHE

    def __missing__(self, number: int) -> str:
        self[number] = replacement = self._of(chr(number))
        return replacement

    def _of(self, char: str) -> str:
        if char in self._letters or (char, self._code) == ("ʻ", "uz"):
            return char
        if char in APOSTROPHES and (char, self._code) != ("`", "en"):  # it opens quotations there
            return self._apostrophe
        if char == "\u200b" and self._code in SPACED:
            return " "
        if not self._letters and char in JOINERS and self._code != "ar":
            return char
        if unicodedata.category(char) == "Cf" or INVISIBLE.match(char) or VOWEL_MARKS.match(char):
            return ""
        if FORMS.match(char):
            return "".join(map(self._of, unicodedata.normalize("NFKC", char)))
        if char in self._same:
            return self._same[char]
        if char in self._stress:
            return ""
        if not self._letters and self._code != "lt":
            return char
        return "".join(c for c in unicodedata.normalize("NFD", char) if c not in self._stress)


def _uzbek(match: re.Match[str]) -> str:
    return match[0][:-1] + ("ʻ" if len(match[0]) > 1 else APOSTROPHE)


def _stress_marks(marks: set[str]) -> re.Pattern[str] | None:
    """Return a pattern of stress marks: beside a vowel, in a word of Cyrillic letters.

    ``+`` is before the vowel or after it, others are after it. An apostrophe before a capital
    is no stress mark: О'Генри.
    """
    vowel, letter = f"[{VOWELS}{VOWELS.upper()}]", "[\u0400-\u04ff]"
    patterns = []
    if "+" in marks:
        patterns.append(rf"(?<![0-9+])\+(?={vowel})|(?<={vowel})\+(?={letter})")
    if after := "".join(sorted(marks - {"+", APOSTROPHE})):
        patterns.append(rf"(?<={vowel})[{re.escape(after)}](?={letter})")
    if APOSTROPHE in marks:
        patterns.append(rf"(?<={vowel})['’](?=[\u0430-\u045f{VOWELS}])")
    return re.compile("|".join(patterns)) if patterns else None
