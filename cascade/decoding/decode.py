"""Stage 4: decodes test sets to phones and to words.

Phones come twice: greedily, and by the same search as the words through a graph of a
phone n-gram. Words come with other hypotheses, times and confidences.
"""

import dataclasses
import json
import logging
import math
import resource
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import kaldi_decoder
import kaldifst
import numpy as np
import torch

from cascade.config.experiment import Experiment
from cascade.config.layout import Layout
from cascade.config.sections import Dataset, Decode
from cascade.decoding import lattice
from cascade.decoding.lattice import Hypothesis
from cascade.decoding.word_times import Pronunciations, Timed, spans, write_ctm
from cascade.features.batches import UtteranceSet
from cascade.features.cmn import read_cms_init
from cascade.lm.graph import read_graph, read_words
from cascade.lm.spelling import by_word, joined
from cascade.model.greedy import greedy
from cascade.model.saved_model import load_model
from cascade.runtime import workers
from cascade.runtime.errors import UserError
from cascade.runtime.files import write_json, write_text, write_text_table
from cascade.runtime.progress import meter
from cascade.text.phones import read_phones

log = logging.getLogger("cascade")
TUNED = ("acoustic_scale", "blank_penalty", "word_penalty")
BATCH_SECONDS = 60.0  # fixed, and batches never split, so that --nj changes no figure


@dataclass(frozen=True)
class Decoded:
    """An utterance: what was found, and what else it may have been.

    ``phones`` are the greedy ones, ``phones_ngram`` those of the phone graph. ``words``
    come first among ``hypotheses`` and once more, with times, in ``timed``; both are empty
    where the recipe wants no n-best list.
    """

    name: str
    phones: list[str]
    phones_ngram: list[str]
    words: list[str]
    hypotheses: list[Hypothesis]
    timed: list[Timed]


class Decoder:
    """A system's graphs and searches: what a network makes of an utterance in, words out."""

    def __init__(self, experiment: Experiment, system: str):
        recipe, layout = experiment.recipe, experiment.layout
        self.phones = read_phones(layout.system(system) / "phones.txt")
        self.words = read_words(layout.words)
        self.search = WordSearch(
            layout.graph, search_settings(recipe.decode, layout.search(system)), self.words
        )
        self.graph_phones = read_words(layout.phone_words)
        self.phone_search = WordSearch(
            layout.phone_graph, search_settings(recipe.decode, layout.phone_search(system))
        )
        self.pronunciations = Pronunciations(layout.lexicon, self.phones)
        self.seconds = recipe.features.stack / 100  # of a frame

    def __call__(self, name: str, log_probs: np.ndarray) -> Decoded:
        """Decodes the log-probabilities (T, phones) of one utterance."""
        (labels,) = greedy(torch.from_numpy(log_probs[None]), [len(log_probs)])
        path = self.search.path(log_probs)
        hypotheses, timed = self._others(log_probs, path)
        return Decoded(
            name,
            [self.phones[i] for i in labels],
            [self.graph_phones[i] for i in self.phone_search(log_probs)],
            joined(self.words[i] for i in path.hypothesis.words),
            hypotheses,
            timed,
        )

    def _others(
        self, log_probs: np.ndarray, path: "BestPath"
    ) -> tuple[list[Hypothesis], list[Timed]]:
        """The n-best list, the path's own words first, and the path's words with times."""
        chosen, settings = path.hypothesis, self.search.settings
        if not settings.nbest:
            return [], []
        scores = self.search.scores(log_probs, settings)
        found = lattice.search(self.search.graph, scores, settings.beam, settings.acoustic_scale)
        if found is None:
            return [chosen], []
        known = found.best(settings.nbest)
        words = [self.words[i] for i in chosen.words]
        places = spans(path.labels, words, self.pronunciations)
        sure = found.confidences(chosen, places, known)
        timed = []
        for word, at in by_word(words):
            begin, end = places[at[0]][0], places[at[-1]][1]
            confidence = math.prod(sure[place] for place in at)  # all pieces have to be right
            timed.append((word, begin * self.seconds, (end - begin) * self.seconds, confidence))
        by_text = {tuple(joined(words)): chosen}  # a word may come in several ways
        for hypothesis in known:
            by_text.setdefault(tuple(joined(self.words[i] for i in hypothesis.words)), hypothesis)
        return [*by_text.values()][: settings.nbest], timed


class AcousticModel:
    """A trained network: stacked features of utterances in, log-probabilities of phones out."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.network, self.config = load_model(folder)
        self.phones = read_phones(folder / "phones.txt")

    def check(self, layout: Layout) -> None:
        """Raises `UserError` where the graphs have other phones."""
        if self.phones != read_phones(layout.phones):
            raise UserError(
                f"{self.folder} was trained on other phones than those of {layout.phones}, which"
                " the graphs are of. Run stage 3 again."
            )

    @torch.inference_mode()
    def __call__(self, inputs: np.ndarray) -> np.ndarray:
        """Log-probabilities (N, T, phones) for inputs (N, T, C)."""
        return self.network({self.config.language: torch.from_numpy(inputs)})[0].numpy()


class Heard:
    """What a network makes of the utterances of some data sets."""

    def __init__(self, experiment: Experiment, system: str, keys: Sequence[str]):
        layout = experiment.layout
        self.acoustic = AcousticModel(layout.system(system))
        mean, phones = read_cms_init(layout.cms_init), self.acoustic.phones
        self.acoustic.check(layout)
        inputs = len(mean) * experiment.recipe.features.stack
        if self.acoustic.config.inputs != inputs:
            raise UserError(
                f"{self.acoustic.folder} takes {self.acoustic.config.inputs} values in a step, and"
                f" the features have {inputs}: it was trained on others. Run stage 3 again."
            )
        self.data = UtteranceSet(
            layout, keys, phones, experiment.recipe.features, mean, keep_short=True
        )

    def __call__(self, indices: Sequence[int]) -> list[tuple[str, np.ndarray]]:
        """The utterances of a batch, each with its log-probabilities (T, phones)."""
        batch = self.data.batch(list(indices))
        rows = zip(batch.ids, self.acoustic(batch.inputs), batch.lengths, strict=True)
        return [(name, row[:length]) for name, row, length in rows]


def search_settings(settings: Decode, path: Path) -> Decode:
    """The recipe's settings of a search with those that were found for a system in ``path``."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["found"]
        return dataclasses.replace(settings, **{key: float(found[key]) for key in TUNED})
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(f"{path} does not read. Run stage 4 again with --force.") from None


@dataclass(frozen=True)
class BestPath:
    """What a search found, and the graph's input label of each frame."""

    hypothesis: Hypothesis
    labels: list[int]


class WordSearch:
    """Viterbi beam search through the decoding graph (Kaldi's FasterDecoder)."""

    def __init__(self, graph: Path, settings: Decode, names: Sequence[str] = ()):
        self.graph = read_graph(graph, settings.word_penalty, names)
        self.settings = settings

    def __call__(self, log_probs: np.ndarray, settings: Decode | None = None) -> list[int]:
        """Word numbers for the log-probabilities (T, phones) of one utterance."""
        return list(self.path(log_probs, settings).hypothesis.words)

    @staticmethod
    def scores(log_probs: np.ndarray, settings: Decode) -> np.ndarray:
        """What a search adds up: log-probabilities (T, phones), scaled, blanks held back."""
        scores = np.maximum(log_probs, -1e4) * settings.acoustic_scale
        scores[:, 0] -= settings.blank_penalty
        return np.ascontiguousarray(scores, dtype=np.float32)

    def path(self, log_probs: np.ndarray, settings: Decode | None = None) -> BestPath:
        """The best path for the log-probabilities (T, phones) of one utterance.

        Where no path comes to the end of a word, the best one that does not is taken.
        Other ``settings`` than the object's need have the same word penalty.
        """
        settings = settings or self.settings
        scores = self.scores(log_probs, settings)
        options = kaldi_decoder.FasterDecoderOptions(
            beam=settings.beam, max_active=settings.max_active
        )
        decoder = kaldi_decoder.FasterDecoder(self.graph, options)
        decoder.decode(kaldi_decoder.DecodableCtc(scores))
        found, path = decoder.get_best_path()
        if not found:
            return BestPath(Hypothesis((), 0.0, 0.0), [])
        _, labels, words, cost = kaldifst.get_linear_symbol_sequence(path)
        return BestPath(Hypothesis(tuple(words), -cost.value1, -cost.value2), labels)


_work: tuple[Heard, Decoder] | None = None


def _decode_batch(indices: Sequence[int]) -> tuple[list[Decoded], int]:
    """In a worker process: a decoded batch, and the process's peak memory so far in KB."""
    assert _work is not None
    heard, decoder = _work
    found = [decoder(name, log_probs) for name, log_probs in heard(indices)]
    return found, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def decode(experiment: Experiment, system: str, dataset: Dataset, jobs: int) -> None:
    """Decodes one test set with one system into ``SYSTEM/decode_TEST/``."""
    global _work  # workers are forked: they share the graph's memory
    torch.set_num_threads(1)
    test = dataset.label
    folder = experiment.layout.decode(system, test)
    started = time.monotonic()
    heard = Heard(experiment, system, [experiment.dataset_key(dataset)])
    decoder = Decoder(experiment, system)
    _work = heard, decoder
    data, table = heard.data, decoder.words
    batches = list(data.in_order(BATCH_SECONDS))
    found: dict[str, Decoded] = {}
    memory = 0
    with workers.pool(jobs) as pool, meter(f"{system}, {test}", len(data), "utterances") as advance:
        for results, peak in pool.map(_decode_batch, batches):
            memory = max(memory, peak)
            found |= {result.name: result for result in results}
            advance(len(results))
    _work = None
    found = {name: found[name] for name in sorted(found)}
    for kind in ("phones", "phones_ngram", "words"):
        write_text_table(
            folder / f"{kind}.txt", {name: getattr(one, kind) for name, one in found.items()}
        )
    if experiment.recipe.decode.nbest:
        write_nbest(folder / "nbest.tsv", found, table)
        write_ctm(folder / "words.ctm", {name: one.timed for name, one in found.items()})
    else:
        for name in ("nbest.tsv", "words.ctm"):
            (folder / name).unlink(missing_ok=True)
    seconds = time.monotonic() - started
    write_json(folder / "decode.json", {"memory_mb": memory // 1024, "seconds": round(seconds, 1)})
    log.info("%s, %s: %d utterances in %.1f s", system, test, len(data), seconds)


def write_nbest(path: Path, found: Mapping[str, Decoded], table: Sequence[str]) -> None:
    """Writes the hypotheses of each utterance by rank, the first being that of ``words.txt``.

    ``graph`` and ``acoustic`` are natural logarithms as the search weighs them, penalties
    and scale included; ``score`` is their sum. ``table`` has the words by number.
    """
    lines = ["utterance\trank\tscore\tgraph\tacoustic\twords\n"]
    for name, one in found.items():
        for rank, h in enumerate(one.hypotheses, 1):
            words = " ".join(joined(table[i] for i in h.words))
            scores = f"{h.score:.4f}\t{h.graph:.4f}\t{h.acoustic:.4f}"
            lines.append(f"{name}\t{rank}\t{scores}\t{words}\n")
    write_text(path, "".join(lines))
