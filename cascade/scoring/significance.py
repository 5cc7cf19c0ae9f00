"""Which differences of error rates are statistically significant: intervals and p-values.

The method is the paired bootstrap of Bisani and Ney (Bootstrap estimates for confidence intervals
in ASR performance evaluation, ICASSP 2004). Utterances are drawn with replacement, the same ones
for every system. From a test set of `SPEAKERS` speakers or more, speakers are drawn instead,
because the errors of one speaker's utterances are correlated. Utterances of unknown speakers may be
of several, so with any of them utterances are drawn.

- Rates are compared by their ratio. Its replicates give the interval (percentiles) and the
  p-value (twice the share of replicates with the opposite sign). So the interval excludes 0 if
  and only if p is below 0.05. Of few units, a share of zero replicates would not make p small,
  however large the effect. Then p is that of their mean and spread, if it is smaller (with one
  seed: several give the replicates longer tails).
- Percentiles and p are those of Student's t for the number of utterances or speakers. Without
  this, the intervals of a bootstrap of few units are too narrow (Hesterberg, What teachers should
  know about the bootstrap, The American Statistician 69, 2015: expanded percentiles).
- Several seeds are averaged. Each replicate gives them random weights, so that the mean over S
  seeds varies as Student's t with S - 1 degrees of freedom. If three seeds were drawn with
  replacement, only 75 % of the 95 % intervals would contain the true value. Utterances and seeds
  are crossed, and their interaction is counted twice, which is conservative (Owen, The
  pigeonhole bootstrap, Annals of Applied Statistics 1, 2007).
- The p-values of several pairs are also adjusted (Holm, Scandinavian Journal of Statistics 6,
  1979).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from scipy.special import ndtr, ndtri, stdtr, stdtrit

LEVEL = 0.95
RESAMPLES = 20_000  # of many units, p goes down to 0.0001
SPEAKERS = 10  # from fewer speakers, utterances are drawn
UNKNOWN = "unknown"  # the speaker of an utterance whose speaker is not known
PARTS = 2_000  # more units are grouped into so many: the same spread, in less time
CELLS = 200_000  # weights in memory at a time

Interval = tuple[float, float]


@dataclass(frozen=True)
class Rate:
    """A system's error rate, the mean of its seeds, in per cent.

    None without reference tokens. The interval is None also with too few units.
    """

    percent: float | None
    interval: Interval | None


@dataclass(frozen=True)
class Pair:
    """How many fewer errors ``system`` makes than ``reference``.

    ``reduction`` is in per cent of the reference's errors: below 0 for more errors, None if the
    reference makes none. ``interval`` and ``p`` are None also with too few units. An end of
    ``interval`` may be infinite. ``p`` is two-sided; ``p_holm`` is adjusted for all pairs of the
    same comparison.
    """

    reference: str
    system: str
    reduction: float | None
    interval: Interval | None
    p: float | None
    p_holm: float | None = None


@dataclass(frozen=True)
class SystemComparison:
    """Systems on a test set, compared by drawing ``units`` of ``kind``: utterances or speakers."""

    kind: str
    units: int
    seeds: int
    resamples: int
    rates: dict[str, Rate]
    pairs: list[Pair]


def compare(
    errors: Mapping[str, np.ndarray],
    tokens: np.ndarray,
    speakers: Sequence[str] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> SystemComparison:
    """Compare every two systems; the first one of a pair is the reference.

    ``errors`` has an array (S, U) for each system: its errors with S seeds, in the same order,
    in U utterances. ``tokens`` (U,) are the reference tokens, ``speakers`` U names, if any.

    >>> errors = {"plain": np.array([4, 6, 5, 5] * 9), "cascade": np.array([3, 4, 3, 4] * 9)}
    >>> comparison = compare(errors, tokens=np.full(36, 10))
    >>> comparison.rates["plain"].percent, comparison.pairs[0].reduction
    (50.0, 30.0)
    >>> comparison.pairs[0].p < 0.001
    True
    """
    stack = np.stack([np.atleast_2d(e) for e in errors.values()])  # (K, S, U)
    systems, seeds, utterances = stack.shape
    if utterances != len(tokens) or not utterances:
        raise ValueError(f"errors {stack.shape} are not of {len(tokens)} utterances")
    columns = np.concatenate([stack.reshape(systems * seeds, -1), [tokens]])  # (K * S + 1, U)
    kind = "utterances"
    if speakers and len({*speakers}) >= SPEAKERS and UNKNOWN not in speakers:
        kind, columns = "speakers", _joined(columns, np.unique(speakers, return_inverse=True)[1])
    units = columns.shape[1]
    random = np.random.default_rng(seed)
    if units > PARTS:
        columns = _joined(columns, random.permutation(units) % PARTS)

    total = columns.sum(axis=1)
    by_seed = total[:-1].reshape(systems, seeds)
    mean = by_seed.mean(axis=1)  # (K,)
    share = by_seed / np.where(mean, mean, 1)[:, None]  # of a seed in the mean of its system
    drawn = np.concatenate(list(_resampled(columns, resamples, random)))  # (B, K * S + 1)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        logs = np.log(drawn[:, :-1].reshape(-1, systems, seeds).mean(axis=2))  # (B, K)
        logs += _noise(resamples, seeds, random) @ share.T
        rates = 100 * np.exp(logs) / drawn[:, -1:]
    names = list(errors)
    return SystemComparison(
        kind=kind,
        units=units,
        seeds=seeds,
        resamples=resamples,
        rates={
            name: Rate(float(100 * mean[k] / total[-1]), _interval(rates[:, k], units))
            if total[-1]
            else Rate(None, None)
            for k, name in enumerate(names)
        },
        pairs=_holm(
            [
                _pair(names[a], names[b], mean[[a, b]], logs[:, [a, b]], units, seeds)
                for a, b in combinations(range(systems), 2)
            ]
        ),
    )


def _joined(columns: np.ndarray, which: np.ndarray) -> np.ndarray:
    """Sum ``columns`` (C, U) over the utterances of each of G groups, ``which`` (U,): (C, G)."""
    sums = np.zeros((which.max() + 1, len(columns)), dtype=columns.dtype)
    np.add.at(sums, which, columns.T)
    return sums.T


def _resampled(
    columns: np.ndarray, resamples: int, random: np.random.Generator
) -> Iterator[np.ndarray]:
    """Yield sums of ``columns`` (C, U) over U units drawn with replacement: (b, C), b at a time.

    The sums are of integers, so they are exact in any order of addition.
    """
    units = columns.shape[1]
    values = columns.T.astype(np.float64)
    at_once = max(1, CELLS // units)
    for start in range(0, resamples, at_once):
        size = min(at_once, resamples - start)
        drawn = random.integers(0, units, (size, units))
        drawn += np.arange(size)[:, None] * units
        weights = np.bincount(drawn.reshape(-1), minlength=size * units)
        yield weights.reshape(size, units).astype(np.float64) @ values


def _noise(resamples: int, seeds: int, random: np.random.Generator) -> np.ndarray:
    """Return random weights of seeds (B, S) that add up to zero.

    The weighted sum of S numbers is distributed as the error of their mean: Student's t with
    S - 1 degrees of freedom, times the standard error.
    """
    if seeds == 1:
        return np.zeros((resamples, 1))
    normal = random.standard_normal((resamples, seeds))
    normal -= normal.mean(axis=1, keepdims=True)
    chi2 = random.chisquare(seeds - 1, (resamples, 1))
    return normal / np.sqrt(seeds * chi2)


def _pair(
    reference: str, system: str, errors: np.ndarray, logs: np.ndarray, units: int, seeds: int
) -> Pair:
    """Compare two systems, from their ``errors`` (2,) and replicates of the logarithm (B, 2)."""
    with np.errstate(invalid="ignore"):
        ratio = logs[:, 1] - logs[:, 0]
    ratio[np.isnan(ratio)] = 0.0  # neither makes an error
    before, after = errors.tolist()
    interval = None
    if before:
        with np.errstate(over="ignore"):
            interval = _interval(100 * (1 - np.exp(ratio)), units)
    return Pair(
        reference=reference,
        system=system,
        reduction=100 * (before - after) / before if before else None,
        interval=interval,
        p=_p_value(ratio, units, seeds),
    )


def _interval(replicates: np.ndarray, units: int) -> Interval | None:
    """Return percentiles; None with too few units.

    0 is in the interval if and only if `_p_value` returns 1 - `LEVEL` or more.
    """
    if units < 2 or np.isnan(replicates).any():
        return None
    share = ndtr(stdtrit(units - 1, (1 - LEVEL) / 2) * np.sqrt(units / (units - 1)))
    beyond = int(np.ceil(share * (len(replicates) + 1))) - 2  # replicates outside, at each end
    if beyond < 0:
        return None
    ordered = np.sort(replicates)
    return float(ordered[beyond]), float(ordered[-1 - beyond])


def _p_value(ratio: np.ndarray, units: int, seeds: int) -> float | None:
    """Return the two-sided p-value by Student's t; None with too few units."""
    if units < 2:
        return None
    opposite = min((ratio >= 0).sum(), (ratio <= 0).sum())
    share = min(0.5, (opposite + 1) / (len(ratio) + 1))
    p = _two_sided(ndtri(share), units)
    few = seeds == 1 and not opposite and p < 1 - LEVEL
    if few and np.isfinite(ratio).all() and (spread := ratio.std()):
        p = min(p, _two_sided(-abs(ratio.mean()) / spread, units))
    return p


def _two_sided(z: float, units: int) -> float:
    """Return the p-value of a difference that is ``-z`` bootstrap standard errors from 0."""
    return float(2 * stdtr(units - 1, z * np.sqrt((units - 1) / units)))


def _holm(pairs: Sequence[Pair]) -> list[Pair]:
    """Return the pairs with p-values adjusted by Holm's step-down method."""
    adjusted, highest = list(pairs), 0.0
    by_p = sorted((pair.p, i) for i, pair in enumerate(pairs) if pair.p is not None)
    for rank, (p, i) in enumerate(by_p):
        highest = max(highest, min(1.0, (len(by_p) - rank) * p))
        adjusted[i] = replace(pairs[i], p_holm=highest)
    return adjusted
