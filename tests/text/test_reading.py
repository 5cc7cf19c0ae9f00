from dataclasses import replace

import pytest

from cascade.config.sections import Language
from cascade.runtime.errors import UserError
from cascade.text import reading
from cascade.text.reading import sentence_ipa


def test_ipa_of_sentences_has_stress_and_words():
    one, none, two = sentence_ipa("ru", ["он пришёл", "", "это щука"])
    assert (one, none) == ("ˈon prʲiʃˈoɭ", "") and len(two.split()) == 2
    assert sentence_ipa("en-us", ["church"]) == sentence_ipa("en-us", ["church", "x"])[:1]


def test_a_language_reads_its_own_words():
    language = Language("абв'", "ru", texts=("texts_ru",))
    read = reading.reading(language)
    assert (read.voice, read.texts) == ("ru", ("texts_ru",))
    named = replace(language, read_aloud=("a.txt",))
    assert reading.reading(named).texts == ("a.txt",)
    assert read.words("А  б'а, В!") == ("а", "б'а", "в")
    assert read.words("а где 5") == () and read.words("...") == ()
    assert read.ipa(["а"]) == sentence_ipa("ru", ["а"])


def test_a_voice_that_espeak_does_not_have():
    with pytest.raises(UserError, match="espeak-ng failed for voice 'xx'"):
        sentence_ipa("xx", ["one"])


def test_lines_that_are_missing(monkeypatch):
    monkeypatch.setattr(reading, "run_g2p", lambda *arguments, text: "a")
    with pytest.raises(UserError, match="returned 1 lines for 2 sentences"):
        sentence_ipa("ru", ["one", "two"])
