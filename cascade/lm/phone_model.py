"""Stage 1, phones: an n-gram over the phones of training sentences, and a graph of it.

The sentences are those of the word language model, transcripts and texts: no sentence of
valid or test is among them. Each word has its first pronunciation. The graph is that of
words (`cascade.lm.graph`) in which every phone is a word of one phone.
"""

import logging
from pathlib import Path

from cascade.config.experiment import Experiment
from cascade.config.layout import Layout
from cascade.config.sections import LanguageModel
from cascade.lm import graph, ngram
from cascade.runtime.files import replacing
from cascade.text.phones import read_phones

log = logging.getLogger("cascade")


def make(experiment: Experiment) -> None:
    """Writes the sentences in phones, their n-gram model, and the phone graph."""
    recipe, layout = experiment.recipe, experiment.layout
    sources = 1 + len(recipe.target_language.texts)
    count = _write_text(layout, [layout.sentences(i) for i in range(sources)])
    order = recipe.language_model.phone_order
    ngram.train(layout.phone_text, LanguageModel(order=order), layout.phone_arpa)
    model = ngram.read(layout.phone_arpa)
    phones = read_phones(layout.phones)
    lexicon = {phone: [[phone]] for phone in phones[1:] if phone in model}
    graph.build(lexicon, phones, model, layout.phone_graph, layout.phone_words)
    log.info("phones: %d sentences, %d n-grams of %d phones", count, len(model), len(lexicon))


def _write_text(layout: Layout, sources: list[Path]) -> int:
    """Writes every sentence once in phones, in order; returns how many they are."""
    sentences = [s for source in sources for s in source.read_text(encoding="utf-8").splitlines()]
    sentences = list(dict.fromkeys(sentences))
    words = {word for sentence in sentences for word in sentence.split()}
    first: dict[str, str] = {}
    with layout.lexicon.open(encoding="utf-8") as lines:  # of millions of words
        for line in lines:
            word, phones = line.rstrip("\n").split(" ", 1)
            if word in words:
                first.setdefault(word, phones)
    with replacing(layout.phone_text) as stream:
        for sentence in sentences:
            phones = " ".join(first[word] for word in sentence.split())
            stream.write(f"{phones}\n".encode())
    return len(sentences)
