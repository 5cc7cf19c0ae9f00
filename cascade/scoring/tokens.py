"""Texts as arrays of token numbers."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, count

import numpy as np

from cascade.scoring.align import Rows

BYTES = 8  # of the longest token that fits into an integer
SLOTS = 16  # bits
SPREAD = np.uint64(0x9E3779B97F4A7C15)  # Fibonacci hashing (Knuth, TAOCP 3, 6.4)
MASKS = np.array([(1 << 8 * size) - 1 for size in range(BYTES + 1)], dtype=np.uint64)
BLANK, NEWLINE = b" \n"
AT_ONCE = 500  # texts: their arrays stay in the cache


def numbered(texts: Sequence[str]) -> tuple[Rows, list[str]]:
    """The tokens of each text, as ``str.split`` parts them, and the tokens behind the numbers."""
    return _short(texts) or by_split(map(str.split, texts))


def by_split(rows: Iterable[Sequence[str]]) -> tuple[Rows, list[str]]:
    """The same for texts in tokens."""
    seen: defaultdict[str, int] = defaultdict(count().__next__)  # a number for each new token
    lengths: list[int] = []
    tokens = chain.from_iterable(_counted(rows, lengths))
    values = np.fromiter(map(seen.__getitem__, tokens), np.int32)
    return Rows(values, np.array(lengths, dtype=np.int64)), list(seen)


def _counted(rows: Iterable[Sequence[str]], lengths: list[int]) -> Iterator[Sequence[str]]:
    """Passes ``rows`` on, and leaves their lengths in ``lengths``."""
    for row in rows:
        lengths.append(len(row))
        yield row


def _short(texts: Sequence[str]) -> tuple[Rows, list[str]] | None:
    """`numbered` in half the time, for tokens of few bytes such as phones.

    A token is read as one integer, and its number looked up by a hash of that. None where
    one is longer, where two have the same hash, or where other white space parts them.
    """
    table = np.zeros(1 << SLOTS, dtype=np.uint64)
    found = []
    for i in range(0, len(texts), AT_ONCE):
        part = _slots(texts[i : i + AT_ONCE], table)
        if part is None:
            return None
        found.append(part)
    if not found:
        return None
    used = np.flatnonzero(table)
    tokens = [key.tobytes().rstrip(b"\0").decode() for key in table[used]]
    if any(token.split() != [token] for token in tokens):
        return None
    number = np.zeros(len(table), dtype=np.int32)
    number[used] = np.arange(len(used))
    slots, lengths = map(np.concatenate, zip(*found, strict=True))
    return Rows(number[slots], lengths), tokens


def _slots(texts: Sequence[str], table: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """The place in ``table``, of integers, of each token, and the tokens of each text."""
    text = ("\0".join(texts) + "\0").encode()
    data = np.frombuffer(text + bytes(BYTES), np.uint8)
    gaps = np.flatnonzero(data[: len(text)] <= BLANK)
    kinds = data[gaps]
    over = kinds == 0
    if over.sum() != len(texts) or not (over | (kinds == BLANK) | (kinds == NEWLINE)).all():
        return None
    starts = np.concatenate([[0], gaps[:-1] + 1])
    sizes = gaps - starts
    if sizes.max() > BYTES:
        return None
    there = sizes > 0
    ends = np.concatenate([[0], np.cumsum(there)[over]])
    starts, sizes = starts[there], sizes[there]
    keys = np.ndarray(len(text), "<u8", data, strides=(1,))[starts] & MASKS[sizes]
    slots = keys * SPREAD >> np.uint64(64 - SLOTS)
    before = table[slots]
    table[slots] = keys
    if ((before != keys) & (before != 0)).any() or (table[slots] != keys).any():
        return None
    return slots.astype(np.uint16), np.diff(ends)
