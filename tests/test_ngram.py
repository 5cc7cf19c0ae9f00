import math

import pytest

from cascade import ngram
from cascade.recipe import LanguageModel

TEXT = [["кот", "спит"], ["кот", "ест"], ["пёс", "спит"], ["кот", "спит"]]


@pytest.fixture(scope="module")
def arpa(tmp_path_factory):
    path = tmp_path_factory.mktemp("lm") / "lm.arpa"
    ngram.train(TEXT, LanguageModel(order=2), path)
    return path


def test_probabilities_of_what_follows_add_up_to_one(arpa):
    model = ngram.read(arpa)
    words = ["кот", "спит", "ест", "пёс", "</s>"]
    for history in ("<s>", "кот", "пёс"):
        total = sum(10 ** model.log_p((history, word)) for word in words)
        assert total == pytest.approx(1, abs=1e-4)


def test_count_reads_the_header(arpa):
    model = ngram.read(arpa)
    assert ngram.count(arpa) == sum(n for _, n in model.counts())


def test_perplexity_is_the_inverse_geometric_mean(arpa):
    model = ngram.read(arpa)
    steps = [("<s>", "кот"), ("кот", "спит"), ("спит", "</s>")]
    expected = 10 ** (-sum(model.log_p(step) for step in steps) / 3)
    assert ngram.perplexity(model, [["кот", "спит"]]) == pytest.approx(expected)


def test_unknown_words_are_not_counted_and_break_the_context(arpa):
    model = ngram.read(arpa)
    parts = [("<s>", "кот"), ("спит",), ("спит", "</s>")]
    expected = 10 ** (-sum(model.log_p(part) for part in parts) / 3)
    assert ngram.perplexity(model, [["кот", "дракон", "спит"]]) == pytest.approx(expected)


def test_perplexity_of_nothing():
    assert math.isinf(ngram.perplexity(_Empty(), []))


class _Empty:
    def order(self):
        return 2
