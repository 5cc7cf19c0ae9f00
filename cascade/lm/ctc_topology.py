"""CTC's blanks in a decoding graph: from trees over phones to states and arcs.

Every node of a tree becomes two states: one for "the last frame was the phone that led here",
and one for "it was blank". That is the composition with the token transducer T of Miao et al.
(2015, arXiv:1507.08240), written down directly.
"""

from dataclasses import dataclass

import numpy as np

from cascade.lm.const_fst import ARC, STATE
from cascade.lm.ngram import States
from cascade.lm.prefix_trees import Trees


@dataclass(frozen=True)
class _Roots:
    """The states at which words end: a language model's state g, after a phone or a blank.

    State ``g`` itself is "after a blank"; ``number(g, phone)`` is one after a phone. ``pairs``
    (P,) has ``g * 256 + phone`` of the latter, sorted.
    """

    states: int
    pairs: np.ndarray

    def number(self, state: np.ndarray, phone: np.ndarray) -> np.ndarray:
        """Return the states (N,) for states of the language model and last phones, both (N,)."""
        place = np.searchsorted(self.pairs, state * 256 + phone)
        return np.where(phone == 0, state, self.states + place)


def _roots(grown: Trees, lower: np.ndarray) -> _Roots:
    """Return all pairs of a state and a last phone that occur, down to the shortest history."""
    ends = grown.target < grown.roots
    pairs = np.unique(grown.target[ends] * 256 + grown.phone[ends])
    while True:
        backed = lower[pairs // 256]
        shorter = backed[backed >= 0] * 256 + pairs[backed >= 0] % 256
        union = np.union1d(pairs, shorter)
        if len(union) == len(pairs):
            return _Roots(grown.roots, pairs)
        pairs = union


def with_blanks(grown: Trees, history: States) -> tuple[np.ndarray, np.ndarray, int]:
    """Return the states (S,), the arcs (A,) sorted by state, and the start state.

    ``grown`` are the trees of the language model whose back-offs and ends ``history`` has.
    """
    roots = _roots(grown, history.lower)
    base = grown.roots + len(roots.pairs)
    pair_state, pair_phone = roots.pairs // 256, roots.pairs % 256
    inner = np.arange(len(grown.entered))
    after_phone, after_blank = base + 2 * inner, base + 2 * inner + 1
    entered = grown.entered.astype(np.int64)

    source, phone = grown.source, grown.phone.astype(np.int64)
    ends = grown.target < grown.roots
    target = base + 2 * (grown.target - grown.roots)
    target[ends] = roots.number(grown.target[ends], phone[ends])
    begins = source < grown.roots

    pieces: list[tuple[np.ndarray, np.ndarray]] = []
    Values = np.ndarray | int  # of all arcs of a piece, or one for all of them

    def add(source: np.ndarray, label: Values, word: Values, cost: Values, target: Values) -> None:
        piece = np.empty(len(source), ARC)
        piece["input"], piece["output"], piece["cost"], piece["target"] = label, word, cost, target
        pieces.append((np.asarray(source, np.int32), piece))

    def add_words(chosen: np.ndarray, source: np.ndarray) -> None:
        add(source, phone[chosen] + 1, grown.word[chosen], grown.cost[chosen], target[chosen])

    # Back to a shorter history, before anything is read.
    has = history.lower >= 0
    add(np.flatnonzero(has), 0, 0, history.backoff[has], history.lower[has])
    has = history.lower[pair_state] >= 0
    lower = roots.number(history.lower[pair_state[has]], pair_phone[has])
    add(grown.roots + np.flatnonzero(has), 0, 0, history.backoff[pair_state[has]], lower)
    # A phone or a blank that lasts, and the blank after a phone.
    at = np.arange(grown.roots)
    add(at, 1, 0, 0, at)
    at = grown.roots + np.arange(len(roots.pairs))
    add(at, pair_phone + 1, 0, 0, at)
    add(at, 1, 0, 0, pair_state)
    add(after_phone, entered + 1, 0, 0, after_phone)
    add(after_phone, 1, 0, 0, after_blank)
    add(after_blank, 1, 0, 0, after_blank)
    # The next phone: after a blank any, after a phone another one.
    inside = np.flatnonzero(~begins)
    add_words(inside, after_blank[source[inside] - grown.roots])
    inside = inside[phone[inside] != entered[source[inside] - grown.roots]]
    add_words(inside, after_phone[source[inside] - grown.roots])
    outset = np.flatnonzero(begins)
    add_words(outset, source[outset])
    pair, which = _joined(pair_state, outset, source[outset])
    differs = phone[which] != pair_phone[pair]
    add_words(which[differs], grown.roots + pair[differs])

    total = base + 2 * len(inner)
    origin = np.concatenate([origin for origin, _ in pieces])
    order = np.argsort(origin, kind="stable")
    arcs = np.concatenate([piece for _, piece in pieces])[order]
    states = np.zeros(total, STATE)
    states["arcs"] = np.bincount(origin, minlength=total)
    states["first"] = np.cumsum(states["arcs"]) - states["arcs"]
    states["in_eps"] = np.bincount(origin[order], arcs["input"] == 0, minlength=total)
    states["out_eps"] = np.bincount(origin[order], arcs["output"] == 0, minlength=total)
    states["final"] = np.inf
    states["final"][: grown.roots] = history.final
    states["final"][grown.roots : base] = history.final[pair_state]
    return states, arcs, history.start


def _joined(
    states: np.ndarray, arcs: np.ndarray, source: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Join ``states`` (N,) and ``arcs`` (A,) by state: (places in ``states``, arcs), both (M,).

    ``source`` (A,) has the state that each arc leaves.
    """
    order = np.argsort(source, kind="stable")
    arcs, source = arcs[order], source[order]
    first = np.searchsorted(source, states)
    count = np.searchsorted(source, states, side="right") - first
    places = np.repeat(np.arange(len(states)), count)
    skipped = np.cumsum(count) - count  # arcs of the places before
    return places, arcs[np.arange(len(places)) - np.repeat(skipped - first, count)]
