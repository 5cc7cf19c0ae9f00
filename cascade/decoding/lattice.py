"""Lattices: what else an utterance may have been, how likely, and how sure each word is.

A lattice is made by Kaldi's LatticeSimpleDecoder, in a second search after the one that
finds the words: it has no bound on the states of a frame, so it takes a narrower beam.
"""

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count, pairwise

import kaldi_decoder
import kaldifst
import numpy as np
from kaldifst.lib._kaldifst import _ArcIteratorLattice  # ArcIterator refuses lattices

from cascade.decoding.word_times import Span

# Of logarithms before they are scaled: the weaker the network's, the more paths there are. 20 %
# more take twice as long, 20 % less lose the best path of more than half.
BEAM = 15.0
# Of what the search adds up: with an open vocabulary 12 takes three times as long as 10, and
# n-best lists and confidences hardly gain.
WIDEST = 10.0
LATTICE_BEAM = 6.0  # a path e^6 times less likely than the best is left out
SCALE = 0.5  # of logarithms in posteriors: frames are no independent witnesses (set on valid)
BEYOND = math.exp(-SCALE * LATTICE_BEAM)  # what was left out, against the rest: a guess

Arc = tuple[int, int, float, float, int]  # target, word, graph cost, acoustic cost, frame


@dataclass(frozen=True)
class Hypothesis:
    """Word numbers, with the logarithms (natural, scaled) that the search adds up."""

    words: tuple[int, ...]
    graph: float
    acoustic: float

    @property
    def score(self) -> float:
        return self.graph + self.acoustic


class Lattice:
    """The paths of an utterance that are near the best one.

    Its sums are over paths: alignments of the same words with the same phones are several.
    """

    def __init__(self, raw: kaldifst.Lattice):
        frames, arcs = _read(raw)
        self.end = len(arcs)  # one state for all ends
        self.arcs: list[list[Arc]] = [*arcs, []]
        self.start = raw.start
        self.order = _sorted(self.arcs, self.start)
        frame = [0] * len(self.arcs)
        for state in self.order:
            for k, (target, *rest) in enumerate(self.arcs[state]):
                frame[target] = frame[state] + frames[state][k]
                self.arcs[state][k] = (target, *rest[:3], frame[state])
        self.to_end = [math.inf] * len(self.arcs)
        self.to_end[self.end] = 0.0
        for state in reversed(self.order):
            for target, _, graph, acoustic, _ in self.arcs[state]:
                through = graph + acoustic + self.to_end[target]
                self.to_end[state] = min(self.to_end[state], through)
            ahead = [arc for arc in self.arcs[state] if self.to_end[arc[0]] < math.inf]
            self.arcs[state] = ahead

    def best(self, number: int) -> list[Hypothesis]:
        """The ``number`` likeliest word sequences, all different, each by its best path.

        A* with the exact cost to the end, so that a hypothesis is found once it is the best.
        """
        ties = count()
        heap = [(self.to_end[self.start], next(ties), self.start, (), 0.0, 0.0)]
        done: set[tuple[int, tuple[int, ...]]] = set()
        found: list[Hypothesis] = []
        while heap and len(found) < number:
            _, _, state, words, graph, acoustic = heapq.heappop(heap)
            if (state, words) in done:
                continue
            done.add((state, words))
            if state == self.end:
                found.append(Hypothesis(words, -graph, -acoustic))
            for target, word, more_graph, more_acoustic, _ in self.arcs[state]:
                g, a = graph + more_graph, acoustic + more_acoustic
                longer = (*words, word) if word else words
                if (target, longer) not in done:
                    item = (g + a + self.to_end[target], next(ties), target, longer, g, a)
                    heapq.heappush(heap, item)
        return found

    def confidences(
        self, chosen: Hypothesis, spans: Sequence[Span], known: Sequence[Hypothesis]
    ) -> list[float]:
        """The posterior of each word of ``chosen`` at its place, from 0 to 1.

        That is the share of all paths, each with the probability that the search gives it
        to the power of ``SCALE``, which put the same word out between the middles of the
        gaps to the neighbours. ``BEYOND`` is what other paths have, against these. Where
        ``chosen`` is none of the ``known`` hypotheses (the narrower beam has lost it), it
        counts as one path more.
        """
        events, total = self._word_masses()
        lost = all(hypothesis.words != chosen.words for hypothesis in known)
        above = SCALE * (chosen.score + self.to_end[self.start])  # the lattice's best
        own = math.exp(min(700.0, above)) if lost else 0.0
        middles = [(a[1] + b[0]) / 2 for a, b in pairwise(spans)]
        edges = [-math.inf, *middles, math.inf]
        sure = []
        for place, word in enumerate(chosen.words):
            low, high = edges[place], edges[place + 1]
            mass = sum(m for frame, m in events.get(word, ()) if low <= frame + 0.5 < high)
            sure.append(min(1.0, (mass + own) / ((total + own) * (1 + BEYOND))))
        return sure

    def _word_masses(self) -> tuple[dict[int, list[tuple[int, float]]], float]:
        """By word, the frames at which paths put it out with their mass, and that of all.

        Masses are against the best path's, so that nothing underflows.
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
                    found = before[state] * m * after[arc[0]]
                    events.setdefault(arc[1], []).append((arc[4], found))
        return events, after[self.start]


def search(
    graph: kaldifst.StdConstFst, scores: np.ndarray, beam: float, scale: float
) -> Lattice | None:
    """The lattice for log-probabilities (T, phones) times ``scale``; None without a frame."""
    if not len(scores):
        return None
    within = min(beam, BEAM * scale, WIDEST)
    config = kaldi_decoder.LatticeSimpleDecoderConfig(within, LATTICE_BEAM)
    decoder = kaldi_decoder.LatticeSimpleDecoder(graph, config)
    decoder.decode(kaldi_decoder.DecodableCtc(scores))
    found, raw = decoder.get_raw_lattice()
    return Lattice(raw) if found and raw.start >= 0 else None


def _read(raw: kaldifst.Lattice) -> tuple[list[list[bool]], list[list[Arc]]]:
    """Whether each arc takes a frame, and the arcs by state, with one to the end added."""
    frames: list[list[bool]] = []
    arcs: list[list[Arc]] = []
    end = raw.num_states
    for state in range(end):
        frames.append([])
        arcs.append([])
        each = _ArcIteratorLattice(raw, state)
        while not each.done:
            arc = each.value
            weight = arc.weight
            frames[-1].append(arc.ilabel != 0)
            arcs[-1].append((arc.nextstate, arc.olabel, weight.value1, weight.value2, 0))
            each.next()
        final = raw.final(state)
        if final.value1 + final.value2 < math.inf:
            frames[-1].append(False)
            arcs[-1].append((end, 0, final.value1, final.value2, 0))
    return frames, arcs


def _sorted(arcs: Sequence[Sequence[Arc]], start: int) -> list[int]:
    """The states that ``start`` leads to, each after all those that lead to it (Kahn 1962)."""
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
