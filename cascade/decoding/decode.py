"""Stage 4: decodes test sets to phones and to words.

Phones are decoded twice: greedily, and by the search for words through a graph of a phone
n-gram. Words have an n-best list, times and confidences.
"""

import logging
import math
import resource
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from cascade.config.experiment import Experiment
from cascade.config.sections import FRAMES_PER_SECOND, Dataset
from cascade.decoding import lattice
from cascade.decoding.lattice import Hypothesis
from cascade.decoding.network_outputs import NetworkOutputs
from cascade.decoding.word_search import BestPath, WordSearch, search_settings
from cascade.decoding.word_times import Pronunciations, Timed, spans, write_ctm
from cascade.lm.graph import read_words
from cascade.lm.spelling import by_word, joined
from cascade.model.greedy import greedy
from cascade.runtime import workers
from cascade.runtime.files import write_json, write_text, write_text_table
from cascade.runtime.progress import meter
from cascade.text.phones import read_phones

log = logging.getLogger("cascade")


@dataclass(frozen=True)
class Decoded:
    """A decoded utterance.

    Attributes:
        name: The utterance's id.
        phones: Decoded greedily.
        phones_ngram: Decoded with the phone n-gram.
        words: The best word sequence.
        hypotheses: The n-best list; its first entry has ``words``. Empty for ``nbest: 0``.
        timed: ``words`` with times and confidences. Empty for ``nbest: 0``.
    """

    name: str
    phones: list[str]
    phones_ngram: list[str]
    words: list[str]
    hypotheses: list[Hypothesis]
    timed: list[Timed]


class WordDecoder:
    """A system's search for words, with alternatives, times and confidences.

    ``nbest`` replaces the recipe's length of n-best lists.
    """

    def __init__(self, experiment: Experiment, system: str, nbest: int | None = None):
        recipe, layout = experiment.recipe, experiment.layout
        self.phones = read_phones(layout.system(system) / "phones.txt")
        self.words = read_words(layout.words)
        settings = search_settings(recipe.decode, layout.search(system))
        if nbest is not None:
            settings = replace(settings, nbest=nbest)
        self.search = WordSearch(layout.graph, settings, self.words)
        self.pronunciations = Pronunciations(layout.lexicon, self.phones)
        self.seconds = recipe.features.stack / FRAMES_PER_SECOND  # of a stacked frame

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
    """A system's graphs and searches: log-probabilities of an utterance in, words out."""

    def __init__(self, experiment: Experiment, system: str):
        super().__init__(experiment, system)
        recipe, layout = experiment.recipe, experiment.layout
        self.graph_phones = read_words(layout.phone_words)
        self.phone_search = WordSearch(
            layout.phone_graph, search_settings(recipe.decode, layout.phone_search(system))
        )

    def __call__(self, name: str, log_probs: np.ndarray) -> Decoded:
        """Decode the log-probabilities (T, phones) of one utterance."""
        (labels,) = greedy(torch.from_numpy(log_probs[None]), [len(log_probs)])  # (1, T, phones)
        path = self.search.path(log_probs)
        hypotheses, timed = self.alternatives(log_probs, path)
        return Decoded(
            name,
            [self.phones[i] for i in labels],
            [self.graph_phones[i] for i in self.phone_search(log_probs)],
            joined(self.words[i] for i in path.hypothesis.words),
            hypotheses,
            timed,
        )


def decode_dataset(experiment: Experiment, system: str, dataset: Dataset, jobs: int) -> None:
    """Decode one test set with one system into ``SYSTEM/decode_TEST/``."""
    torch.set_num_threads(1)
    test = dataset.label
    folder = experiment.layout.decode(system, test)
    started = time.monotonic()
    outputs = NetworkOutputs(experiment, system, [experiment.dataset_key(dataset)])
    decoder = Decoder(experiment, system)
    count = len(outputs.utterances)
    by_name: dict[str, Decoded] = {}
    memory = 0
    with meter(f"{system}, {test}", count, "utterances") as advance:
        for utterances, peak in workers.shared_map(
            _decode_batch, (outputs, decoder), outputs.batches(), jobs
        ):
            memory = max(memory, peak)
            by_name |= {utterance.name: utterance for utterance in utterances}
            advance(len(utterances))
    decoded = {name: by_name[name] for name in sorted(by_name)}
    for kind in ("phones", "phones_ngram", "words"):
        write_text_table(
            folder / f"{kind}.txt", {name: getattr(one, kind) for name, one in decoded.items()}
        )
    if experiment.recipe.decode.nbest:
        write_nbest(folder / "nbest.tsv", decoded, decoder.words)
        write_ctm(folder / "words.ctm", {name: one.timed for name, one in decoded.items()})
    else:
        for name in ("nbest.tsv", "words.ctm"):
            (folder / name).unlink(missing_ok=True)
    seconds = time.monotonic() - started
    write_json(folder / "decode.json", {"memory_mb": memory // 1024, "seconds": round(seconds, 1)})
    log.info("%s, %s: %d utterances in %.1f s", system, test, count, seconds)


def _decode_batch(
    shared: tuple[NetworkOutputs, Decoder], indices: Sequence[int]
) -> tuple[list[Decoded], int]:
    """Decode a batch in a worker process; return its peak memory in KB, too."""
    outputs, decoder = shared
    decoded = [decoder(name, log_probs) for name, log_probs in outputs(indices)]
    return decoded, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def write_nbest(path: Path, decoded: Mapping[str, Decoded], table: Sequence[str]) -> None:
    """Write the hypotheses of each utterance by rank; the first is that of ``words.txt``.

    ``graph`` and ``acoustic`` are natural logarithms as the search weighs them, with penalties
    and scale; ``score`` is their sum. ``table`` has the words by number::

        utterance  rank  score      graph     acoustic   words
        ru_0011    1     -301.2650  -41.0217  -260.2433  он пришёл
        ru_0011    2     -302.9012  -42.1570  -260.7442  он пришла
    """
    lines = ["utterance\trank\tscore\tgraph\tacoustic\twords\n"]
    for name, one in decoded.items():
        for rank, h in enumerate(one.hypotheses, 1):
            words = " ".join(joined(table[i] for i in h.words))
            scores = f"{h.score:.4f}\t{h.graph:.4f}\t{h.acoustic:.4f}"
            lines.append(f"{name}\t{rank}\t{scores}\t{words}\n")
    write_text(path, "".join(lines))
