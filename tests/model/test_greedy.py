import numpy as np

from cascade.model.greedy import greedy


def test_repeats_and_blanks_go_and_a_blank_keeps_repeats_apart():
    assert greedy(np.array([[0, 2, 2, 0, 2, 1, 1, 0, 3, 3]]), [10]) == [[2, 2, 1, 3]]


def test_frames_behind_the_end_do_not_count():
    assert greedy(np.array([[1, 0, 2], [0, 0, 0]]), [2, 3]) == [[1], []]
