import numpy as np
import pytest

from cascade.config.layout import Layout
from cascade.decoding import oracle
from cascade.lm import graph
from cascade.lm.mixture import unigram
from cascade.runtime.files import read_text_table, write_text_table
from cascade.text.phones import read_phones, write_phones

LEXICON = {"кот": ["k o t"], "код": ["k o t"], "сок": ["s o k"], "атта": ["a t t a"]}


@pytest.fixture
def layout(tmp_path):
    layout = Layout(tmp_path, None, None)
    write_phones(layout.phones, {"ru": {"k", "o", "t", "s", "a"}})
    model = unigram({"кот": 0.4, "код": 0.2, "сок": 0.2, "атта": 0.2})
    lexicon = {word: [pron.split() for pron in prons] for word, prons in LEXICON.items()}
    graph.build(lexicon, read_phones(layout.phones), model, layout.graph, layout.words)
    return layout


def test_reference_phones_become_the_likeliest_words(layout):
    texts = {"a": "s o k k o t", "b": "a t t a a t t a", "c": "k o t", "d": "s a k", "e": ""}
    path = layout.text("test_ru", "phones")
    write_text_table(path, {name: text.split() for name, text in texts.items()})
    oracle.decode_references(layout, "test_ru", "t", jobs=2)
    words = read_text_table(layout.oracle("t"))
    assert words["a"] == ["сок", "кот"]
    assert words["b"] == ["атта", "атта"]
    assert words["c"] == ["кот"]  # as код sounds, but likelier
    assert words["d"] == ["сок"]  # no such word: the nearest
    assert words["e"] == []


def test_frames_are_probabilities():
    rows = np.exp(oracle.certain_outputs([3, 3, 1], 5))
    assert rows.shape == (7, 5)
    assert rows.sum(axis=1) == pytest.approx(np.ones(7))
    assert rows.argmax(axis=1).tolist() == [0, 3, 0, 3, 0, 1, 0]
