"""Pieces of text that are joined by the million, without a string for each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from cascade.scoring.align import Rows

AT_ONCE = 16_384  # cells: the arrays of so many stay in the cache
BLANK = ord(" ")


@dataclass(frozen=True)
class Cells:
    """C pieces of text in UTF-8: parts of ``data`` (bytes), ``starts`` and ``sizes`` (C,)."""

    data: np.ndarray
    starts: np.ndarray
    sizes: np.ndarray

    @classmethod
    def of(cls, texts: Sequence[str]) -> "Cells":
        """A cell for each of ``texts``."""
        coded = [text.encode() for text in texts]
        sizes = np.fromiter(map(len, coded), np.int64, len(coded))
        return cls(np.frombuffer(b"".join(coded), np.uint8), np.cumsum(sizes) - sizes, sizes)

    def taken(self, which: np.ndarray) -> "Cells":
        """The cells number ``which``."""
        return Cells(self.data, self.starts[which], self.sizes[which])

    def padded(self, which: np.ndarray, left: np.ndarray, right: np.ndarray) -> "Cells":
        """The cells number ``which``, with so many blanks before and after each.

        They are parts of a text that has every cell once, with the blanks it needs at most.
        """
        before, after = np.zeros_like(self.sizes), np.zeros_like(self.sizes)
        np.maximum.at(before, which, left)
        np.maximum.at(after, which, right)
        sizes = before + self.sizes + after
        starts = np.cumsum(sizes) - sizes + before
        data = np.full(sizes.sum(), BLANK, dtype=np.uint8)
        data[_places(starts, self.sizes)] = self.data[_places(self.starts, self.sizes)]
        return Cells(data, starts[which] - left, self.sizes[which] + left + right)


def rows_of(cells: Cells, rows: Rows) -> Iterator[bytes]:
    """The text of each row: the cells that its values number, one after another."""
    ends = np.concatenate([[0], np.cumsum(rows.lengths)])
    first, last = 0, len(rows.lengths)
    while first < last:
        start = ends[first]
        after = max(first + 1, int(np.searchsorted(ends, start + AT_ONCE, "right")) - 1)
        here = rows.values[start : ends[after]]
        sizes = cells.sizes[here]
        text = cells.data[_places(cells.starts[here], sizes)].tobytes()
        bounds = np.concatenate([[0], np.cumsum(sizes)])[ends[first : after + 1] - start]
        for begin, end in pairwise(bounds.tolist()):
            yield text[begin:end]
        first = after


def lines_of(*columns: Cells) -> Iterator[bytes]:
    """The text of a table, many lines at a time; each column has a cell for each line."""
    before = np.cumsum([0, *(len(column.data) for column in columns)])
    starts = [column.starts + shift for column, shift in zip(columns, before, strict=False)]
    cells = Cells(
        np.concatenate([column.data for column in columns]),
        np.stack(starts, axis=1).ravel(),
        np.stack([column.sizes for column in columns], axis=1).ravel(),
    )
    size = len(cells.sizes)
    pieces = np.diff(np.append(np.arange(0, size, AT_ONCE), size))
    return rows_of(cells, Rows(np.arange(size), pieces))


def _places(starts: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """``starts[0]``, ``starts[0] + 1``, ... ``sizes[0]`` of them, then those of the next."""
    ends = np.cumsum(sizes)
    places = np.repeat(starts - (ends - sizes), sizes)
    places += np.arange(len(places))
    return places
