import math

import numpy as np
import pytest

from cascade.runtime.errors import UserError
from cascade.scoring.confidence import nce_and_auc, word_confidences
from cascade.text.words import WordNormalizer


def test_the_figures_of_a_small_table_by_hand():
    sure, right = np.array([0.9, 0.8, 0.8, 0.3]), np.array([True, True, False, False])
    found = nce_and_auc(sure, right)
    assert found["AUC"] == (1 + 1 + 0.5 + 1) / 4
    gained = math.log2(0.9) + math.log2(0.8) + math.log2(0.2) + math.log2(0.7)
    assert found["NCE"] == pytest.approx((4 + gained) / 4, abs=1e-4)
    assert (found["words"], found["correct"]) == (4, 2)


def test_the_share_of_correct_words_said_of_each_is_worth_nothing():
    found = nce_and_auc(np.full(10, 0.7), np.arange(10) < 7)
    assert found["NCE"] == pytest.approx(0, abs=1e-4) and found["AUC"] == 0.5


def test_sure_and_right_is_worth_nearly_all():
    found = nce_and_auc(np.array([1.0, 1.0, 0.0]), np.array([True, True, False]))
    assert found["AUC"] == 1 and 0.99 < found["NCE"] < 1
    wrong = nce_and_auc(np.array([0.0, 0.0, 1.0]), np.array([True, True, False]))
    assert wrong["AUC"] == 0 and -20 < wrong["NCE"] < 0


@pytest.mark.parametrize("right", [[], [True, True], [False]])
def test_where_all_are_alike_nothing_is_told(right):
    found = nce_and_auc(np.full(len(right), 0.5), np.array(right, bool))
    assert found["NCE"] is None and found["AUC"] is None


def test_words_are_judged_by_the_rule_they_are_scored_by():
    rule = WordNormalizer("абвгдеёжз", {"ё": "е"})
    ctm = {"u": [("ёж", 0, 1, 0.9), ("а-б", 1, 1, 0.4), ("г", 2, 1, 0.2)]}
    ref = {"u": ["еж", "а", "б", "да"], "v": ["да"]}  # nothing was found in v
    sure, right = word_confidences(ref, ctm, rule)
    assert sure.tolist() == [0.9, 0.4, 0.4, 0.2]
    assert right.tolist() == [True, True, True, False]


def test_an_utterance_that_is_not_in_the_test_is_refused():
    with pytest.raises(UserError, match="'u' has no reference"):
        word_confidences({"v": ["да"]}, {"u": [("да", 0, 1, 0.9)]}, WordNormalizer("ад"))
