import math

import pytest

from cascade.config.sections import LanguageModel
from cascade.lm import ngram
from cascade.runtime.errors import UserError

TEXT = [["кот", "спит"], ["кот", "ест"], ["пёс", "спит"], ["кот", "спит"]]


@pytest.fixture(scope="module")
def arpa(tmp_path_factory):
    path = tmp_path_factory.mktemp("lm") / "lm.arpa"
    text = path.with_suffix(".txt")
    text.write_text("".join(" ".join(s) + "\n" for s in TEXT), encoding="utf-8")
    ngram.train_ngram(text, LanguageModel(order=2), path)
    return path


def test_probabilities_of_what_follows_add_up_to_one(arpa):
    model = ngram.read(arpa)
    words = ["кот", "спит", "ест", "пёс", "</s>"]
    for history in ("<s>", "кот", "пёс"):
        total = sum(10 ** model.log10((history, word)) for word in words)
        assert total == pytest.approx(1, abs=1e-4)


def test_written_is_read(arpa, tmp_path):
    model = ngram.read(arpa)
    ngram.write(tmp_path / "again.arpa", model)
    again = ngram.read(tmp_path / "again.arpa")
    for reread, grams in zip(again.grams, model.grams, strict=True):
        assert reread == pytest.approx(grams, abs=1e-6)
    assert again.backoffs == pytest.approx(model.backoffs, abs=1e-6)
    header = arpa.read_text(encoding="utf-8").partition("\\1-grams")[0]
    assert len(model) == sum(int(line.partition("=")[2] or 0) for line in header.split("\n"))


def test_a_file_that_is_not_arpa(tmp_path):
    (tmp_path / "lm.arpa").write_text("кот\n", encoding="utf-8")
    with pytest.raises(UserError, match="is not an ARPA file"):
        ngram.read(tmp_path / "lm.arpa")


def test_perplexity_is_the_inverse_geometric_mean(arpa):
    model = ngram.read(arpa)
    steps = [("<s>", "кот"), ("кот", "спит"), ("спит", "</s>")]
    expected = 10 ** (-sum(model.log10(step) for step in steps) / 3)
    assert ngram.perplexity(model, [["кот", "спит"]]) == pytest.approx(expected)


def test_unknown_words_are_not_counted_and_break_the_context(arpa):
    model = ngram.read(arpa)
    parts = [("<s>", "кот"), ("спит",), ("спит", "</s>")]
    expected = 10 ** (-sum(model.log10(part) for part in parts) / 3)
    assert ngram.perplexity(model, [["кот", "дракон", "спит"]]) == pytest.approx(expected)


def test_perplexity_of_nothing(arpa):
    assert math.isinf(ngram.perplexity(ngram.read(arpa), []))


def test_n_grams_that_occur_once_have_a_probability(tmp_path):
    """kaldingram takes the complete count of each as its discount, where none occurs twice."""
    text = tmp_path / "text"
    sentences = [["раз", "два"], ["три", "семь", "пять"], ["шесть", "раз"]]
    text.write_text("".join(" ".join(s) + "\n" for s in sentences), encoding="utf-8")
    ngram.train_ngram(text, LanguageModel(order=3), tmp_path / "lm.arpa")
    model = ngram.read(tmp_path / "lm.arpa")
    assert [gram for grams in model.grams for gram in grams if model.log10(gram) < -5] == [("<s>",)]
    words = sorted({word for sentence in sentences for word in sentence} | {"</s>"})
    for history in (("<s>",), ("раз",), ("<s>", "раз"), ("три", "семь")):
        total = sum(10 ** model.log10((*history, word)) for word in words)
        assert total == pytest.approx(1, abs=1e-4)
    assert ngram.perplexity(model, sentences) < 20


def test_no_way_back_where_all_words_are_listed(tmp_path):
    """kaldingram's weight is then a quotient of rounding errors: a reward for backing off."""
    symbols = [chr(97 + i) for i in range(12)]
    text = tmp_path / "text"
    lines = [f"{a} {b}\n{a}\n{b} {a} {a}\n" for a in symbols for b in symbols for _ in range(2)]
    text.write_text("".join(lines))
    ngram.train_ngram(text, LanguageModel(order=3), tmp_path / "lm.arpa")
    model = ngram.read(tmp_path / "lm.arpa")
    words = [*symbols, ngram.END]
    full = [s for s in symbols if all((s, word) in model.grams[1] for word in words)]
    assert full == symbols
    assert all(model.backoffs.get((s,), 0.0) <= 0 for s in symbols)
    assert max(model.backoffs.values()) < ngram.GARBAGE
