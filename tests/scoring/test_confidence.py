import math

import numpy as np
import pytest

from cascade.config.sections import Language
from cascade.runtime.errors import UserError
from cascade.scoring.confidence import nce_and_auc, word_confidences
from cascade.text.words import WordNormalizer


def test_the_figures_of_a_small_table_by_hand():
    sure, right = np.array([0.9, 0.8, 0.8, 0.3]), np.array([True, True, False, False])
    result = nce_and_auc(sure, right)
    assert result["AUC"] == (1 + 1 + 0.5 + 1) / 4
    gained = math.log2(0.9) + math.log2(0.8) + math.log2(0.2) + math.log2(0.7)
    assert result["NCE"] == pytest.approx((4 + gained) / 4, abs=1e-4)
    assert (result["words"], result["correct"]) == (4, 2)


def test_the_share_of_correct_words_as_confidence_of_each_is_useless():
    result = nce_and_auc(np.full(10, 0.7), np.arange(10) < 7)
    assert result["NCE"] == pytest.approx(0, abs=1e-4) and result["AUC"] == 0.5


def test_certain_and_correct_is_nearly_1():
    result = nce_and_auc(np.array([1.0, 1.0, 0.0]), np.array([True, True, False]))
    assert result["AUC"] == 1 and 0.99 < result["NCE"] < 1
    wrong = nce_and_auc(np.array([0.0, 0.0, 1.0]), np.array([True, True, False]))
    assert wrong["AUC"] == 0 and -20 < wrong["NCE"] < 0


@pytest.mark.parametrize("right", [[], [True, True], [False]])
def test_all_correct_or_none_has_no_figures(right):
    result = nce_and_auc(np.full(len(right), 0.5), np.array(right, bool))
    assert result["NCE"] is None and result["AUC"] is None


def test_words_are_normalized_as_in_scores():
    rule = WordNormalizer(Language("абвгдеёжз", "ru", fold={"ё": "е"}))
    ctm = {"u": [("ёж", 0, 1, 0.9), ("а-б", 1, 1, 0.4), ("г", 2, 1, 0.2)]}
    ref = {"u": ["еж", "а", "б", "да"], "v": ["да"]}  # nothing was result in v
    sure, right = word_confidences(ref, ctm, rule)
    assert sure.tolist() == [0.9, 0.4, 0.4, 0.2]
    assert right.tolist() == [True, True, True, False]


def test_an_utterance_that_is_not_in_the_test_is_refused():
    with pytest.raises(UserError, match="'u' has no reference"):
        word_confidences(
            {"v": ["да"]}, {"u": [("да", 0, 1, 0.9)]}, WordNormalizer(Language("ад", "ru"))
        )
