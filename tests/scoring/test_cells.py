"""Cells joined by the million read as the same strings joined one by one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade.scoring import cells as module
from cascade.scoring.align import Rows
from cascade.scoring.cells import Cells, lines_of, rows_of

TEXTS = ["a", "tʲ", "длинное слово", "", "***", "\n", "b" * 300]
ROWS = st.lists(st.lists(st.integers(0, len(TEXTS) - 1), max_size=8), max_size=8)


def rows(numbers: list[list[int]]) -> Rows:
    values = np.array([i for row in numbers for i in row], dtype=np.int64)
    return Rows(values, np.array([len(row) for row in numbers], dtype=np.int64))


def joined(cells: Cells, numbers: list[list[int]]) -> list[str]:
    return [text.decode() for text in rows_of(cells, rows(numbers))]


@given(ROWS)
def test_a_row_is_its_cells_one_after_another(numbers):
    assert joined(Cells.of(TEXTS), numbers) == ["".join(TEXTS[i] for i in row) for row in numbers]


@given(ROWS, st.lists(st.tuples(*[st.integers(0, n) for n in (6, 9, 30)]), min_size=7, max_size=7))
def test_blanks_are_of_the_cell_and_not_of_the_text(numbers, drawn):
    which, left, right = np.array(drawn).T
    shown = [" " * before + TEXTS[i] + " " * after for i, before, after in drawn]
    cells = Cells.of(TEXTS).padded(which, left, right)
    assert joined(cells, numbers) == ["".join(shown[i] for i in row) for row in numbers]
    assert joined(cells.taken(which), numbers) == [
        "".join(shown[which[i]] for i in row) for row in numbers
    ]


@pytest.mark.parametrize("at_once", [1, 3, 1000])
def test_blocks_change_nothing(monkeypatch, at_once):
    monkeypatch.setattr(module, "AT_ONCE", at_once)
    numbers = [[0, 1], [], [2, 2, 2, 2, 2], [6], [], [4]]
    assert joined(Cells.of(TEXTS), numbers) == ["".join(TEXTS[i] for i in row) for row in numbers]
    columns = [Cells.of(TEXTS), Cells.of("1234567"), Cells.of(["\n"] * 7)]
    lines = "".join(f"{text}{i}\n" for i, text in enumerate(TEXTS, 1))
    assert b"".join(lines_of(*columns)).decode() == lines


def test_nothing_is_no_text():
    assert joined(Cells.of([]), []) == []
    assert list(lines_of(Cells.of([]), Cells.of([]))) == []
