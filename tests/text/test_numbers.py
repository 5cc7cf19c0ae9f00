from collections import Counter

import pytest

from cascade.config.sections import Language
from cascade.text.numbers import CONVERTED, in_words, supported
from cascade.text.words import words_of

RU = Language("", "ru")


@pytest.mark.parametrize(
    ("code", "text", "words"),
    [
        ("ru", "было 5 котов", "было пять котов"),
        ("ru", "В 1999 году", "В одна тысяча девятьсот девяносто девять году"),
        ("en", "in 1999, 2 cats", "in nineteen ninety-nine, two cats"),
        ("ru", "1-й, 2-я, 3-е", "первый, вторая, третье"),
        ("en", "the 1st and the 22nd", "the first and the twenty-second"),
        ("fr", "le 1er, la 1re, le 2e", "le premier, la première, le deuxième"),
        ("es", "el 3.º y la 1ª", "el tercero y la primera"),
        ("ru", "3,14", "три целых четырнадцать сотых"),
        ("en", "3.14 and 1,000", "three point one four and one thousand"),
        ("de", "1.000 und 0,5", "ein\xadtausend und null Komma fünf"),
        ("ru", "10 000 и 2\u00a0500", "десять тысяч и две тысячи пятьсот"),
        ("ru", "в 10:30.", "в десять тридцать."),
        ("ar", "٣", "ثلاثة"),
        ("hi", "५", "पाँच"),
        ("kk", "21", "жиырма бір"),
    ],
)
def test_numbers_in_words(code, text, words):
    assert in_words(text, Language("", code), Counter()) == words


@pytest.mark.parametrize(
    "text",
    [
        *(
            "5%",
            "5 %",
            "$5",
            "5 €",
            "12.05.1999",
            "10:00",
            "10:05",
            "007",
            "8-800-555",
            "5б",
            "MP3",
        ),
        *("2-го", "1/2", "№5", "1234567890123", "25:10", "+7", "36,6°", "5-7"),
    ],
)
def test_what_has_several_readings_stays(text):
    counts = Counter()
    assert in_words(text, RU, counts) == text
    assert not counts


def test_numbers_are_counted():
    counts = Counter()
    in_words("В 1999 году было 5 котов, 2-й, 10:30 и 0,5", RU, counts)
    assert counts == {CONVERTED: 5}


def test_words_are_those_of_the_language():
    uk = Language("абвгґдеєжзиіїйклмнопрстуфхцчшщьюя'", "uk")
    assert words_of(in_words("9", uk, Counter()), uk) == ["дев'ять"]


def test_languages_that_icu_has():
    assert all(
        supported(Language("", code))
        for code in ("ru", "en", "cmn", "kk", "ka", "cy", "sw", "hy", "tr")
    )
    others = ("tt", "eu", "ba", "cv", "gn", "uz", "xx")
    assert not any(supported(Language("", code)) for code in others)


@pytest.mark.parametrize(
    ("code", "letters", "words"),
    [
        ("sr", "абвгдђе", "двадесет и један"),
        ("sr", "abcčćdđe", "dvadeset i jedan"),
        ("kk", "абвгғд", "жиырма бір"),
        ("kk", "abdefgğ", None),  # ICU has only Cyrillic words
        ("uz", "abdefgʻ", None),
        ("uz", "абвгғд", None),
    ],
)
def test_words_are_in_the_script_of_the_letters(code, letters, words):
    language = Language(letters, code)
    assert in_words("21", language, Counter()) == (words or "21")
    assert supported(language) == (words is not None)
