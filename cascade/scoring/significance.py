"""Which difference of error rates can be told: intervals, and a paired test of all systems.

The paired bootstrap of Bisani and Ney (Bootstrap estimates for confidence intervals in ASR
performance evaluation, ICASSP 2004): utterances are drawn with replacement, the same ones
for every system. Where a test set has `SPEAKERS` speakers or more, speakers are drawn, as
one speaker's utterances go well or badly together.

- Rates are compared by their ratio. Its replicates give the interval (percentiles) and the
  p-value (twice the share of them on the far side of "no change"), so the interval leaves
  out 0 if and only if p is below 0.05.
- Percentiles and p are those of Student's t for the number of utterances or speakers:
  without that, a bootstrap of few is too sure (Hesterberg, What teachers should know about
  the bootstrap, The American Statistician 69, 2015: expanded percentiles).
- Several seeds: they are averaged, and each replicate weighs them at random, such that the
  mean over seeds varies as Student's t with S - 1 degrees of freedom. Drawing three seeds
  with replacement would give intervals that hold in 75 % of cases. Utterances and seeds are
  crossed, and what is particular to both is counted twice, on the safe side (Owen, The
  pigeonhole bootstrap, Annals of Applied Statistics 1, 2007).
- Of several pairs, p-values are adjusted as well (Holm, Scandinavian Journal of Statistics
  6, 1979).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from scipy.special import ndtr, ndtri, stdtr, stdtrit

LEVEL = 0.95
RESAMPLES = 20_000  # p goes down to 0.0001
SPEAKERS = 10  # fewer are too few to draw from
PARTS = 2_000  # what more units than these are dealt out into: the same spread, in less time
CELLS = 200_000  # of the weights that are held at once

Interval = tuple[float, float]


@dataclass(frozen=True)
class Rate:
    """A system's error rate, the mean of its seeds, in per cent.

    None without reference tokens; the interval also where too few units were drawn from.
    """

    percent: float | None
    interval: Interval | None


@dataclass(frozen=True)
class Pair:
    """How many fewer errors ``system`` makes than ``reference``.

    ``reduction`` is in per cent of the reference's errors, below 0 where there are more;
    None where the reference makes none; ``interval`` and ``p`` are None also where too few
    units were drawn from. An end of ``interval`` may be infinite. ``p`` is
    two-sided; ``p_holm`` is adjusted for all pairs of the same comparison.
    """

    reference: str
    system: str
    reduction: float | None
    interval: Interval | None
    p: float | None
    p_holm: float | None = None


@dataclass(frozen=True)
class Comparison:
    """Systems on a test set. ``units`` of ``kind``, "utterances" or "speakers", were drawn."""

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
) -> Comparison:
    """Compares every two systems, the one that stands first as the reference.

    ``errors``: (S, U) by system, the errors of S seeds in U utterances, a row the same seed
    in all of them; ``tokens``: (U,) reference tokens; ``speakers``: U names, where known.
    """
    stack = np.stack([np.atleast_2d(e) for e in errors.values()])  # (K, S, U)
    systems, seeds, utterances = stack.shape
    if utterances != len(tokens) or not utterances:
        raise ValueError(f"errors {stack.shape} do not belong to {len(tokens)} utterances")
    columns = np.concatenate([stack.reshape(systems * seeds, -1), [tokens]])  # (K * S + 1, U)
    kind = "utterances"
    if speakers is not None and len(set(speakers)) >= SPEAKERS:
        kind, columns = "speakers", _joined(columns, np.unique(speakers, return_inverse=True)[1])
    units = columns.shape[1]
    random = np.random.default_rng(seed)
    if units > PARTS:
        columns = _joined(columns, random.permutation(units) % PARTS)

    total = columns.sum(axis=1)
    by_seed = total[:-1].reshape(systems, seeds)
    mean = by_seed.mean(axis=1)  # (K,)
    share = by_seed / np.where(mean, mean, 1)[:, None]  # of a seed in its system
    drawn = np.concatenate(list(_resampled(columns, resamples, random)))  # (B, K * S + 1)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        logs = np.log(drawn[:, :-1].reshape(-1, systems, seeds).mean(axis=2))  # (B, K)
        logs += _noise(resamples, seeds, random) @ share.T
        rates = 100 * np.exp(logs) / drawn[:, -1:]
    names = list(errors)
    return Comparison(
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
                _pair(names[a], names[b], mean[[a, b]], logs[:, [a, b]], units)
                for a, b in combinations(range(systems), 2)
            ]
        ),
    )


def _joined(columns: np.ndarray, which: np.ndarray) -> np.ndarray:
    """Sums (C, U) over the utterances of each of G groups, ``which`` (U,): (C, G)."""
    sums = np.zeros((len(columns), which.max() + 1), dtype=columns.dtype)
    np.add.at(sums, (slice(None), which), columns)
    return sums


def _resampled(
    columns: np.ndarray, resamples: int, random: np.random.Generator
) -> Iterator[np.ndarray]:
    """Sums of ``columns`` (C, U) over U units drawn with replacement: (b, C), b by b.

    Whole numbers, so exact, in whatever order a machine adds them.
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
    """(B, S) random weights of seeds, zero in sum.

    The weighted sum of S numbers has the spread of their mean: Student's t with S - 1
    degrees of freedom, times their standard error.
    """
    if seeds == 1:
        return np.zeros((resamples, 1))
    normal = random.standard_normal((resamples, seeds))
    normal -= normal.mean(axis=1, keepdims=True)
    chi2 = random.chisquare(seeds - 1, (resamples, 1))
    return normal / np.sqrt(seeds * chi2)


def _pair(reference: str, system: str, errors: np.ndarray, logs: np.ndarray, units: int) -> Pair:
    """Compares two systems: ``errors`` (2,), and (B, 2) replicates of their logarithm."""
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
        p=_p_value(ratio, units),
    )


def _interval(replicates: np.ndarray, units: int) -> Interval | None:
    """Percentiles; None where so few units say nothing of others.

    0 is in the interval just where `_p_value` gives 1 - `LEVEL` or more.
    """
    if units < 2 or np.isnan(replicates).any():
        return None
    share = ndtr(stdtrit(units - 1, (1 - LEVEL) / 2) * np.sqrt(units / (units - 1)))
    beyond = int(np.ceil(share * (len(replicates) + 1))) - 2  # replicates left out at an end
    if beyond < 0:
        return None
    ordered = np.sort(replicates)
    return float(ordered[beyond]), float(ordered[-1 - beyond])


def _p_value(ratio: np.ndarray, units: int) -> float | None:
    """Two-sided: what share of the replicates says the contrary, as Student's t has it."""
    if units < 2:
        return None
    contrary = min((ratio >= 0).sum(), (ratio <= 0).sum())
    share = min(0.5, (contrary + 1) / (len(ratio) + 1))
    return float(2 * stdtr(units - 1, ndtri(share) * np.sqrt((units - 1) / units)))


def _holm(pairs: Sequence[Pair]) -> list[Pair]:
    """Adds the p-values that Holm's step-down method adjusts for all pairs."""
    adjusted, highest = list(pairs), 0.0
    known = [i for i, pair in enumerate(pairs) if pair.p is not None]
    for rank, i in enumerate(sorted(known, key=lambda i: pairs[i].p)):
        highest = max(highest, min(1.0, (len(known) - rank) * pairs[i].p))
        adjusted[i] = replace(pairs[i], p_holm=highest)
    return adjusted
