"""Prefix trees: the words that may follow each history, spelt in phones, in few states.

Every state of the language model has a tree over the pronunciations of its own words. A
word leaves the tree where no other word of the state continues in the same way: the word is
output there, and the rest of its phones is shared by all words that end in the same way and
lead to the same state. Costs are pushed towards the root.

The result is min(det(L o G)) (Mohri, Pereira and Riley 2002). It is built directly, since
OpenFst's determinisation would hold all of L o G in memory.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Columns = dict[str, np.ndarray]  # of a table: arrays of one length, by name


@dataclass(frozen=True)
class Words:
    """The arcs of a language model: ``word[i]`` leads from ``source[i]`` to ``target[i]``.

    There are ``states`` states, numbered from 0. All arrays are (A,); ``cost`` is -ln of the
    probability.
    """

    states: int
    source: np.ndarray
    word: np.ndarray
    cost: np.ndarray
    target: np.ndarray


@dataclass(frozen=True)
class Trees:
    """Arcs over phones. Nodes below ``roots`` are the language model's states.

    ``entered[n - roots]`` is the phone on the arcs into node n. The other arrays are (A,), one
    entry for each arc; a ``word`` of 0 is none.
    """

    roots: int
    entered: np.ndarray
    source: np.ndarray
    phone: np.ndarray
    word: np.ndarray
    cost: np.ndarray
    target: np.ndarray


def grow(pronunciations: Sequence[tuple[int, bytes]], words: Words) -> Trees:
    """Return the trees of all states of ``words``.

    ``pronunciations`` are pairs of a word and its phones, which are numbers from 1 to 255. A
    word may have several.
    """
    spelled = _Spelled(pronunciations)
    row = _rows(spelled, words)
    parts, leaves, entered, nodes = _prefixes(spelled, row, words.states)
    tails = _Tails(spelled, leaves, words.states)
    source, target, phone, below = tails.chains(nodes)
    first = {
        "source": leaves["source"],
        "phone": leaves["phone"],
        "word": leaves["word"],
        "cost": leaves["cost"],
        "target": tails.numbers(leaves["key"], nodes),
    }
    chain = {
        "source": source,
        "phone": phone,
        "word": np.zeros(len(source), np.int32),
        "cost": np.zeros(len(source), np.float32),
        "target": target,
    }
    joined = {name: np.concatenate([parts[name], first[name], chain[name]]) for name in first}
    return Trees(words.states, np.concatenate([entered, below]), **joined)


class _Spelled:
    """P pronunciations in the order of their phones, as a matrix padded with 0."""

    def __init__(self, pronunciations: Sequence[tuple[int, bytes]]):
        ordered = sorted((spelling, word) for word, spelling in set(pronunciations))
        self.length = np.array([len(spelling) for spelling, _ in ordered], np.int32)
        width = int(self.length.max(initial=1))
        padded = b"".join(spelling.ljust(width, b"\0") for spelling, _ in ordered)
        self.phones = np.frombuffer(padded, np.uint8).reshape(len(ordered), width)  # (P, width)
        self.word = np.array([word for _, word in ordered], np.int32)


def _rows(spelled: _Spelled, words: Words) -> Columns:
    """Return one row for each arc and pronunciation of its word, by state and pronunciation."""
    by_word = np.argsort(spelled.word, kind="stable")
    start = np.searchsorted(spelled.word[by_word], words.word)
    count = np.searchsorted(spelled.word[by_word], words.word, side="right") - start
    arc = np.repeat(np.arange(len(words.word)), count)
    within = np.arange(len(arc)) - np.repeat(np.cumsum(count) - count, count)
    spelling = by_word[start[arc] + within]
    order = np.argsort(words.source[arc].astype(np.int64) * len(spelled.word) + spelling)
    arc, spelling = arc[order], spelling[order]
    return {
        "spelling": spelling.astype(np.int32),
        "source": words.source[arc],
        "word": words.word[arc],
        "cost": words.cost[arc].astype(np.float32),
        "target": words.target[arc],
    }


def _prefixes(
    spelled: _Spelled, row: Columns, states: int
) -> tuple[Columns, Columns, np.ndarray, int]:
    """Return the arcs between nodes that several words share, and those where a word leaves.

    Also the phones on the arcs into these nodes, and the number of nodes.
    """
    parts = [tuple(np.zeros(0, kind) for kind in (np.int64, np.uint8, np.float32, np.int64))]
    leaves: list[tuple[np.ndarray, ...]] = []
    entered: list[np.ndarray] = []
    nodes = states
    active = np.arange(len(row["source"]))
    at = row["source"].astype(np.int64)  # the node that each active row has reached
    paid = np.zeros(len(active), np.float32)  # its cost so far
    for depth in range(spelled.phones.shape[1]):
        phone = spelled.phones[row["spelling"][active], depth]
        goes_on = spelled.length[row["spelling"][active]] > depth + 1
        ahead = np.flatnonzero(goes_on)
        begins = np.ones(len(ahead), bool)  # of rows that continue in the same way
        begins[1:] = (np.diff(at[ahead]) != 0) | (np.diff(phone[ahead].astype(int)) != 0)
        first = np.flatnonzero(begins)
        size = np.diff(np.append(first, len(ahead)))
        group = np.repeat(np.arange(len(first)), size)
        single = size[group] == 1
        leaving = np.concatenate([np.flatnonzero(~goes_on), ahead[single]])
        index = active[leaving]
        cost = row["cost"][index] - paid[leaving]
        leaves.append((at[leaving], phone[leaving], index, cost, np.full(len(index), depth)))
        shared = np.flatnonzero(size > 1)
        if not len(shared):
            break
        low = np.minimum.reduceat(row["cost"][active[ahead]], first)[shared]
        head = ahead[first[shared]]
        number = np.zeros(len(size), np.int64)
        number[shared] = nodes + np.arange(len(shared))
        parts.append((at[head], phone[head], low - paid[head], number[shared]))
        entered.append(phone[head])
        nodes += len(shared)
        active = active[ahead[~single]]
        at = number[group[~single]]
        paid = np.repeat(low, size[shared])
    s, p, c, t = (np.concatenate(column) for column in zip(*parts, strict=True))
    inner = {"source": s, "phone": p, "word": np.zeros(len(s), np.int32), "cost": c, "target": t}
    s, p, i, c, d = (np.concatenate(x) for x in zip(*leaves, strict=True))
    outer = {"source": s, "phone": p, "word": row["word"][i], "cost": c}
    outer |= {"spelling": row["spelling"][i], "depth": d, "state": row["target"][i]}
    return inner, outer, np.concatenate([*entered, np.zeros(0, np.uint8)]), nodes


class _Tails:
    """The rests of pronunciations, each with the phone before it; equal ones are one.

    A tail is a number. ``phone[tail]`` is the phone just read, ``rest[tail]`` the next tail, 0
    at the end of a word. A key is a tail and the state that it leads to.
    """

    def __init__(self, spelled: _Spelled, leaves: Columns, states: int):
        self.states = states
        earliest = np.full(len(spelled.length), 255, np.int32)
        np.minimum.at(earliest, leaves["spelling"], leaves["depth"].astype(np.int32))
        wanted = np.flatnonzero(earliest < 255)
        phones, rests = [np.zeros(1, np.int64)], [np.zeros(1, np.int64)]
        self.begins = [0, 1]  # the first tail of each length
        longest = int((spelled.length[wanted] - earliest[wanted]).max(initial=0))
        last = np.zeros(len(spelled.length), np.int64)
        leaf_length = spelled.length[leaves["spelling"]] - leaves["depth"]
        tail = np.zeros(len(leaf_length), np.int64)
        for length in range(1, longest + 1):
            wanted = wanted[spelled.length[wanted] - earliest[wanted] >= length]
            phone = spelled.phones[wanted, spelled.length[wanted] - length]
            distinct, which = np.unique(last[wanted] * 256 + phone, return_inverse=True)
            phones.append(distinct % 256)
            rests.append(distinct // 256)
            last[wanted] = self.begins[-1] + which
            self.begins.append(self.begins[-1] + len(distinct))
            now = leaf_length == length
            tail[now] = last[leaves["spelling"][now]]
        self.phone, self.rest = np.concatenate(phones), np.concatenate(rests)
        leaves["key"] = tail * states + leaves["state"]
        self.keys = self._close(leaves["key"])

    def _close(self, keys: np.ndarray) -> np.ndarray:
        """Return all keys on the way from ``keys`` to the ends of words, without these, sorted."""
        length = np.searchsorted(self.begins, keys // self.states, side="right") - 1
        closed, passed = [], np.zeros(0, np.int64)
        for now in range(len(self.begins) - 1, 1, -1):
            here = np.unique(np.concatenate([keys[length == now], passed]))
            closed.append(here)
            passed = self._next(here)
        return np.sort(np.concatenate([*closed, np.zeros(0, np.int64)]))

    def _next(self, keys: np.ndarray) -> np.ndarray:
        """Return the keys one phone further."""
        return self.rest[keys // self.states] * self.states + keys % self.states

    def numbers(self, keys: np.ndarray, nodes: int) -> np.ndarray:
        """Return the nodes of keys, numbered from ``nodes``; the state itself at a word's end."""
        ends = keys // self.states < self.begins[2]
        return np.where(ends, keys % self.states, nodes + np.searchsorted(self.keys, keys))

    def chains(self, nodes: int) -> tuple[np.ndarray, ...]:
        """Return the arcs out of all keys' nodes, and the phone on the arcs into each of them."""
        following = self._next(self.keys)
        source = nodes + np.arange(len(self.keys))
        phone = self.phone[following // self.states].astype(np.uint8)
        entered = self.phone[self.keys // self.states].astype(np.uint8)
        return source, self.numbers(following, nodes), phone, entered
