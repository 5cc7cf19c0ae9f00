import torch

from cascade.model.greedy import greedy


def test_repeats_and_blanks_go_and_a_blank_keeps_repeats_apart():
    path = [0, 2, 2, 0, 2, 1, 1, 0, 3, 3]
    log_probs = torch.nn.functional.one_hot(torch.tensor([path]), 4).float()
    assert greedy(log_probs, [10]) == [[2, 2, 1, 3]]


def test_frames_behind_the_end_do_not_count():
    log_probs = torch.nn.functional.one_hot(torch.tensor([[1, 0, 2], [0, 0, 0]]), 3).float()
    assert greedy(log_probs, [2, 3]) == [[1], []]
