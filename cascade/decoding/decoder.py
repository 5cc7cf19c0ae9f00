"""The searches of a system: log-probabilities of an utterance in, phones and words out.

Phones are decoded twice: greedily, and by the search for words through a graph of a phone
n-gram. Words have an n-best list, times and confidences. Bundles decode with this module, so it
needs no torch.
"""

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cascade.config.experiment import Experiment
from cascade.config.sections import FRAMES_PER_SECOND, Decode
from cascade.decoding import lattice
from cascade.decoding.lattice import Hypothesis
from cascade.decoding.word_search import BestPath, WordSearch, search_settings
from cascade.decoding.word_times import Pronunciations, Timed, path_phones, spans
from cascade.lm.graph import read_words
from cascade.lm.spelling import by_word, joined
from cascade.model.greedy import greedy
from cascade.runtime.workers import FromFiles
from cascade.text.phones import read_phones


@dataclass(frozen=True)
class Search:
    """What a search reads: its decoding graph, the table of its words, and its settings.

    ``scale`` is that of a graph which `cascade.lm.const_fst.scale_graph` changed.
    """

    graph: Path
    words: Path
    settings: Decode
    scale: float | None = None


@dataclass(frozen=True)
class Decoded:
    """A decoded utterance.

    Attributes:
        name: The utterance's id.
        phones: Decoded greedily.
        phones_ngram: Decoded with the phone n-gram.
        phones_words: Those of the best word sequence, as the search has found it.
        words: The best word sequence.
        hypotheses: The n-best list; its first entry has ``words``. Empty for ``nbest: 0``.
        timed: ``words`` with times and confidences. Empty for ``nbest: 0``.
    """

    name: str
    phones: list[str]
    phones_ngram: list[str]
    phones_words: list[str]
    words: list[str]
    hypotheses: list[Hypothesis]
    timed: list[Timed]


class WordDecoder(FromFiles):
    """A search for words, with alternatives, times and confidences.

    ``phones`` is the phone table of the network, ``lexicon`` has the pronunciations of the words,
    ``seconds`` is the length of a step of the network.
    """

    def __init__(self, phones: Path, words: Search, lexicon: Path, seconds: float):
        self.phones = read_phones(phones)
        self.words = read_words(words.words)
        self.search = WordSearch(words.graph, words.settings, self.words, words.scale)
        self.pronunciations = Pronunciations(lexicon, self.phones)
        self.seconds = seconds

    def alternatives(
        self, log_probs: np.ndarray, path: BestPath
    ) -> tuple[list[Hypothesis], list[Timed]]:
        """Return the n-best list, the path's own words first, and these words with times."""
        best, settings = path.hypothesis, self.search.settings
        if not settings.nbest:
            return [], []
        scores = self.search.scores(log_probs, settings)
        paths = lattice.search(self.search.graph, scores, settings.beam, settings.acoustic_scale)
        if paths is None:
            return [best], []
        nbest = paths.best(settings.nbest)
        words = [self.words[i] for i in best.words]
        frames = spans(path.labels, words, self.pronunciations)
        confidences = paths.confidences(best, frames, nbest)
        timed = []
        for word, pieces in by_word(words):
            begin, end = frames[pieces[0]][0], frames[pieces[-1]][1]
            confidence = math.prod(confidences[piece] for piece in pieces)  # all must be right
            timed.append((word, begin * self.seconds, (end - begin) * self.seconds, confidence))
        by_text = {tuple(joined(words)): best}  # different pieces may make the same words
        for hypothesis in nbest:
            by_text.setdefault(tuple(joined(self.words[i] for i in hypothesis.words)), hypothesis)
        return [*by_text.values()][: settings.nbest], timed


class Decoder(WordDecoder):
    """A system's graphs and searches: log-probabilities of an utterance in, words out.

    ``words`` and ``phones_ngram`` are the searches for words and for phones; the other arguments
    are those of `WordDecoder`.
    """

    def __init__(
        self, phones: Path, words: Search, phones_ngram: Search, lexicon: Path, seconds: float
    ):
        super().__init__(phones, words, lexicon, seconds)
        self.graph_phones = read_words(phones_ngram.words)
        self.phone_search = WordSearch(phones_ngram.graph, phones_ngram.settings)

    def __call__(self, name: str, log_probs: np.ndarray) -> Decoded:
        """Decode the log-probabilities (T, phones) of one utterance."""
        (labels,) = greedy(log_probs.argmax(axis=1)[None], [len(log_probs)])  # (1, T)
        path = self.search.path(log_probs)
        hypotheses, timed = self.alternatives(log_probs, path)
        return Decoded(
            name,
            [self.phones[i] for i in labels],
            [self.graph_phones[i] for i in self.phone_search(log_probs)],
            path_phones(path.labels, self.phones),
            joined(self.words[i] for i in path.hypothesis.words),
            hypotheses,
            timed,
        )


def word_search_of(experiment: Experiment, system: str, nbest: int | None = None) -> Search:
    """Return the search for words of a system; ``nbest`` replaces the recipe's length of lists."""
    recipe, layout = experiment.recipe, experiment.layout
    settings = search_settings(recipe.decode, layout.search(system))
    if nbest is not None:
        settings = replace(settings, nbest=nbest)
    return Search(layout.graph, layout.words, settings)


def phone_search_of(experiment: Experiment, system: str) -> Search:
    """Return the search for phones of a system."""
    recipe, layout = experiment.recipe, experiment.layout
    settings = search_settings(recipe.decode, layout.phone_search(system))
    return Search(layout.phone_graph, layout.phone_words, settings)


def word_decoder_of(experiment: Experiment, system: str, nbest: int | None = None) -> WordDecoder:
    """Return the decoder of a system that finds words only."""
    layout, seconds = experiment.layout, experiment.recipe.features.stack / FRAMES_PER_SECOND
    words = word_search_of(experiment, system, nbest)
    return WordDecoder(layout.system(system) / "phones.txt", words, layout.lexicon, seconds)


def decoder_of(experiment: Experiment, system: str, nbest: int | None = None) -> Decoder:
    """Return the decoder of a system; ``nbest`` replaces the recipe's length of lists."""
    layout, seconds = experiment.layout, experiment.recipe.features.stack / FRAMES_PER_SECOND
    words, phones = word_search_of(experiment, system, nbest), phone_search_of(experiment, system)
    return Decoder(layout.system(system) / "phones.txt", words, phones, layout.lexicon, seconds)
