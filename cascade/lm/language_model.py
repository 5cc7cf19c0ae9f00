"""Stage 1, language model: one for each text, mixed by what makes valid likeliest."""

import logging
from pathlib import Path

from cascade.config.experiment import Experiment
from cascade.config.layout import Layout
from cascade.config.recipe import Recipe
from cascade.lm import mixture, ngram
from cascade.lm.ngram import Model
from cascade.runtime.files import read_text_table, write_json

log = logging.getLogger("cascade")
DICTIONARY = "dictionaries"


def train(experiment: Experiment) -> None:
    """Writes the mixture ``lm.arpa``, and ``lm.json``: what each source gives to it."""
    recipe, layout = experiment.recipe, experiment.layout
    sentences = [experiment.dataset_key(dataset) for dataset in recipe.valid_sentences]
    valid = [line for key in sentences for line in _lines(layout, key)]
    held_out = {"valid": valid}
    for dataset in recipe.role("test"):
        held_out[dataset.label] = _lines(layout, experiment.dataset_key(dataset))
    texts = recipe.target_language.texts
    models = {}
    for i, name in enumerate(("transcripts", *texts)):
        models[name] = _from_text(recipe, layout.sentences(i))
    models = {name: model for name, model in models.items() if model}
    spoken = {
        word: float(p)
        for line in layout.dictionary.open(encoding="utf-8")
        for word, p in [line.split()]
    }
    plain = _mixture(list(models.values()), valid)[0]
    if spoken:
        total = sum(spoken.values())
        models[DICTIONARY] = mixture.unigram({word: p / total for word, p in spoken.items()})
    mixed, weights = _mixture(list(models.values()), valid)
    ngram.write(layout.arpa, mixed)

    summary = {"ngrams": len(mixed), "perplexity": {}, "sources": {}}
    for (name, model), weight in zip(models.items(), weights, strict=True):
        summary["sources"][name] = {
            "weight": round(weight, 4),
            "ngrams": len(model),
            "perplexity": {n: _round(ngram.perplexity(model, t)) for n, t in held_out.items()},
        }
        log.info("%s: weight %.3f, %d n-grams", name, weight, len(model))
    for name, lines in held_out.items():
        summary["perplexity"][name] = _round(ngram.perplexity(mixed, lines))
        log.info("%s: perplexity %.0f", name, summary["perplexity"][name])
    if spoken:
        # The price of the new words: the same words and ends, with and without them.
        for key, model in (("with_dictionaries", mixed), ("without_dictionaries", plain)):
            summary[f"perplexity_of_text_words_{key}"] = {
                name: _round(ngram.perplexity(model, lines, plain))
                for name, lines in held_out.items()
            }
    write_json(layout.lm_summary, summary)


def _from_text(recipe: Recipe, path: Path) -> Model | None:
    """The n-gram model of a file of sentences; None where it is empty."""
    if not path.stat().st_size:
        return None
    arpa = path.with_suffix(".arpa")
    ngram.train(path, recipe.language_model, arpa)
    return ngram.read(arpa)


def _mixture(models: list[Model], valid: list[list[str]]) -> tuple[Model, list[float]]:
    if len(models) == 1:
        return models[0], [1.0]
    weights = mixture.find_weights(models, valid)
    return mixture.mix(models, weights), weights


def _lines(layout: Layout, key: str) -> list[list[str]]:
    return list(read_text_table(layout.text(key, "words")).values())


def _round(value: float) -> float | None:
    return round(value, 2) if value < float("inf") else None
