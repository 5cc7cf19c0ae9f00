import json
from dataclasses import replace

import numpy as np
import pytest

from cascade.scoring.significance import Pair, Rate, SystemComparison, compare
from cascade.scoring.verdict import comparison_json, is_significant, verdict

PAIR = Pair("plain", "cascade", 21.34, (17.91, 24.62), 0.0002, 0.0002)


def text(pair: Pair, seeds: int = 3, pairs: int = 1, units: int = 208) -> str:
    result = SystemComparison("utterances", units, seeds, 20000, {}, [pair] * pairs)
    return verdict(pair, result, "phone errors", "asterisk_ru")


def test_fewer_and_more():
    assert text(PAIR) == (
        "cascade makes 21.3 % fewer phone errors than plain on asterisk_ru"
        " (95 % interval 17.9 to 24.6, p < 0.001, 3 seeds)."
    )
    assert text(replace(PAIR, reduction=-5.84, interval=(-10.5, -1.4), p=0.011, p_holm=0.011)) == (
        "cascade makes 5.8 % more phone errors than plain on asterisk_ru"
        " (95 % interval 1.4 to 10.5, p = 0.011, 3 seeds)."
    )


def test_a_difference_that_is_not_significant():
    pair = replace(PAIR, reduction=-0.6, interval=(-3.1, 2.0), p=0.58, p_holm=0.58)
    assert text(pair, seeds=1) == (
        "The difference between cascade and plain on asterisk_ru is not statistically significant:"
        " 0.6 % more phone errors (95 % interval -2.0 to 3.1, p = 0.58, 1 seed)."
    )
    none = replace(PAIR, reduction=-0.04, interval=(-3.14, 0.04), p=0.9, p_holm=0.9)
    assert ": as many phone errors (95 % interval -3.1 to 0.0, p = 0.90" in text(none)


def test_a_small_difference_that_is_significant():
    pair = replace(PAIR, reduction=-0.04, interval=(-0.06, -0.02))
    assert text(pair) == (
        "cascade makes less than 0.1 % more phone errors than plain on asterisk_ru"
        " (95 % interval 0.0 to 0.1, p < 0.001, 3 seeds)."
    )


def test_of_several_pairs_the_adjusted_p_decides():
    pair = replace(PAIR, reduction=3.0, interval=(0.1, 5.9), p=0.04, p_holm=0.12)
    assert not is_significant(pair)
    assert text(pair, pairs=3) == (
        "The difference between cascade and plain on asterisk_ru is not statistically significant:"
        " 3.0 % fewer phone errors (95 % interval 0.1 to 5.9, p = 0.040, adjusted for 3 pairs"
        " p = 0.12, 3 seeds)."
    )
    assert is_significant(replace(pair, p_holm=0.049))


def test_where_there_is_nothing_to_divide_by():
    pair = Pair("plain", "cascade", None, None, 0.0002, 0.0002)
    assert text(pair) == (
        "cascade makes phone errors on asterisk_ru, plain makes none (p < 0.001, 3 seeds)."
    )
    assert ": no phone errors of plain (p = 1.00, 3 seeds)." in text(
        replace(pair, p=1.0, p_holm=1.0)
    )


def test_an_interval_without_a_bound_is_left_out():
    pair = Pair("plain", "cascade", 0.0, (-np.inf, 100.0), 1.0, 1.0)
    assert text(pair).endswith(
        "is not statistically significant: as many phone errors (p = 1.00, 3 seeds)."
    )


def test_one_utterance():
    pair = Pair("plain", "cascade", 50.0, None, None)
    assert text(pair, units=1).endswith("50.0 % fewer phone errors (1 utterance only, 3 seeds).")


def test_json_types():
    result = SystemComparison(
        "speakers",
        12,
        3,
        20000,
        {"plain": Rate(50.63569, (49.123456, 51.0)), "cascade": Rate(None, None)},
        [replace(PAIR, interval=(-np.inf, 24.62)), Pair("cascade", "plain", None, None, None)],
    )
    plain = comparison_json(result)
    assert plain == json.loads(json.dumps(plain, allow_nan=False))
    assert (plain["drawn"], plain["units"], plain["seeds"], plain["resamples"]) == (
        "speakers",
        12,
        3,
        20000,
    )
    assert plain["rates"]["plain"] == {"percent": 50.6357, "interval": [49.1235, 51.0]}
    assert plain["rates"]["cascade"] == {"percent": None, "interval": None}
    assert plain["pairs"][0] == {
        "reference": "plain",
        "system": "cascade",
        "reduction": 21.34,
        "interval": [None, 24.62],
        "p": 0.0002,
        "p_holm": 0.0002,
    }
    assert plain["pairs"][1]["p"] is None


@pytest.mark.parametrize("factor", [1, 2])
def test_a_verdict_of_real_counts(factor):
    errors = np.random.default_rng(0).poisson(12, 200)
    result = compare({"plain": errors, "cascade": errors[::-1] * factor}, np.full(200, 40))
    sentence = verdict(result.pairs[0], result, "word errors", "mine")
    assert sentence.startswith("cascade makes 100.0 % more" if factor == 2 else "The diff")
