"""Linear mixtures of language models, with weights from held-out text.

Expectation-maximisation finds the weights. The mixture is one back-off model, as that of
SRILM's ``ngram -mix-lm``; SRILM is not free software, and kaldingram and kaldilm do not mix.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from cascade.lm.ngram import NEVER, START, Gram, Model, backoff_weights, events


def unigram(probabilities: Mapping[str, float]) -> Model:
    """Return a model of single words, without the end of a sentence."""
    return Model(({(word,): math.log10(p) for word, p in probabilities.items() if p > 0},), {})


def find_weights(models: Sequence[Model], sentences: Iterable[Sequence[str]]) -> list[float]:
    """Return the weights that make ``sentences`` likeliest; equal ones without sentences."""
    vocabulary = {word for model in models for (word,) in model.grams[0]}
    order = max(models, key=lambda model: model.order)
    grams = list(events(order, sentences, vocabulary))
    table = np.array([[10.0 ** model.log10(gram) for model in models] for gram in grams])
    weights = np.full(len(models), 1 / len(models))
    if not len(table):
        return weights.tolist()
    for _ in range(100):
        parts = table * weights  # (words, models)
        weights = (parts / parts.sum(axis=1, keepdims=True)).mean(axis=0)
    return weights.tolist()


def mix(models: Sequence[Model], weights: Sequence[float]) -> Model:
    """Return the mixture: an n-gram that some model lists gets the weighted sum of all models.

    Other n-grams have back-off weights that make the probabilities after every history add
    up to 1.

    >>> mixed = mix([unigram({"a": 1.0}), unigram({"a": 0.5, "b": 0.5})], [0.5, 0.5])
    >>> round(10 ** mixed.log10(("a",)), 6)
    0.75
    """
    used = [(model, weight) for model, weight in zip(models, weights, strict=True) if weight > 0]
    grams: list[dict[Gram, float]] = []
    backoffs: dict[Gram, float] = {}
    for n in range(max(model.order for model, _ in used)):
        lists = [model.grams[n] for model, _ in used if model.order > n]
        listed = dict.fromkeys(gram for grams in lists for gram in grams)
        lower = Model(tuple(grams), backoffs)
        grams.append({gram: _sum(used, gram) for gram in listed})
        if n:
            backoffs.update(backoff_weights(grams[n], lower))
    return Model(tuple(grams), backoffs)


def _sum(used: Sequence[tuple[Model, float]], gram: Gram) -> float:
    """Return log10 of the weighted sum of P(``gram``)."""
    if gram == (START,):
        return NEVER
    return math.log10(sum(weight * 10.0 ** model.log10(gram) for model, weight in used))
