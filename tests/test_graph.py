import numpy as np
import pytest

from cascade import graph, ngram
from cascade.decode import WordSearch
from cascade.layout import Layout
from cascade.recipe import Decode, LanguageModel

PHONES = ["<blk>", "a", "k", "o", "s", "t"]
# Homophones (кот, код), a word inside another's beginning (ко), a repeated phone (атта).
LEXICON = {
    "кот": "k o t",
    "код": "k o t",
    "ко": "k o",
    "сок": "s o k",
    "атта": "a t t a",
}
TEXT = [["сок", "кот"], ["ко", "код", "ко"], ["кот", "сок"], ["атта", "сок"], ["кот", "атта"]] * 3


@pytest.fixture(scope="module")
def layout(tmp_path_factory):
    layout = Layout(tmp_path_factory.mktemp("exp"), None, None)
    arpa = layout.lang / "lm.arpa"
    ngram.train(TEXT, LanguageModel(order=2), arpa)
    lexicon = {word: pron.split() for word, pron in LEXICON.items()}
    size = graph.build(lexicon, PHONES, arpa, layout.graph, layout.words)
    assert size == layout.graph.stat().st_size > 0
    return layout


def spoken(frames: str) -> np.ndarray:
    """Log-probabilities (T, phones) of a sure network; ``_`` is the blank."""
    best = [PHONES.index(f) if f != "_" else 0 for f in frames.split()]
    probs = np.full((len(best), len(PHONES)), 0.01, dtype=np.float32)
    probs[np.arange(len(best)), best] = 0.95
    return np.log(probs)


def words(layout, frames: str) -> list[str]:
    table = graph.read_words(layout.words)
    return [table[i] for i in WordSearch(layout, Decode(blank_penalty=0.0))(spoken(frames))]


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ("s o k _ k o t", "сок кот"),
        ("s s _ o _ _ k k k _ _ k o o t t t", "сок кот"),
        ("s o k _ k o o t", "сок кот"),
        ("a t _ t a _ s o k", "атта сок"),
        ("k o t t t t", "кот"),  # the last phone lasts
    ],
)
def test_frames_become_words(layout, frames, expected):
    assert words(layout, frames) == expected.split()


def test_homophones_are_told_apart_by_the_language_model(layout):
    assert words(layout, "k o _ k o t _ k o") == ["ко", "код", "ко"]


def test_no_frame_makes_no_word(layout):
    assert WordSearch(layout, Decode())(np.zeros((0, len(PHONES)), dtype=np.float32)) == []


def test_the_same_lexicon_makes_the_same_bytes(layout, tmp_path):
    lexicon = {word: pron.split() for word, pron in reversed(LEXICON.items())}
    again, table = tmp_path / "again.fst", tmp_path / "words.txt"
    graph.build(lexicon, PHONES, layout.lang / "lm.arpa", again, table)
    assert again.read_bytes() == layout.graph.read_bytes()
    assert table.read_bytes() == layout.words.read_bytes()
