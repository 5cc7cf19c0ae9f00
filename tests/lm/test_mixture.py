import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade.config.sections import LanguageModel
from cascade.lm import mixture, ngram

ONE = [["кот", "спит"], ["кот", "ест"], ["пёс", "спит"], ["кот", "спит"]]
TWO = [["дом", "спит"], ["кот", "бежит", "домой"], ["пёс", "бежит"]]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    trained = []
    for number, (text, order) in enumerate(((ONE, 2), (TWO, 3))):
        path = tmp_path_factory.mktemp("lm") / f"{number}.txt"
        path.write_text("".join(" ".join(s) + "\n" for s in text), encoding="utf-8")
        ngram.train_ngram(path, LanguageModel(order=order), path.with_suffix(".arpa"))
        trained.append(ngram.read(path.with_suffix(".arpa")))
    return [*trained, mixture.unigram({"кот": 0.2, "слон": 0.5, "слона": 0.3})]


@settings(max_examples=30, deadline=None)
@given(weights=st.tuples(*[st.floats(0.05, 1)] * 3))
def test_after_every_history_the_probabilities_add_up_to_one(models, weights):
    mixed = mixture.mix(models, [w / sum(weights) for w in weights])
    words = [word for (word,) in mixed.grams[0] if word != "<s>"]
    assert {"слон", "ест", "домой", "</s>"} <= set(words)
    for history in [(), *mixed.backoffs]:
        total = sum(10 ** mixed.log10((*history, word)) for word in words)
        assert total == pytest.approx(1, abs=1e-4), history


def test_listed_ngrams_get_the_weighted_sum(models):
    weights = [0.5, 0.3, 0.2]
    mixed = mixture.mix(models, weights)
    for gram in [("кот", "спит"), ("слон",), ("кот",), ("<s>", "кот", "бежит")]:
        expected = sum(w * 10 ** m.log10(gram) for m, w in zip(models, weights, strict=True))
        assert 10 ** mixed.log10(gram) == pytest.approx(expected)


def test_a_model_alone_stays_as_it_is(models):
    mixed = mixture.mix(models[1:2], [1.0])
    for grams, before in zip(mixed.grams, models[1].grams, strict=True):
        assert grams == pytest.approx(before)


def test_weights_are_the_likeliest(models):
    text = [["кот", "спит"], ["слон", "бежит"], ["пёс", "ест"]]
    weights = mixture.find_weights(models, text)
    assert sum(weights) == pytest.approx(1)

    def likelihood(weights):
        total = 0.0
        for gram in ngram.events(models[1], text, {w for m in models for (w,) in m.grams[0]}):
            total += math.log(
                sum(w * 10 ** m.log10(gram) for m, w in zip(models, weights, strict=True))
            )
        return total

    best = likelihood(weights)
    for i in range(3):
        other = [0.97 * w + (0.03 if i == j else 0) for j, w in enumerate(weights)]
        assert likelihood(other) <= best + 1e-6


def test_without_evidence_weights_are_equal(models):
    assert mixture.find_weights(models[:2], []) == [0.5, 0.5]
