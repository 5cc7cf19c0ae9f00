import pytest

from cascade.runtime.errors import UserError
from cascade.text.voices import in_english, unread, voice, voice_names


@pytest.fixture(scope="module")
def voices():
    return voice_names()


def test_espeak_lists_its_languages(voices):
    assert len(voices) > 100
    assert (voices["ru"], voices["en-us"]) == ("Russian", "English (America)")


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("ru", "ru"),
        ("en", "en-us"),
        ("EN", "en-us"),
        ("en-gb", "en-gb"),
        ("fr", "fr-fr"),
        ("zh", "cmn"),
        ("zh-CN", "cmn"),
        ("sv-SE", "sv"),
        ("pt_BR", "pt-br"),
        ("no", "nb"),
    ],
)
def test_voices(voices, code, name):
    assert voice(code, voices) == name


@pytest.mark.parametrize(
    ("code", "near"), [("rus", "ru"), ("german", "de"), ("ukr", "uk"), ("czech", "cs")]
)
def test_an_unknown_one_names_the_nearest(voices, code, near):
    with pytest.raises(UserError, match=rf"no language '{code}'.* {near} \("):
        voice(code, voices)


def test_words_that_are_read_as_english():
    assert in_english("tt", ["алма", "alma", "səlam"]) == ["alma", "səlam"]
    assert in_english("kk", ["алма", "alma"]) == []  # it is asked in Cyrillic
    assert in_english("tt", []) == []


def test_letters_that_are_read_in_another_spelling_are_not_unread():
    assert unread("cy", {"ẁ": "gẁr", "ẃ": "ẃr"}) == []
    assert unread("uz", {"ў": "ўзбек", "ш": "шаҳар", "ъ": "маъно"}) == []
