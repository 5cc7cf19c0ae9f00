"""Stage 1, phones: an n-gram over the phones of training sentences, and its decoding graph.

The sentences are those of the word language model, transcripts and texts; none is in valid or
test. Each word has its first pronunciation. In the graph (`cascade.lm.graph`), every phone is
a word of one phone.
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


def train_phone_model(experiment: Experiment) -> None:
    """Write the sentences in phones, their n-gram model, and the phone graph."""
    recipe, layout = experiment.recipe, experiment.layout
    sources = 1 + len(recipe.target_language.texts)
    count = _write_text(layout, [layout.sentences(i) for i in range(sources)])
    order = recipe.language_model.phone_order
    ngram.train_ngram(layout.phone_text, LanguageModel(order=order), layout.phone_arpa)
    model = ngram.read(layout.phone_arpa)
    phones = read_phones(layout.phones)
    lexicon = {phone: [[phone]] for phone in phones[1:] if phone in model}
    graph.build(lexicon, phones, model, layout.phone_graph, layout.phone_words)
    log.info("phones: %d sentences, %d n-grams of %d phones", count, len(model), len(lexicon))


def _write_text(layout: Layout, sources: list[Path]) -> int:
    """Write every sentence once in phones, in order; return their number."""
    sentences = [s for source in sources for s in source.read_text(encoding="utf-8").splitlines()]
    sentences = list(dict.fromkeys(sentences))
    words = {word for sentence in sentences for word in sentence.split()}
    first: dict[str, str] = {}
    with layout.lexicon.open(encoding="utf-8") as lines:  # may have millions
        for line in lines:
            word, phones = line.rstrip("\n").split(" ", 1)
            if word in words:
                first.setdefault(word, phones)
    with replacing(layout.phone_text) as stream:
        for sentence in sentences:
            phones = " ".join(first[word] for word in sentence.split())
            stream.write(f"{phones}\n".encode())
    return len(sentences)
