import numpy as np
import pytest

from cascade.config.sections import Language
from cascade.corpora.corpus import CorpusRequest
from cascade.runtime.errors import UserError
from cascade.text import dictionary
from cascade.text.dictionary import DictionaryFile
from cascade.text.hunspell import Forms

RU = Language("абвгдеёжзийклмнопрстуфхцчшщъыьэюя", "ru", fold={"ё": "е"})


def forms(*rows: tuple[str, int, int]) -> Forms:
    words, entries, rules = zip(*rows, strict=True)
    return Forms(words, np.array(entries), np.array(rules), np.zeros(len(words)))


TWO_NOUNS = forms(
    ("кот", 0, 0), ("кота", 0, 1), ("котом", 0, 2), ("мир", 1, 0), ("мира", 1, 1), ("миром", 1, 2)
)


def test_a_list_with_a_byte_order_mark_and_decomposed_letters(tmp_path):
    path = tmp_path / "words.txt"
    path.write_bytes("\ufeffдом 3\nчаи\u0306 2\nе\u0308ж\n".encode())
    forms = dictionary.read(DictionaryFile("words", path))
    assert forms.words == ["дом", "чай", "ёж"]
    assert set(dictionary.probabilities(forms, {}, RU)) == set(forms.words)


def test_probabilities_add_up_to_one():
    assert sum(dictionary.probabilities(TWO_NOUNS, {"кот": 3}, RU).values()) == pytest.approx(1)


def test_forms_of_a_known_word_are_likelier():
    p = dictionary.probabilities(TWO_NOUNS, {"кот": 3}, RU)
    assert p["кота"] > p["мира"] and p["котом"] > p["миром"]


def test_known_endings_are_likelier():
    p = dictionary.probabilities(TWO_NOUNS, {"кота": 3}, RU)
    assert p["мира"] > p["миром"]


def test_folded_spellings_count_for_one_another():
    nouns = forms(("ёж", 0, 0), ("ежа", 0, 1), ("мир", 1, 0), ("мира", 1, 1))
    p = dictionary.probabilities(nouns, {"еж": 5}, RU)
    assert p["ежа"] > p["мира"]


def test_what_the_language_cannot_write_is_left_out():
    odd = forms(("Кот", 0, 0), ("X-лучи", 1, 0), ("а1", 2, 0), ("кот", 3, 0))
    assert dictionary.probabilities(odd, {}, RU) == {"кот": pytest.approx(1)}
    assert dictionary.probabilities(forms(("cat", 0, 0)), {}, RU) == {}


def test_the_likeliest_are_chosen_after_the_known():
    likely = {"а": 0.5, "б": 0.1, "в": 0.3, "г": 0.1}
    assert set(dictionary.choose(likely, {"г", "я"}, 3)) == {"а", "г"}
    assert set(dictionary.choose(likely, {"г", "я"}, 4)) == {"а", "в", "г"}
    assert set(dictionary.choose(likely, {"г", "я"}, 1)) == {"г"}
    assert dictionary.choose(likely, set(), None) == likely


def test_word_lists(tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("кот 7\nдом\n\nлес 2\n", encoding="utf-8")
    source = dictionary.find(str(path), CorpusRequest(tmp_path, tmp_path))
    p = dictionary.probabilities(dictionary.read(source), {}, RU)
    assert p["кот"] > p["лес"] > p["дом"] > 0


@pytest.mark.parametrize("line", ["кот 7 8", "кот семь"])
def test_an_error_names_the_line_of_a_word_list(tmp_path, line):
    path = tmp_path / "list.txt"
    path.write_text(f"дом\n{line}\n", encoding="utf-8")
    with pytest.raises(UserError, match="line 2: expected 'word' or 'word count'"):
        dictionary.read(DictionaryFile("list", path))


def test_an_unknown_dictionary(tmp_path):
    for name in ("dictionary_xx", "texts_ru", "nowhere.dic"):
        with pytest.raises(UserError, match=f"Unknown dictionary '{name}'"):
            dictionary.find(name, CorpusRequest(tmp_path, tmp_path))
