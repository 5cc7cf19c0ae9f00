"""The path through a network's outputs that spells a given text (CTC forced alignment).

The search is kaldi-decoder's, the one that recognises speech, on a graph of the text only. So
it has what a text needs: words with several pronunciations, and a beam, which keeps memory small
in long recordings. torchaudio's ``forced_align`` takes one sequence of labels, has no beam, and
needs torch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

import kaldi_decoder
import kaldifst
import numpy as np

BLANK = 0
BEAMS = (100.0, 400.0, 1600.0)  # in nats; the wider ones for what hardly fits
LEAST = -50.0  # of a log-probability, so that one step cannot end a path

Word = Sequence[Sequence[int]]  # the pronunciations of a word, in phone numbers
Run = tuple[int, int]  # the first step of a phone, and the one after its last


@dataclass(frozen=True)
class ForcedPath:
    """The best path that spells a text.

    Attributes:
        phones: The phones of the text, in the pronunciations that fit best.
        ends: For each word, how many phones it and those before it have.
        runs: The steps that show each phone. All other steps show the blank.
        margins: (steps,) The log-probability of each step, less that of its likeliest phone.
    """

    phones: list[int]
    ends: list[int]
    runs: list[Run]
    margins: np.ndarray

    @cached_property
    def score(self) -> float:
        """How well the text fits, at most 0: the margins of all steps in nats, for each phone."""
        return float(self.margins.sum()) / max(1, len(self.phones))

    @cached_property
    def word_scores(self) -> list[float]:
        """The same for each word, over the steps up to half way to the words beside it."""
        scores, first, begin = [], 0, 0
        total = np.concatenate([[0.0], self.margins.cumsum()])
        for end in self.ends:
            last = len(self.margins)
            if end < len(self.phones):
                last = (self.runs[end - 1][1] + self.runs[end][0] + 1) // 2
            scores.append(float(total[last] - total[begin]) / max(1, end - first))
            first, begin = end, last
        return scores


def forced_path(log_probs: np.ndarray, words: Sequence[Word]) -> ForcedPath | None:
    """Return the best path of log-probabilities (steps, phones) that spells ``words``.

    None if there is none: the recording has too few steps, or something else is said.

    >>> sure = np.log(np.full((4, 3), 0.05) + 0.85 * np.eye(3)[[0, 1, 0, 2]])
    >>> path = forced_path(sure, [[[1]], [[1, 2], [2]]])
    >>> path.phones, path.ends, path.runs, path.score
    ([1, 2], [1, 2], [(1, 2), (3, 4)], 0.0)
    """
    scores = np.ascontiguousarray(np.maximum(log_probs, LEAST), dtype=np.float32)
    graph = text_graph(words)
    for beam in BEAMS:
        if (found := best_path(graph, scores, beam)) is not None:
            break
    else:
        return None
    labels, chosen = found
    phones = [phone for word, which in zip(words, chosen, strict=True) for phone in word[which]]
    ends = np.cumsum([len(word[which]) for word, which in zip(words, chosen, strict=True)])
    runs, step = [], 0
    for label, group in groupby(labels):
        length = len(list(group))
        if label != BLANK:
            runs.append((step, step + length))
        step += length
    margins = scores[np.arange(len(scores)), labels] - scores.max(axis=1)
    return ForcedPath(phones, ends.tolist(), runs, margins)


def best_path(
    graph: kaldifst.StdVectorFst, scores: np.ndarray, beam: float
) -> tuple[list[int], list[int]] | None:
    """Return the input labels less 1 of the best path through ``graph``, a step each, and the
    output labels less 1.

    ``scores`` (steps, labels) float32 are added up. None if no path within the beam reaches the
    end of the graph.
    """
    decoder = kaldi_decoder.FasterDecoder(graph, kaldi_decoder.FasterDecoderOptions(beam=beam))
    decoder.decode(kaldi_decoder.DecodableCtc(scores))
    if not decoder.reached_final():
        return None
    _, path = decoder.get_best_path()
    _, labels, outputs, _ = kaldifst.get_linear_symbol_sequence(path)
    return [label - 1 for label in labels], [output - 1 for output in outputs]


def text_graph(words: Sequence[Word]) -> kaldifst.StdVectorFst:
    """Return the graph of all ways to write ``words`` in CTC's labels.

    A phone has a state that it lasts in, and one for the blanks after it. Input labels are phone
    numbers plus 1; the output label of a word is the number of its pronunciation plus 1.
    """
    graph = kaldifst.StdVectorFst()

    def state() -> int:
        return int(graph.add_state())

    def arc(source: int, phone: int, target: int, output: int = 0) -> None:
        graph.add_arc(source, kaldifst.StdArc(phone + 1, output, 0.0, target))

    start = state()
    graph.start = start
    arc(start, BLANK, start)
    before = [(start, BLANK)]  # where a word may begin, and the phone that was last there
    for word in words:
        after = []
        for which, phones in enumerate(word):
            sources = before
            for place, phone in enumerate(phones):
                lasting, blanks = state(), state()
                for source, last in sources:
                    if last != phone:
                        arc(source, phone, lasting, 0 if place else which + 1)
                arc(lasting, phone, lasting)
                arc(lasting, BLANK, blanks)
                arc(blanks, BLANK, blanks)
                sources = [(lasting, phone), (blanks, BLANK)]
            after += sources
        before = after
    for end, _ in before:
        graph.set_final(end, 0.0)
    return graph
