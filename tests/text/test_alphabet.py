import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade.config.sections import Language
from cascade.text.alphabet import count, letters
from cascade.text.words import foreign, words_of


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["Ёж, да!", "НЕТ 12 OK"], "адежнтё"),
        (["It's", "don’t 'quote'"], "deinoqstu'"),
        (["'quoted'"], "deoqtu"),
        (["за́мок"], "азкмо"),  # a stress mark is not a letter of Cyrillic
        (["naïve", unicodedata.normalize("NFD", "façade")], "adefnvçï"),
        (["हिन्दी"], "दनहि" + "ी" + "्"),
        (["漢字とカナ"], "とカナ字漢"),
        (["ãngag̃uã"], "agnuã\u0303"),  # g with a tilde is two characters
        (["сімʼя", "п'ять"], "мпстьяі'"),
        (["人々が"], "々が人"),
        (["123 ..."], ""),
        ([], ""),
    ],
)
def test_letters(lines, expected):
    assert letters(count(lines).lines) == expected


def test_counts_are_of_lines():
    assert count(["aaa b", "ab", "c"]).lines == {"a": 2, "b": 2, "c": 1}


@given(st.lists(st.text(alphabet="abcéx' ’-.\u0301", max_size=20)))
def test_a_text_in_one_script_has_no_foreign_letters(lines):
    known = letters(count(lines).lines)
    for line in lines:
        assert foreign(words_of(line, Language(known, "en")), known) is None
