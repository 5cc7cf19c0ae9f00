import numpy as np
import pytest

from cascade.config.experiment import Experiment
from cascade.config.layout import Layout
from cascade.config.sections import Decode
from cascade.decoding.word_search import WordSearch
from cascade.lm import ngram, phone_model
from cascade.lm.graph import read_words
from cascade.runtime.files import write_text
from cascade.text.phones import read_phones, write_phones


@pytest.fixture
def layout(tmp_path, raw, read):
    layout = Layout(tmp_path / "exp", None, None)
    write_phones(layout.phones, {"ru": {"k", "o", "t", "a"}, "en": {"z"}})
    write_text(layout.lexicon, "кот k o t\nкот k a t\nок o k\nток t o k\nяк a k\n")
    write_text(layout.sentences(0), "кот\nок кот\n" * 3)
    write_text(layout.sentences(1), "ток ток\nкот\n")
    raw["languages"]["ru"]["texts"] = ["some.txt"]
    raw["language_model"] = {"phone_order": 3}
    phone_model.train_phone_model(Experiment(read(raw), layout))
    return layout


def test_sentences_are_written_once_by_their_first_pronunciations(layout):
    assert layout.phone_text.read_text() == "k o t\no k k o t\nt o k t o k\n"


def test_the_model_is_of_the_order_asked_for_and_knows_no_other_phones(layout):
    model = ngram.read(layout.phone_arpa)
    assert model.order == 3
    assert read_words(layout.phone_words) == ["<eps>", "k", "o", "t"]
    assert "z" not in model and "a" not in model


def test_the_graph_spells_phones_and_prefers_likely_ones(layout):
    phones, table = read_phones(layout.phones), read_words(layout.phone_words)
    search = WordSearch(layout.phone_graph, Decode(blank_penalty=0.0, acoustic_scale=1.0))

    def decoded(*rows: dict[str, float]) -> list[str]:
        probs = np.full((len(rows), len(phones)), 1e-3, np.float32)
        for row, likely in zip(probs, rows, strict=True):
            for phone, p in likely.items():
                row[phones.index(phone)] = p
        return [table[i] for i in search(np.log(probs))]

    blank = {"<blk>": 0.99}
    assert decoded({"k": 0.9}, {"k": 0.9}, blank, {"o": 0.9}, {"t": 0.9}) == ["k", "o", "t"]
    assert decoded({"o": 0.9}, {"k": 0.9}, blank, {"k": 0.9}, {"o": 0.9}, {"t": 0.9}) == [
        *("o", "k", "k", "o", "t")
    ]
    # After "k" comes "o" in all sentences, so it is believed where the network is not sure.
    assert decoded({"k": 0.9}, {"t": 0.45, "o": 0.4}, {"t": 0.9}) == ["k", "o", "t"]


def test_the_same_sentences_make_the_same_bytes(layout, raw, read):
    files = (layout.phone_arpa, layout.phone_graph, layout.phone_words)
    before = [path.read_bytes() for path in files]
    for path in files:
        path.unlink()
    phone_model.train_phone_model(Experiment(read(raw), layout))
    assert [path.read_bytes() for path in files] == before
