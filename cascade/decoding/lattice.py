"""Lattices: the likely paths of an utterance, its n-best list and word confidences.

Kaldi's LatticeSimpleDecoder makes a lattice in a second search, after the one that finds the
words. It has no bound on the states of a frame, so its beam is narrower. kaldifst's own
n-best lists (``lattice_to_nbest``) are of paths, of which many have the same words, so the
n-best list and the posteriors are computed here.
"""

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count, pairwise
from typing import Any

import kaldi_decoder
import kaldifst
import numpy as np

# The one private name of a library that we use: kaldifst.ArcIterator refuses lattices, and it
# is the only way to their arcs. pyproject.toml pins the version; tests/decoding/test_lattice.py
# fails when another version is installed, and when ArcIterator takes lattices.
from kaldifst.lib._kaldifst import _ArcIteratorLattice

from cascade.decoding.word_times import Span

# The beam of log-probabilities before they are scaled: where the network's differ less, more
# paths are within it. 20 % more take twice as long; 20 % less lose the best path of more than
# half of the utterances.
BEAM = 15.0
# The widest beam of scaled scores: with an open vocabulary 12 takes three times as long as 10,
# and n-best lists and confidences hardly gain.
WIDEST = 10.0
# A network that has learnt nothing yet gives many phones nearly the same score. Then most paths are
# within the beam, and a search takes minutes an utterance. RIVALS: phones a step, on average, that
# score near the best one; in trained networks about 2. With e times as many, the beam is less wide
# by NARROWER.
RIVALS, NARROWER = 4.0, 3.0
LATTICE_BEAM = 6.0  # a path e^6 times less likely than the best is left out
SCALE = 0.5  # of log-probabilities in posteriors: frames are not independent (set on valid)
BEYOND = math.exp(-SCALE * LATTICE_BEAM)  # a guess of the mass of all paths left out

Arc = tuple[int, int, float, float, int]  # target, word, graph cost, acoustic cost, frame


@dataclass(frozen=True)
class Hypothesis:
    """Word numbers, with the (natural, scaled) log-probabilities that the search adds up."""

    words: tuple[int, ...]
    graph: float
    acoustic: float

    @property
    def score(self) -> float:
        """The sum of both."""
        return self.graph + self.acoustic


class Lattice:
    """The paths of an utterance that are near the best one.

    Its sums are over paths: the same words may have several, with other alignments or
    phones.
    """

    def __init__(self, raw: Any):
        frames, arcs = _read(raw)
        self.end = len(arcs)  # one state for all ends
        self.arcs: list[list[Arc]] = [*arcs, []]
        self.start = raw.start
        self.order = _sorted(self.arcs, self.start)
        frame = [0] * len(self.arcs)
        for state in self.order:
            for k, (target, word, graph, acoustic, _) in enumerate(self.arcs[state]):
                frame[target] = frame[state] + frames[state][k]
                self.arcs[state][k] = (target, word, graph, acoustic, frame[state])
        self.to_end = [math.inf] * len(self.arcs)
        self.to_end[self.end] = 0.0
        for state in reversed(self.order):
            for target, _, graph, acoustic, _ in self.arcs[state]:
                through = graph + acoustic + self.to_end[target]
                self.to_end[state] = min(self.to_end[state], through)
            ahead = [arc for arc in self.arcs[state] if self.to_end[arc[0]] < math.inf]
            self.arcs[state] = ahead

    def best(self, number: int) -> list[Hypothesis]:
        """Return the ``number`` likeliest word sequences, all different, each by its best path.

        A* with the exact cost to the end: hypotheses are completed in the order of their scores.
        """
        ties = count()
        heap: list[tuple[float, int, int, tuple[int, ...], float, float]]
        heap = [(self.to_end[self.start], next(ties), self.start, (), 0.0, 0.0)]
        done: set[tuple[int, tuple[int, ...]]] = set()
        hypotheses: list[Hypothesis] = []
        while heap and len(hypotheses) < number:
            _, _, state, words, graph, acoustic = heapq.heappop(heap)
            if (state, words) in done:
                continue
            done.add((state, words))
            if state == self.end:
                hypotheses.append(Hypothesis(words, -graph, -acoustic))
            for target, word, graph_cost, acoustic_cost, _ in self.arcs[state]:
                g, a = graph + graph_cost, acoustic + acoustic_cost
                longer = (*words, word) if word else words
                if (target, longer) not in done:
                    item = (g + a + self.to_end[target], next(ties), target, longer, g, a)
                    heapq.heappush(heap, item)
        return hypotheses

    def confidences(
        self, chosen: Hypothesis, spans: Sequence[Span], nbest: Sequence[Hypothesis]
    ) -> list[float]:
        """Return the posterior of each word of ``chosen`` at its place, from 0 to 1.

        That is the share of the paths that have the same word between the middles of the gaps
        to its neighbours. A path's weight is its probability to the power of ``SCALE``;
        ``BEYOND`` is added for the paths that the lattice lacks. If ``chosen`` is not in
        ``nbest`` (the narrower beam has lost it), it counts as one more path.
        """
        events, total = self._word_masses()
        lost = all(hypothesis.words != chosen.words for hypothesis in nbest)
        above = SCALE * (chosen.score + self.to_end[self.start])  # the lattice's best
        own = math.exp(min(700.0, above)) if lost else 0.0
        middles = [(a[1] + b[0]) / 2 for a, b in pairwise(spans)]
        edges = [-math.inf, *middles, math.inf]
        confidences = []
        for place, word in enumerate(chosen.words):
            low, high = edges[place], edges[place + 1]
            mass = sum(m for frame, m in events.get(word, ()) if low <= frame + 0.5 < high)
            confidences.append(min(1.0, (mass + own) / ((total + own) * (1 + BEYOND))))
        return confidences

    def _word_masses(self) -> tuple[dict[int, list[tuple[int, float]]], float]:
        """Return each word's frames with the mass of the paths there, and the mass of all paths.

        That of the best path is 1, so that nothing underflows.
        """

        def mass(state: int, arc: Arc) -> float:
            return math.exp(SCALE * (self.to_end[state] - arc[2] - arc[3] - self.to_end[arc[0]]))

        before, after = [0.0] * len(self.arcs), [0.0] * len(self.arcs)
        masses: dict[int, list[float]] = {}
        before[self.start] = after[self.end] = 1.0
        for state in self.order:
            masses[state] = [mass(state, arc) for arc in self.arcs[state]]
            for arc, m in zip(self.arcs[state], masses[state], strict=True):
                before[arc[0]] += before[state] * m
        events: dict[int, list[tuple[int, float]]] = {}
        for state in reversed(self.order):
            for arc, m in zip(self.arcs[state], masses[state], strict=True):
                after[state] += m * after[arc[0]]
                if arc[1]:
                    through = before[state] * m * after[arc[0]]
                    events.setdefault(arc[1], []).append((arc[4], through))
        return events, after[self.start]


def search(
    graph: kaldifst.StdConstFst, scores: np.ndarray, beam: float, scale: float
) -> Lattice | None:
    """Return the lattice for ``scores``, log-probabilities (T, phones) times ``scale``.

    None where there is no frame, or no path.
    """
    if not len(scores):
        return None
    within = min(beam, BEAM * scale, _widest(scores))
    config = kaldi_decoder.LatticeSimpleDecoderConfig(within, LATTICE_BEAM)
    decoder = kaldi_decoder.LatticeSimpleDecoder(graph, config)
    decoder.decode(kaldi_decoder.DecodableCtc(scores))
    reached, raw = decoder.get_raw_lattice()
    return Lattice(raw) if reached and raw.start >= 0 else None


def _widest(scores: np.ndarray) -> float:
    """Return the widest beam for ``scores`` (T, phones) with which a search takes seconds."""
    near = np.exp(scores - scores.max(axis=1, keepdims=True)).sum(axis=1)  # the best one counts 1
    return max(1.0, WIDEST - NARROWER * max(0.0, math.log(near.mean() / RIVALS)))


def _read(raw: Any) -> tuple[list[list[bool]], list[list[Arc]]]:
    """Return whether each arc takes a frame, and the arcs, both by state.

    Final states get an arc to a new end state.
    """
    frames: list[list[bool]] = []
    arcs: list[list[Arc]] = []
    end = raw.num_states
    for state in range(end):
        frames.append([])
        arcs.append([])
        iterator = _ArcIteratorLattice(raw, state)
        while not iterator.done:
            arc = iterator.value
            weight = arc.weight
            frames[-1].append(arc.ilabel != 0)
            arcs[-1].append((arc.nextstate, arc.olabel, weight.value1, weight.value2, 0))
            iterator.next()
        final = raw.final(state)
        if final.value1 + final.value2 < math.inf:
            frames[-1].append(False)
            arcs[-1].append((end, 0, final.value1, final.value2, 0))
    return frames, arcs


def _sorted(arcs: Sequence[Sequence[Arc]], start: int) -> list[int]:
    """Return the states that ``start`` leads to, each after all that lead to it (Kahn 1962)."""
    incoming = [0] * len(arcs)
    reached, waiting = {start}, [start]
    while waiting:
        for target, *_ in arcs[waiting.pop()]:
            incoming[target] += 1
            if target not in reached:
                reached.add(target)
                waiting.append(target)
    order = [start]
    for state in order:  # it grows
        for target, *_ in arcs[state]:
            incoming[target] -= 1
            if incoming[target] == 0:
                order.append(target)
    return order
