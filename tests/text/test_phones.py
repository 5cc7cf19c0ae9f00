import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade.runtime.errors import UserError
from cascade.text.phones import BLANK, phones_of, read_phones, write_phones, write_sharing


@pytest.mark.parametrize(
    ("ipa", "phones"),
    [
        ("sʲ i v ˈo d nʲ ʌ", "sʲ i v o d nʲ ʌ"),
        ("tʃ ˈɜː tʃ", "tʃ ɜ tʃ"),  # church: one phone
        ("k ˈæ t s", "k æ t s"),  # cats: two
        ("t͡s dʒ dʑ tɕ", "ts dʒ dʑ tɕ"),  # tie bars go
        ("tʃʲ", "tʃʲ"),
        ("ˈaɪ oʊ", "a ɪ o ʊ"),  # diphthongs
        ("ɪɹ", "ɪ ɹ"),
        ("n̩ t̪ kʰ", "n t kʰ"),
        ("bɔ̃ ã", "b ɔ̃ ã"),  # nasal vowels
        ("r̝̊ r̩", "r̝ r"),  # ř is no r, voiceless or not
        ("ɪç", "ɪ ç"),  # not the c that it decomposes to
        ("s̻ ts̻ s̺", "s̻ ts̻ s"),  # the z and s of Basque
        ("tS ˈʊ N dZ A: t[ tʃ`", "tʃ ʊ ŋ dʒ ɑ t tʃʼ"),  # not IPA, but espeak-ng's own signs
        ("ˌ ː . ‿", ""),
        ("ʲa", "a"),  # a diacritic with no letter before it
        ("", ""),
        ("1 ? -", ""),
    ],
)
def test_the_rule(ipa, phones):
    assert phones_of(ipa, {}) == phones.split()


def test_phone_map_renames_and_splits_and_drops():
    assert phones_of("f ɜː ɭʲ", {"ɜ": "ə ɹ", "ɭʲ": "lʲ", "ɭ": "l"}) == ["f", "ə", "ɹ", "lʲ"]
    assert phones_of("a ʔ b", {"ʔ": ""}) == ["a", "b"]
    assert phones_of("a b", {"a": "b", "b": "a"}) == ["b", "a"]  # once, not on and on


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.text(st.characters(max_codepoint=0x36F), max_size=12) | st.text("tʃsdʒʲːˈ̃a ", max_size=9))
def test_phones_of_phones_are_themselves(text):
    phones = phones_of(text, {})
    assert all(phones) and not any(c.isspace() for phone in phones for c in phone)
    assert phones_of(" ".join(phones), {}) == phones


def test_table_round_trip(tmp_path):
    path = tmp_path / "phones.txt"
    phones = write_phones(path, {"ru": ["sʲ", "a", "ɨ"], "en": {"a": 3, "θ": 1}})
    assert phones == [BLANK, "a", "sʲ", "ɨ", "θ"]
    assert path.read_text(encoding="utf-8") == "<blk> 0\na 1\nsʲ 2\nɨ 3\nθ 4\n"
    assert read_phones(path) == phones


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must begin with '<blk> 0'"),
        ("a 0\n<blk> 1\n", "must begin with '<blk> 0'"),
        ("<blk> 0\na 2\n", "line 2: expected 'phone 1'"),
        ("<blk> 0\na\n", "line 2"),
        ("<blk> 0\n\na 1\n", "line 2"),
        ("<blk> 0\na b 1\n", "line 2"),
    ],
)
def test_a_table_that_is_none(tmp_path, text, message):
    path = tmp_path / "phones.txt"
    path.write_text(text)
    with pytest.raises(UserError, match=message) as caught:
        read_phones(path)
    assert str(path) in str(caught.value)


def test_sharing(tmp_path):
    path = tmp_path / "sharing.tsv"
    write_sharing(path, {"ru": {"a": 5, "ɨ": 2}, "en": {"θ": 1, "a": 7}})
    assert path.read_text(encoding="utf-8").splitlines() == [
        "phone\tlanguages\tru\ten",
        "a\tru+en\t5\t7",
        "ɨ\tru\t2\t0",
        "θ\ten\t0\t1",
    ]
