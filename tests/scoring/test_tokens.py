"""Numbering tokens by their bytes gives what numbering them as strings gives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade.scoring import tokens
from cascade.scoring.tokens import by_split, numbered

PHONES = ["a", "tʲ", "ɑ̃", "dʑ", "ʃʲː", "abcdefgh"]
GAPS = [" ", "  ", "\n", "\t", "\xa0", "\x1c", "\x1f", "\u2028", "\r\n", "\x0b"]
PIECES = st.sampled_from([*PHONES, *GAPS, "\0", "\x01", "abcdefghi", "длинное"]) | st.characters()


def read(found) -> list[list[str]]:
    rows, names = found
    assert sorted(set(names)) == sorted(names)
    assert len(rows.values) == rows.lengths.sum()
    return [[names[i] for i in rows.values[start:end]] for start, end in rows.places()]


@given(st.lists(st.lists(PIECES).map("".join), max_size=30))
def test_texts_are_parted_as_strings_are(texts):
    assert read(numbered(texts)) == [text.split() for text in texts]


@given(st.lists(st.lists(st.sampled_from(PHONES)).map(" ".join), min_size=1, max_size=30))
def test_phones_are_read_as_integers(texts):
    assert read(tokens._short(texts)) == [text.split() for text in texts]


@pytest.mark.parametrize("at_once", [1, 3])
def test_parts_of_the_texts_have_the_same_numbers(monkeypatch, at_once):
    monkeypatch.setattr(tokens, "AT_ONCE", at_once)
    texts = ["a b", "", " b a\n", "c", "a", "d d d", ""]
    assert read(tokens._short(texts)) == [text.split() for text in texts]


@pytest.mark.parametrize(
    "text", ["a abcdefghi", "длинн", "a\tb", "a\0b", "\0", "a\x01b", "a\xa0b", "a\u2028b", "a\rb"]
)
def test_other_texts_are_left_to_python(text):
    assert tokens._short(["a b", text]) is None
    assert read(numbered(["a b", text])) == [["a", "b"], text.split()]


@pytest.mark.parametrize("at_once", [1, 500])
def test_two_tokens_of_one_hash_are_told_apart(monkeypatch, at_once):
    monkeypatch.setattr(tokens, "AT_ONCE", at_once)
    monkeypatch.setattr(tokens, "SPREAD", np.uint64(1 << 48))  # the first two bytes
    texts = ["ab b", "ab abc", "b"]
    assert tokens._short(texts) is None
    assert read(numbered(texts)) == [text.split() for text in texts]


def test_tokens_that_are_parted_already():
    assert read(by_split([["a b", "c"], [], ["c", "a b"]])) == [["a b", "c"], [], ["c", "a b"]]
