import dataclasses

import pytest

from cascade.config.sections import HINTS, Language
from cascade.text.lexicon import look_up
from cascade.text.written import acronyms, forms, pronunciations

RU = Language("абвгдеёжзийклмнопрстуфхцчшщъыьэюя", "ru", hints=HINTS)
AR = Language("ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىي", "ar", hints=HINTS)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("СССР и МГУ", {0: "СССР", 2: "МГУ"}),
        ("Он, «МГУ», ждёт", {1: "МГУ"}),
        ("Где-то в США.", {3: "США"}),
        ("ОН ЖДЁТ В МГУ", {}),  # all in capitals
        ("ОН В МГУ", {}),
        ("МГУ", {0: "МГУ"}),  # as an answer, or a title
        ("«МГУ» — США!", {0: "МГУ", 1: "США"}),
        ("МГУ <COMMA> США", {0: "МГУ", 1: "США"}),
        ("Я", {}),
        ("А я жду", {}),
        ("USB-порт МГУшный", {}),
        ("да <COMMA> МГУ", {1: "МГУ"}),
    ],
)
def test_words_in_capitals(text, found):
    assert forms(text, RU) == found
    assert forms(text, dataclasses.replace(RU, hints=())) == {}


def test_capitals_are_read_by_their_letters():
    table = pronunciations(["МГУ", "США", "НАТО"], RU, {"студент", "и"})
    assert table["МГУ"] == ("ɛ", "m", "ɡ", "ɛ", "u")
    plain = look_up(["мгу", "нато"], RU)
    assert plain["мгу"] == ("m", "ɡ", "u") and plain["нато"]
    assert "НАТО" not in table  # espeak-ng reads it as a word


def test_an_ordinary_word_in_capitals_is_a_word():
    ordinary = {"нет", "да", "дом"}
    assert acronyms(["НЕТ", "ДА", "МГУ"], RU, ordinary) == set()  # for emphasis
    found = ["НЕТ", "МГУ", "США", "МВД", "ФСБ"]
    assert acronyms(found, RU, ordinary) == {"МГУ", "США", "МВД", "ФСБ"}


def test_the_lexicon_file_comes_first(tmp_path):
    path = tmp_path / "lexicon.txt"
    path.write_text("мгу m a\n", encoding="utf-8")
    assert pronunciations(["МГУ"], dataclasses.replace(RU, lexicon=str(path)), {"дом"}) == {}


def test_a_stressed_word_is_read_as_the_lexicon_says_of_it(tmp_path):
    path = tmp_path / "lexicon.txt"
    path.write_text("за\u0301мок z a m ə k\nзам+ок z ʌ m o k\n", encoding="utf-8")
    language = dataclasses.replace(RU, lexicon=str(path))
    found = forms("з+амок, замо'к и замок, мал+ый", language)
    assert found == {0: "за\u0301мок", 1: "замо\u0301к", 4: "малы\u0301й"}
    assert pronunciations(found.values(), language, set()) == {
        "за\u0301мок": ("z", "a", "m", "ə", "k"),
        "замо\u0301к": ("z", "ʌ", "m", "o", "k"),
    }


def test_marks_of_vowels_help_espeak():
    found = forms("كِتَابٌ، كتاب", AR)
    assert found == {0: "كِتَابٌ"}
    table = pronunciations(found.values(), AR, set())
    assert table["كِتَابٌ"] == ("k", "i", "t", "a", "b", "u", "n")
    assert look_up(["كتاب"], AR)["كتاب"] == ("k", "i", "t", "a", "b")
