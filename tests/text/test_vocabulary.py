import json
from pathlib import Path

import pytest

from cascade.config.experiment import Experiment
from cascade.data.prepare import prepare
from cascade.lm import graph, language_model
from cascade.runtime.files import read_text_table
from cascade.text import lang, vocabulary
from cascade.text.dictionary import UNSEEN

LEXICON = "да d a\nо o\nнет n e t\nёж j o ʃ\nода o d a\nнета n e t a\nжуй ʒ u j\nщука ʃ u k a\n"


@pytest.fixture
def stage_1(small, read, tmp_path, monkeypatch):
    """Stage 1 of a small recipe with a text and a word list; valid and test say the same."""
    raw, layout = small
    text = tmp_path / "text.txt"
    # "о нет" is in valid and test; жуй has a phone that no recording has.
    text.write_text("о да\nО, нет!\nда 7\nда жуй\nда да о\n", encoding="utf-8")
    words = tmp_path / "words.txt"
    words.write_text("ода\nнета 5\nщука\ncat\n", encoding="utf-8")
    lexicon = tmp_path / "lexicon.txt"
    lexicon.write_text(LEXICON, encoding="utf-8")
    raw["languages"]["ru"] |= {"texts": [str(text)], "dictionaries": [str(words)]}
    raw["languages"]["ru"]["lexicon"] = str(lexicon)
    raw["language_model"] = {"order": 2}
    recipe = read(raw)
    prepare(Experiment(recipe, layout), 1)
    lang.build(Experiment(recipe, layout))
    files = vocabulary.build(Experiment(recipe, layout), 1)
    assert {Path(text), Path(words)} <= set(files.inputs)
    return recipe, layout


def test_no_held_out_sentence_and_no_word_with_an_unknown_phone(stage_1):
    _, layout = stage_1
    sentences = layout.sentences(1).read_text(encoding="utf-8").splitlines()
    assert sentences == ["о да", "да да о"]
    ledger = (layout.lang / "excluded.tsv").read_text(encoding="utf-8")
    for reason in (
        "digits, other letters, or empty\t1",
        "in valid or test\t1",
        "a word is not in the vocabulary\t1",
    ):
        assert reason in ledger
    # A train sentence that is also in valid is left out, too.
    assert layout.sentences(0).read_text(encoding="utf-8") == ""


def test_a_held_out_sentence_may_be_spelt_in_another_way(small, read, tmp_path):
    raw, layout = small  # "ёж" is in valid and test
    text = tmp_path / "text.txt"
    text.write_text("еж\nда еж\n", encoding="utf-8")
    raw["languages"]["ru"] |= {"texts": [str(text)], "fold": {"ё": "е"}}
    raw["languages"]["ru"]["letters"] += "е" * ("е" not in raw["languages"]["ru"]["letters"])
    recipe = read(raw)
    prepare(Experiment(recipe, layout), 1)
    lang.build(Experiment(recipe, layout))
    vocabulary.build(Experiment(recipe, layout), 1)
    assert layout.sentences(1).read_text(encoding="utf-8").splitlines() == ["да еж"]


def test_the_vocabulary_has_the_dictionary_but_no_word_that_only_the_tests_have(stage_1):
    _, layout = stage_1
    words = set(graph.read_lexicon(layout.lexicon))
    assert words == {"о", "да", "ода", "нета"}
    likely = {w: float(p[0]) for w, p in read_text_table(layout.dictionary).items()}
    assert likely["нета"] / likely["ода"] == pytest.approx((5 + UNSEEN) / UNSEEN, rel=1e-4)


def test_model_and_graph_follow(stage_1):
    recipe, layout = stage_1
    language_model.train_language_model(Experiment(recipe, layout))
    graph.make_word_graph(Experiment(recipe, layout))
    summary = json.loads(layout.lang_summary.read_text(encoding="utf-8"))
    assert summary["words"] == 4
    assert summary["graph_mb"] == round(layout.graph.stat().st_size / 2**20, 1)
    assert summary["ngrams"] > 4
    assert set(summary["oov"]) == {"table"} and 0 < summary["oov"]["table"] < 100
    assert sum(s["weight"] for s in summary["sources"].values()) == pytest.approx(1, abs=1e-3)
    assert graph.read_words(layout.words) == ["<eps>", "да", "нета", "о", "ода"]


def test_where_every_sentence_is_held_out_the_model_knows_single_words(small, read, caplog):
    raw, layout = small  # all its data sets say the same
    recipe = read(raw)
    prepare(Experiment(recipe, layout), 1)
    lang.build(Experiment(recipe, layout))
    vocabulary.build(Experiment(recipe, layout), 1)
    assert layout.sentences(0).read_text(encoding="utf-8").split() == ["да", "нет", "о", "ёж"]
    assert "has only single words. Add 'texts' of 'ru'" in caplog.text
    language_model.train_language_model(Experiment(recipe, layout))
    graph.make_word_graph(Experiment(recipe, layout))
    assert set(graph.read_lexicon(layout.lexicon)) == {"да", "нет", "о", "ёж"}
