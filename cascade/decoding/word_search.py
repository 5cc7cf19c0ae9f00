"""The beam search for the best path through a decoding graph, and its settings."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import kaldi_decoder
import kaldifst
import numpy as np

from cascade.config.sections import Decode
from cascade.decoding.lattice import Hypothesis
from cascade.lm.const_fst import read_graph
from cascade.runtime.errors import UserError
from cascade.runtime.workers import FromFiles

TUNED = ("acoustic_scale", "blank_penalty", "word_penalty")


def with_scales(settings: Decode, scales: Mapping[str, float]) -> Decode:
    """Return ``settings`` with other values of the three keys that are ``TUNED``."""
    return dataclasses.replace(
        settings,
        acoustic_scale=float(scales["acoustic_scale"]),
        blank_penalty=float(scales["blank_penalty"]),
        word_penalty=float(scales["word_penalty"]),
    )


def search_settings(settings: Decode, path: Path) -> Decode:
    """Return the recipe's settings with the tuned scales of a system, which ``path`` has.

    ::

        {"found": {"acoustic_scale": 0.7, "blank_penalty": 2.0, "word_penalty": 1.0},
         "trials": [...]}
    """
    try:
        return with_scales(settings, json.loads(path.read_text(encoding="utf-8"))["found"])
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(
            f"{path} cannot be read, or lacks the scales of the search. Run stage 4 again with"
            " --force."
        ) from None


@dataclass(frozen=True)
class BestPath:
    """The best hypothesis, and the graph's input label of each frame (label k: phone k - 1)."""

    hypothesis: Hypothesis
    labels: list[int]


class WordSearch(FromFiles):
    """Viterbi beam search through the decoding graph (Kaldi's FasterDecoder).

    ``names`` is the graph's table of words: pieces inside a word then pay no word penalty.
    ``scale`` is that of a graph which `cascade.lm.const_fst.scale_graph` changed.
    """

    def __init__(
        self, graph: Path, settings: Decode, names: Sequence[str] = (), scale: float | None = None
    ):
        self.graph = read_graph(graph, settings.word_penalty, names, scale)
        self.settings = settings

    def __call__(self, log_probs: np.ndarray, settings: Decode | None = None) -> list[int]:
        """Return the word numbers for the log-probabilities (T, phones) of one utterance."""
        return list(self.path(log_probs, settings).hypothesis.words)

    @staticmethod
    def scores(log_probs: np.ndarray, settings: Decode) -> np.ndarray:
        """Return what the search adds up: (T, phones) float32.

        These are the log-probabilities (T, phones) times the acoustic scale, those of the
        blank less its penalty.
        """
        scores = np.maximum(log_probs, -1e4) * settings.acoustic_scale
        scores[:, 0] -= settings.blank_penalty
        return np.ascontiguousarray(scores, dtype=np.float32)

    def path(self, log_probs: np.ndarray, settings: Decode | None = None) -> BestPath:
        """Return the best path for the log-probabilities (T, phones) of one utterance.

        Where no path reaches the end of a word, it is the best path that does not.
        ``settings`` replace the object's own, and need the same word penalty.
        """
        search = self.begin(settings)
        search.advance(log_probs)
        return search.best()

    def begin(self, settings: Decode | None = None) -> "SearchInProgress":
        """Return a search that has not seen any step of an utterance."""
        return SearchInProgress(self.graph, settings or self.settings)


class SearchInProgress:
    """A search through ``graph`` that is advanced as the utterance comes, in pieces of any size."""

    def __init__(self, graph: kaldifst.StdConstFst, settings: Decode):
        self._settings, self._steps = settings, 0
        options = kaldi_decoder.FasterDecoderOptions(
            beam=settings.beam, max_active=settings.max_active
        )
        self._decoder = kaldi_decoder.FasterDecoder(graph, options)
        self._decoder.init_decoding()

    def advance(self, log_probs: np.ndarray) -> None:
        """Go on with the log-probabilities (T, phones) of the next steps."""
        scores = WordSearch.scores(log_probs, self._settings)
        self._decoder.advance_decoding(kaldi_decoder.DecodableCtc(scores, self._steps))
        self._steps += len(log_probs)

    def best(self, at_end: bool = True) -> BestPath:
        """Return the best path so far.

        ``at_end`` prefers a path that ends with a word. Where none does, it is the best of all.
        """
        reached, path = self._decoder.get_best_path(at_end)
        if not reached:
            return BestPath(Hypothesis((), 0.0, 0.0), [])
        _, labels, words, cost = kaldifst.get_linear_symbol_sequence(path)
        return BestPath(Hypothesis(tuple(words), -cost.value1, -cost.value2), labels)
