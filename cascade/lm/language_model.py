"""Stage 1, language model: one n-gram for each text, mixed so that valid is likeliest."""

import logging
from typing import Any

from cascade.config.experiment import Experiment
from cascade.config.layout import Layout
from cascade.lm import mixture, ngram
from cascade.lm.ngram import Model
from cascade.runtime.files import read_text_table, write_json
from cascade.runtime.stage import JobFiles

log = logging.getLogger("cascade")
DICTIONARY = "dictionaries"


def train_language_model(experiment: Experiment) -> JobFiles:
    """Write the mixture ``lm.arpa``, and ``lm.json``: the weight and size of each source.

    Return the models of single texts, ``sentences/N.arpa``.
    """
    recipe, layout = experiment.recipe, experiment.layout
    sentences = [experiment.dataset_key(dataset) for dataset in recipe.valid_sentences]
    valid = [line for key in sentences for line in _lines(layout, key)]
    held_out = {"valid": valid}
    for dataset in recipe.role("test"):
        held_out[dataset.label] = _lines(layout, experiment.dataset_key(dataset))
    models: dict[str, Model] = {}
    arpas = []
    for i, name in enumerate(("transcripts", *recipe.target_language.texts)):
        text = layout.sentences(i)
        if text.stat().st_size:
            arpas.append(text.with_suffix(".arpa"))
            ngram.train_ngram(text, recipe.language_model, arpas[-1])
            models[name] = ngram.read(arpas[-1])
    frequencies = {
        word: float(p)
        for line in layout.dictionary.open(encoding="utf-8")
        for word, p in [line.split()]
    }
    plain = _mixture(list(models.values()), valid)[0]
    if frequencies:
        total = sum(frequencies.values())
        models[DICTIONARY] = mixture.unigram({word: p / total for word, p in frequencies.items()})
    mixed, weights = _mixture(list(models.values()), valid)
    ngram.write(layout.arpa, mixed)

    sources: dict[str, Any] = {}
    perplexity: dict[str, float | None] = {}
    summary: dict[str, Any] = {"ngrams": len(mixed), "perplexity": perplexity, "sources": sources}
    for (name, model), weight in zip(models.items(), weights, strict=True):
        sources[name] = {
            "weight": round(weight, 4),
            "ngrams": len(model),
            "perplexity": {n: _round(ngram.perplexity(model, t)) for n, t in held_out.items()},
        }
        log.info("%s: weight %.3f, %d n-grams", name, weight, len(model))
    for name, lines in held_out.items():
        value = ngram.perplexity(mixed, lines)
        perplexity[name] = _round(value)
        log.info("%s: perplexity %.0f", name, value)
    if frequencies:
        # What the dictionaries cost: the perplexity of the same words with and without them.
        for key, model in (("with_dictionaries", mixed), ("without_dictionaries", plain)):
            summary[f"perplexity_of_text_words_{key}"] = {
                name: _round(ngram.perplexity(model, lines, plain))
                for name, lines in held_out.items()
            }
    write_json(layout.lm_summary, summary)
    return JobFiles(outputs=arpas)


def _mixture(models: list[Model], valid: list[list[str]]) -> tuple[Model, list[float]]:
    """Return the mixture of models, and their weights, which valid decides."""
    if len(models) == 1:
        return models[0], [1.0]
    weights = mixture.find_weights(models, valid)
    return mixture.mix(models, weights), weights


def _lines(layout: Layout, key: str) -> list[list[str]]:
    """Return the words of each utterance of a data set."""
    return list(read_text_table(layout.text(key, "words")).values())


def _round(value: float) -> float | None:
    """Return a perplexity as JSON has it: None where it is infinite."""
    return round(value, 2) if value < float("inf") else None
