"""The statistics are tried on errors whose true rates are known."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from cascade.scoring.significance import PARTS, SPEAKERS, Pair, _holm, compare


def draw(random, utterances, rates, seeds=1, seed_sd=0.0, speakers=None):
    """Errors of systems with these ``rates``, in utterances more and less hard for them all.

    ``seed_sd`` is the spread of seeds, and of speakers' difficulty, of the log rate. Returns
    errors (seeds, utterances) by system, and tokens.
    """
    tokens = random.integers(20, 60, utterances)
    hard = random.normal(-(0.3**2) / 2, 0.3, utterances)
    errors = {}
    for name, rate in zip("abcd", rates, strict=False):
        seed = random.normal(-(seed_sd**2) / 2, seed_sd, (seeds, 1))
        speaker = 0.0
        if speakers is not None:
            speaker = random.normal(-(0.2**2) / 2, 0.2, max(speakers) + 1)[speakers]
        errors[name] = random.poisson(tokens * rate * np.exp(hard + seed + speaker))
    return errors, tokens


def trials(times, resamples=800, speakers=None, **how):
    random = np.random.default_rng(1)
    for number in range(times):
        errors, tokens = draw(random, speakers=speakers, **how)
        names = None if speakers is None else [f"s{n}" for n in speakers]
        yield compare(errors, tokens, names, resamples, number)


def test_a_planted_difference_is_found():
    errors, tokens = draw(np.random.default_rng(0), 200, (0.3, 0.24))
    pair = compare(errors, tokens).pairs[0]
    assert (pair.reference, pair.system) == ("a", "b")
    assert pair.p < 0.001
    assert pair.interval[0] < 20 < pair.interval[1]
    assert 10 < pair.interval[0] < pair.reduction < pair.interval[1] < 30
    before, after = errors["a"].sum(), errors["b"].sum()
    assert pair.reduction == pytest.approx(100 * (before - after) / before)


def test_p_is_uniform_where_there_is_no_difference():
    result = [c.pairs[0].p for c in trials(300, utterances=60, rates=(0.3, 0.3))]
    assert stats.kstest(result, "uniform").pvalue > 0.01
    assert 0.02 < np.mean(np.array(result) < 0.05) < 0.09


@pytest.mark.parametrize(
    ("how", "lowest", "highest"),
    [
        ({"utterances": 100, "rates": (0.3, 0.24)}, 0.92, 0.98),
        ({"utterances": 12, "rates": (0.3, 0.24)}, 0.91, 0.98),
        # Drawing utterances, two of three intervals would contain it.
        ({"utterances": 120, "rates": (0.3, 0.24), "speakers": np.arange(120) % 12}, 0.92, 0.98),
        # Drawing seeds with replacement, three of four would.
        ({"utterances": 60, "rates": (0.3, 0.24), "seeds": 3, "seed_sd": 0.15}, 0.93, 0.99),
        ({"utterances": 60, "rates": (0.3, 0.24), "seeds": 2, "seed_sd": 0.15}, 0.93, 1.0),
    ],
)
def test_intervals_contain_the_true_value_as_often_as_they_should(how, lowest, highest):
    result = list(trials(300, **how))
    pairs = [c.pairs[0].interval for c in result]
    rates = [c.rates["a"].interval for c in result]
    assert lowest <= np.mean([low <= 20 <= high for low, high in pairs]) <= highest
    assert lowest <= np.mean([low <= 30 <= high for low, high in rates]) <= highest


def test_another_bootstrap_gives_the_same():
    errors, tokens = draw(np.random.default_rng(2), 400, (0.3, 0.27))
    result = compare(errors, tokens)

    def reduction(a, b, axis=-1):
        return 100 * (1 - b.sum(axis) / a.sum(axis))

    def rate(a, n, axis=-1):
        return 100 * a.sum(axis) / n.sum(axis)

    for statistic, data, interval in (
        (reduction, (errors["a"][0], errors["b"][0]), result.pairs[0].interval),
        (rate, (errors["a"][0], tokens), result.rates["a"].interval),
    ):
        other = stats.bootstrap(data, statistic, paired=True, method="percentile", rng=3)
        width = other.confidence_interval.high - other.confidence_interval.low
        assert interval == pytest.approx(other.confidence_interval, abs=0.04 * width)


def test_a_large_test_set_has_the_interval_of_theory():
    errors, tokens = draw(np.random.default_rng(4), 5 * PARTS + 7, (0.3, 0.3))
    a, b = errors["a"][0], errors["b"][0]
    ratio = b.sum() / a.sum()
    deviation = 100 * np.std(b - ratio * a) * np.sqrt(len(a)) / a.sum()
    pair = compare(errors, tokens).pairs[0]
    assert compare(errors, tokens).units == len(tokens)
    assert (pair.interval[1] - pair.interval[0]) / (2 * 1.96 * deviation) == pytest.approx(1, 0.06)
    assert pair.p == pytest.approx(2 * stats.norm.sf(abs(pair.reduction) / deviation), abs=0.03)


def test_the_same_bytes_every_time():
    errors, tokens = draw(np.random.default_rng(0), 50, (0.3, 0.29), seeds=3, seed_sd=0.1)
    assert repr(compare(errors, tokens)) == repr(compare(errors, tokens))
    assert compare(errors, tokens, seed=1).pairs != compare(errors, tokens).pairs


def test_the_same_system_twice():
    errors, tokens = draw(np.random.default_rng(0), 50, (0.3,), seeds=3, seed_sd=0.1)
    pair = compare({"a": errors["a"], "b": errors["a"]}, tokens).pairs[0]
    assert (pair.reduction, pair.interval, pair.p, pair.p_holm) == (0, (0, 0), 1, 1)


def test_seeds_are_averaged():
    errors, tokens = draw(np.random.default_rng(0), 80, (0.3, 0.25), seeds=4, seed_sd=0.2)
    result = compare(errors, tokens)
    assert result.seeds == 4
    for name, rate in result.rates.items():
        assert rate.percent == pytest.approx(100 * errors[name].sum() / 4 / tokens.sum())


def test_seeds_that_agree_are_as_one_seed():
    errors, tokens = draw(np.random.default_rng(0), 80, (0.3, 0.25))
    one = compare(errors, tokens)
    three = compare({name: np.repeat(e, 3, axis=0) for name, e in errors.items()}, tokens)
    assert three.pairs[0].interval == pytest.approx(one.pairs[0].interval)
    assert three.rates["a"].interval == pytest.approx(one.rates["a"].interval)


def test_seeds_that_disagree_are_not_significant():
    tokens = np.full(200, 40)
    steady, unsteady = np.full((3, 200), 12), np.array([[6], [12], [12]]) * np.ones((3, 200), int)
    pair = compare({"a": steady, "b": unsteady}, tokens).pairs[0]
    assert pair.reduction == pytest.approx(100 / 6)
    assert pair.interval[0] < 0 < pair.interval[1]
    assert pair.p > 0.2


def test_seeds_that_change_all_systems_alike_cancel():
    # Every training on other data, both systems alike: the rates differ, not their ratio.
    random = np.random.default_rng(5)
    tokens = random.integers(20, 60, 300)
    rate = np.array([[0.2], [0.3], [0.4]])
    errors = {"a": random.poisson(tokens * rate), "b": random.poisson(tokens * rate * 0.8)}
    result = compare(errors, tokens)
    assert result.rates["a"].interval[1] - result.rates["a"].interval[0] > 30
    assert result.pairs[0].interval[0] > 10


COUNTS = st.lists(st.integers(0, 9), min_size=2, max_size=12)


@settings(deadline=None)
@given(COUNTS, st.data())
def test_the_interval_and_p_agree_and_order_does_not_matter(first, data):
    second = data.draw(st.lists(st.integers(0, 9), min_size=len(first), max_size=len(first)))
    a, b, tokens = (np.array(x) for x in (first, second, [10] * len(first)))
    there = compare({"a": a, "b": b}, tokens, resamples=4000).pairs[0]
    back = compare({"b": b, "a": a}, tokens, resamples=4000).pairs[0]
    assert there.p == back.p
    assert 0 < there.p <= 1
    if there.interval is not None:
        low, high = there.interval
        assert low <= there.reduction <= high <= 100
        assert (there.p < 0.05) == (low > 0 or high < 0)


def test_one_utterance_has_no_interval():
    result = compare({"a": np.array([4]), "b": np.array([2])}, np.array([10]))
    assert (result.units, result.rates["a"].percent, result.rates["a"].interval) == (1, 40, None)
    pair = result.pairs[0]
    assert (pair.reduction, pair.interval, pair.p, pair.p_holm) == (50, None, None, None)


@pytest.mark.parametrize("utterances", [2, 3])
def test_two_or_three_utterances_are_never_significant(utterances):
    tokens = np.full(utterances, 10)
    pair = compare({"a": tokens, "b": tokens // 2}, tokens).pairs[0]
    assert pair.interval is None
    assert pair.p > 0.05


def test_a_large_effect_in_few_speakers_has_a_small_p():
    """Ten speakers, each with half of the errors: a share of the replicates could not say more
    than 0.005, so with many pairs of systems nothing would be significant."""
    speakers = [f"s{n % 10}" for n in range(100)]
    random = np.random.default_rng(0)
    tokens = np.full(100, 40)
    errors = {"a": random.poisson(20, 100), "b": random.poisson(10, 100)}
    pair = compare(errors, tokens, speakers).pairs[0]
    by_speaker = [e.reshape(10, 10).sum(axis=0) for e in errors.values()]
    assert pair.p == pytest.approx(stats.ttest_rel(*map(np.log, by_speaker)).pvalue, rel=0.9)
    assert pair.p < 1e-5


def test_no_errors():
    none, some, tokens = np.zeros(50, int), np.arange(50) % 3, np.full(50, 10)
    result = compare({"none": none, "some": some, "too": none}, tokens)
    to_some, to_none, back = result.pairs
    assert result.rates["none"].interval == (0, 0)
    assert (to_some.reduction, to_some.interval) == (None, None)
    assert to_some.p < 0.001
    assert (to_none.reduction, to_none.p) == (None, 1)
    assert (back.reduction, back.interval) == (100, (100, 100))
    assert back.p == to_some.p


def test_one_error_in_all():
    # Most replicates have it, some do not: then there is nothing to divide by.
    one, tokens = np.eye(1, 50, dtype=int)[0], np.full(50, 10)
    more, none = compare({"a": one, "b": one * 3 + one[::-1], "c": one * 0}, tokens).pairs[:2]
    assert (more.reduction, none.reduction) == (-300, 100)
    assert more.interval[0] == -np.inf
    assert more.p > 0.05
    assert none.p > 0.05


def test_no_reference_tokens():
    errors = {"a": np.arange(50) % 4, "b": np.arange(50) % 4 // 2}
    result = compare(errors, np.zeros(50, int))
    assert (result.rates["a"].percent, result.rates["a"].interval) == (None, None)
    assert result.pairs[0].p < 0.001
    some = compare(errors, np.arange(50) % 2)
    assert some.rates["a"].percent == pytest.approx(100 * errors["a"].sum() / 25)


def test_speakers_are_drawn_where_there_are_enough():
    random = np.random.default_rng(6)
    errors, tokens = draw(random, 90, (0.3, 0.28), speakers=np.arange(90) % 10)
    few = compare(errors, tokens, [f"s{i % (SPEAKERS - 1)}" for i in range(90)])
    many = compare(errors, tokens, [f"s{i % SPEAKERS}" for i in range(90)])
    assert (few.kind, few.units) == ("utterances", 90)
    assert (many.kind, many.units) == ("speakers", SPEAKERS)
    assert few == compare(errors, tokens)
    unknown = [f"s{i % SPEAKERS}" if i else "unknown" for i in range(90)]
    assert few == compare(errors, tokens, unknown)  # who may be several
    widths = [np.ptp(result.pairs[0].interval) for result in (few, many)]
    assert widths[1] > 1.2 * widths[0]


def test_every_pair_is_compared_with_the_same_resamples():
    errors, tokens = draw(np.random.default_rng(7), 100, (0.3, 0.28, 0.26, 0.3))
    result = compare(errors, tokens)
    assert [(p.reference, p.system) for p in result.pairs] == list(combinations("abcd", 2))
    two = compare({name: errors[name] for name in "ab"}, tokens)
    assert two.pairs[0].interval == result.pairs[0].interval
    assert two.rates["a"] == result.rates["a"]


def test_holm():
    pairs = [Pair("a", "b", 1.0, None, p) for p in (0.01, 0.04, None, 0.03, 0.9)]
    assert [p.p_holm for p in _holm(pairs)] == pytest.approx([0.04, 0.09, None, 0.09, 0.9])


def test_errors_of_other_utterances_are_refused():
    with pytest.raises(ValueError, match="3 utterances"):
        compare({"a": np.ones(4)}, np.ones(3))
    with pytest.raises(ValueError, match="0 utterances"):
        compare({"a": np.ones(0)}, np.ones(0))
