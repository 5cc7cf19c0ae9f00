import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cascade.config.recipe import read_recipe
from cascade.config.sections import Language
from cascade.corpora.corpus import LOCAL
from cascade.runtime.errors import UserError
from cascade.text.lexicon import (
    G2P,
    alternatives,
    look_up,
    phones_of_its_own,
    pronounce,
    unwritable,
)

RU_EN = LOCAL.parent / "recipes" / "ru_en" / "recipe.yaml"


@pytest.fixture(scope="module")
def recipe():
    return read_recipe(RU_EN)


def language(path: Path | None, **settings) -> Language:
    return Language("абв", "ru", lexicon=str(path) if path else None, **settings)


def test_espeak_with_the_recipes_phone_map(recipe, monkeypatch):
    monkeypatch.chdir(LOCAL.parent)
    phones = pronounce(["сегодня", "я", "чай", "сегодня"], recipe.languages["ru"])
    assert list(phones) == ["сегодня", "чай", "я"]  # sorted, once each
    assert phones["сегодня"] == ("sʲ", "i", "v", "o", "d", "nʲ", "ʌ")
    assert phones["чай"][0] == "tʃ"  # by the map: espeak-ng says tʃʲ


def test_apostrophes_are_part_of_words(recipe, monkeypatch):
    monkeypatch.chdir(LOCAL.parent)
    phones = pronounce(["cat's", "don't", "church"], recipe.languages["en"])
    assert phones["cat's"] == ("k", "æ", "t", "s")
    assert phones["church"] == ("tʃ", "ə", "ɹ", "tʃ")
    assert phones["don't"][-2:] == ("n", "t")


def test_the_lexicon_file_comes_first(tmp_path):
    file = tmp_path / "lexicon.txt"
    file.write_text("сегодня x y\nя z\nлишнее w\n", encoding="utf-8")
    phones = pronounce(["я", "сегодня"], language(file, phone_map={"x": "changed"}))
    assert phones == {"сегодня": ("x", "y"), "я": ("z",)}  # as written: no map, no other words


def test_a_bare_word_in_the_lexicon_file_is_left_to_espeak(tmp_path):
    file = tmp_path / "lexicon.txt"
    file.write_text("сегодня\n", encoding="utf-8")
    (phones,) = pronounce(["сегодня"], language(file)).values()
    assert phones[0] == "sʲ"


def test_no_words_no_program(monkeypatch):
    monkeypatch.setattr("cascade.text.lexicon.G2P", Path("/nowhere"))
    assert pronounce([], language(None)) == {}


def test_a_word_without_pronunciation_is_named():
    with pytest.raises(UserError, match=r"No pronunciation for 1 words \(-\).*lexicon file"):
        pronounce(["-", "да"], language(None))
    with pytest.raises(UserError, match=r"for 2 words \(а, о\)"):
        pronounce(["о", "да", "а"], language(None, phone_map={"ɑ": "", "o": "", "a": "", "ʌ": ""}))


def test_an_unknown_voice():
    with pytest.raises(UserError, match="espeak-ng failed for voice 'xx-none'"):
        pronounce(["да"], Language("абв", "xx-none"))


def test_a_repeated_line_in_the_lexicon_file(tmp_path):
    file = tmp_path / "lexicon.txt"
    file.write_text("я a\nя a\n", encoding="utf-8")
    with pytest.raises(UserError, match="line 2: 'я' appears twice with the same phones"):
        pronounce(["я"], language(file))


def test_probabilities_in_the_lexicon_file(tmp_path):
    file = tmp_path / "lexicon.txt"
    file.write_text("он o n\nя 0.35 j a\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"line 2: '0.35' is a probability, .* second column"):
        pronounce(["я"], language(file))


def test_phones_that_only_the_lexicon_file_has(tmp_path):
    file = tmp_path / "lexicon.txt"
    file.write_text("я j o\nон o nn\nоно o nn o\nа qq\n", encoding="utf-8")
    own = language(file)
    words = ["я", "он", "оно"]
    assert phones_of_its_own(pronounce([*words, "кот", "йота"], own), own) == {"nn": "он"}
    assert phones_of_its_own(pronounce(words, own), own) == {}  # nothing to compare with


def test_a_word_may_have_several_pronunciations(tmp_path):
    file = tmp_path / "lexicon.txt"
    file.write_text("я a\nя b c\nон o n\n", encoding="utf-8")
    assert pronounce(["я", "он"], language(file)) == {"он": ("o", "n"), "я": ("a",)}
    assert alternatives(language(file)) == {"я": [("b", "c")]}


def test_words_of_the_lexicon_file_are_as_transcripts_have_them(tmp_path):
    file = tmp_path / "lexicon.txt"
    text = "Я a\nя a\nда́ t\n<SIL> sil\nsil x\nода-ода o\n\n"
    file.write_text(text, encoding="utf-8")
    own = language(file)
    own = dataclasses.replace(own, letters="абвдояsil")
    assert pronounce(["я", "да", "sil"], own) == {"sil": ("x",), "да": ("t",), "я": ("a",)}
    assert alternatives(own) == {}
    assert unwritable(own) == ["ода-ода"]


TWICE = """
import sys
from pathlib import Path
from cascade.text import lexicon
from cascade.config.sections import Language
lexicon.PIECE = 2
words = [a + b for a in "авкморст" for b in "аеиоуыэю"]
phones = lexicon.look_up(words, Language("абв", "ru"), jobs=4, cache=Path(sys.argv[1]))
print(hash(tuple(sorted(phones.items()))))
"""


def test_two_runs_at_once_may_ask_the_same(tmp_path):
    command = [sys.executable, "-c", TWICE, str(tmp_path)]
    env = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": str(LOCAL.parent)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": env}
    runs = [subprocess.Popen(command, **pipes) for _ in range(3)]
    answers = [run.communicate() for run in runs]
    assert [run.returncode for run in runs] == [0, 0, 0], answers
    assert len({output for output, _ in answers}) == 1
    assert len(list(tmp_path.glob("*.ipa"))) == 32


def test_pieces_processes_and_the_cache_change_nothing(tmp_path, monkeypatch):
    words = ["сегодня", "да", "кот", "дом", "лес"]
    expected = look_up(words, language(None))
    monkeypatch.setattr("cascade.text.lexicon.PIECE", 2)
    assert look_up(words, language(None), jobs=2, cache=tmp_path) == expected
    assert len(list(tmp_path.glob("*.ipa"))) == 2  # only full pieces
    monkeypatch.setattr("cascade.text.lexicon.subprocess.run", None)
    assert look_up(sorted(words)[:4], language(None), cache=tmp_path) == dict(
        list(expected.items())[:4]
    )


def test_a_missing_lexicon_file(tmp_path):
    with pytest.raises(UserError, match=r"none\.txt cannot be read"):
        pronounce(["я"], language(tmp_path / "none.txt"))


def test_the_script_tells_its_usage():
    done = subprocess.run([G2P], capture_output=True, encoding="utf-8")
    assert done.returncode == 2 and "usage:" in done.stderr


def test_the_recipes_lexicon_files_hold_known_letters(recipe):
    for name, lang in recipe.languages.items():
        for line in (LOCAL.parent / lang.lexicon).read_text(encoding="utf-8").splitlines():
            assert set(line.split()[0]) <= set(lang.letters), (name, line)
