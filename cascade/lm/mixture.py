"""Linear mixtures of language models, their weights found on held-out text.

The weights by expectation and maximisation over the words' probabilities; the mixture as
one back-off model, as SRILM's ``ngram -mix-lm`` makes it.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from cascade.lm.ngram import NEVER, START, Gram, Model, events


def unigram(probabilities: Mapping[str, float]) -> Model:
    """A model that knows single words only, and no end of a sentence."""
    return Model(({(word,): math.log10(p) for word, p in probabilities.items() if p > 0},), {})


def find_weights(models: Sequence[Model], sentences: Iterable[Sequence[str]]) -> list[float]:
    """The weights that make ``sentences`` likeliest; equal ones where there is no evidence."""
    known = {word for model in models for (word,) in model.grams[0]}
    order = max(models, key=lambda model: model.order)
    grams = list(events(order, sentences, known))
    table = np.array([[10.0 ** model.log10(gram) for model in models] for gram in grams])
    weights = np.full(len(models), 1 / len(models))
    if not len(table):
        return weights.tolist()
    for _ in range(100):
        parts = table * weights  # (words, models)
        weights = (parts / parts.sum(axis=1, keepdims=True)).mean(axis=0)
    return weights.tolist()


def mix(models: Sequence[Model], weights: Sequence[float]) -> Model:
    """The mixture: each n-gram that some model lists gets the weighted sum of all of them.

    Other n-grams are reached by backing off, with weights that make every history's
    probabilities add up to 1.
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
            backoffs.update(_backoffs(grams[n], lower))
    return Model(tuple(grams), backoffs)


def _sum(used: Sequence[tuple[Model, float]], gram: Gram) -> float:
    """log10 of the weighted sum of P(``gram``)."""
    if gram == (START,):
        return NEVER
    return math.log10(sum(weight * 10.0 ** model.log10(gram) for model, weight in used))


def _backoffs(grams: Mapping[Gram, float], lower: Model) -> dict[Gram, float]:
    """The back-off weights of the histories of ``grams``: mass left over mass below."""
    left: dict[Gram, float] = {}
    below: dict[Gram, float] = {}
    for gram, log10 in grams.items():
        history = gram[:-1]
        left[history] = left.get(history, 1.0) - 10.0**log10
        below[history] = below.get(history, 1.0) - 10.0 ** lower.log10(gram[1:])
    return {h: math.log10(max(left[h], 1e-9) / max(below[h], 1e-9)) for h in left}
