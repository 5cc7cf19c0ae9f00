"""What ``new-recipe`` makes of letters that are perhaps not of the language."""

import pytest

from cascade.config.recipe import read_recipe
from cascade.config.sections import Language
from cascade.drafting.letters import hints_in
from cascade.drafting.new_recipe import new_recipe

RU = [
    "Съешь ещё этих мягких булок", "Выпей чаю и хлеба", "Широкая река течёт на юг",
    "Мы жили у фабрики", "Цирк приехал в город", "Объезд закрыт до утра",
]  # fmt: skip


@pytest.fixture
def draft(tmp_path, wav):
    """Drafts a recipe from transcripts; returns the language, the data sets and the report."""

    def draft(code, texts):
        folder = tmp_path / "speech"
        for i, text in enumerate(texts):
            wav(folder / f"{i:02d}.wav", seconds=4, seed=i)
            (folder / f"{i:02d}.txt").write_text(text, encoding="utf-8")
        path = tmp_path / "pair" / "recipe.yaml"
        report = new_recipe(path, (code, str(folder)), [], tmp_path, tmp_path, 1)
        recipe = read_recipe(path)
        return recipe.languages[code], recipe.datasets, report

    return draft


def test_one_sentence_of_another_language_adds_no_letters(draft):
    language, _, report = draft("ru", [*RU * 4, "Її їжак живе біля річки"])
    assert language.letters == "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"
    assert "not taken: ї (U+0457), in 2 words such as 'їжак'; if it is a letter" in report
    assert "і (U+0456), in 2 words such as 'біля'" in report


def test_letters_that_the_voice_does_not_read_are_not_taken(draft):
    language, _, report = draft("bg", ["аз съм тук и ти си там", "дойде една жена"] * 12 + ["үрэ"])
    assert "ү" not in language.letters and "ъ" in language.letters
    assert "ү (U+04AF), in 1 word such as 'үрэ'" in report


def test_few_words_of_many_are_needed_for_a_letter(draft):
    texts = ["ena dva tri štiri pet šest sedem osem devet deset" + " in" * 40] * 70
    language, _, report = draft("sl", [*texts, "señor ena"])
    assert "ñ" not in language.letters and "š" in language.letters
    assert "not taken: ñ (U+00F1), in 1 word such as 'señor'" in report


def test_letters_that_look_alike_are_fixed(draft):
    mixed = [text.replace("о", "o").replace("с", "c") for text in RU]
    language, datasets, report = draft("ru", mixed)
    assert language.letters == "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"
    assert {dataset.confusables for dataset in datasets} == {"fix"}
    assert "fail the checks" not in report
    assert "confusables: fix, since letters of another script look like" in report


def test_a_text_without_such_letters_is_not_touched(draft):
    _, datasets, _ = draft("ru", [*RU, "OK"])
    assert {dataset.confusables for dataset in datasets} == {None}


def test_capitals_are_read_as_such_if_they_are_not_for_emphasis(draft):
    language, _, report = draft("ru", [*RU, "Он учится в МГУ"])
    assert language.hints == ("capitals",)
    assert "read as capitals: МГУ; if they are words, remove 'capitals'" in report


def test_a_transcript_of_one_acronym_counts_only_among_small_letters():
    russian = Language("абвгдеёжзийклмнопрстуфхцчшщъыьэюя", "ru")
    assert hints_in([*RU, "МГУ"], russian) == (("capitals",), ["МГУ"])
    assert hints_in([*map(str.upper, RU), "МГУ", "ДА", "НЕТ"], russian) == ((), [])
    assert hints_in(["ДА", "НЕТ", "СТОП"], russian) == ((), [])


def test_capitals_that_espeak_reads_as_words_are_no_hint():
    armenian = Language("աեզիմնչորցքվ", "hy")
    assert hints_in(["ԵՐԵՎԱՆ մեծ քաղաք է"] * 3, armenian) == ((), [])


def test_digits_become_words_but_not_in_the_test(draft):
    language, datasets, report = draft("kk", ["менде 21 кітап бар", "сен үйге кел"] * 12)
    assert {"ж", "ы", "м", "а"} <= set(language.letters)  # of жиырма
    numbers = {dataset.role: dataset.numbers for dataset in datasets}
    assert numbers == {"train": "words", "valid": "words", "test": None}
    assert "numbers: words, since transcripts have digits: train speech, valid speech" in report
    assert "numbers: not in the test; add it there if its references may be changed" in report
    assert (
        "has digits in '21': write numbers as words, or 'numbers: words' in the data set" in report
    )


def test_a_test_of_digits_has_them_in_words(draft):
    _, datasets, report = draft("en", [f"{i} and {i + 1}" for i in range(24)])
    assert {dataset.numbers for dataset in datasets} == {"words"}
    assert "most references of the test have digits, so they are changed, too" in report


def test_digits_of_a_language_without_rules_for_numbers(draft):
    _, datasets, report = draft("tt", ["миндә 21 китап бар", *["син өйгә кил"] * 22])
    assert {dataset.numbers for dataset in datasets} == {None}
    assert "digits in '21': write numbers as words\n" in report


def test_what_espeak_reads_wrongly_is_reported(draft):
    _, _, report = draft("tt", ["səlam dust", "min öydä"] * 12)
    assert "espeak-ng's voice 'tt' reads words such as" in report and "səlam" in report
    assert "as if they were English: write their pronunciations in a file, a line 'word" in report
    _, _, report = draft("tt", ["сәлам дус", "мин өйдә"] * 12)
    assert "as if they were English" not in report


def test_the_puso_of_guarani_is_reported(draft):
    language, _, report = draft("gn", ["Mba’éichapa", "g̃uahẽ ko'ãg̃a"] * 12)
    assert language.letters == "abcghikmopuãé\u0303ẽ'"
    assert "reads no ' (the puso), and g̃ as g: write their pronunciations" in report
