"""The results of a sweep: ``sweep.json``, and the tables of ``SWEEP.md``."""

import gzip
import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cascade.report.differences import reduction_cell
from cascade.runtime.tables import markdown_table, paragraph
from cascade.scoring.speechbox import KEYS
from cascade.sweeps.plan import Point, as_number_or_word
from cascade.sweeps.significance import UNITS, SweepComparison

PAGE, FIGURES, JUDGED = "SWEEP.md", "sweep.json", "sweep_significance.json"
RATES = ("WER", "WERc", "PER", "PERc")
SHOWN = {"PER": "phones", "WER": "words"}
Entry = Mapping[str, Any]  # an entry of ``sweep.json``: a system of a point on a test set


def sweep_entries(points: Iterable[Point]) -> list[Entry]:
    """Return an entry for each point, test set and system, in their order."""
    return [entry for point in points for entry in _point_entries(point)]


def markdown(
    name: str,
    key: str,
    entries: Sequence[Entry],
    comparisons: Sequence[SweepComparison],
    planned: int,
) -> str:
    """Return the text of ``SWEEP.md``: a table for each test set and rate, a column each value.

    ``planned`` is the number of points of this sweep; those of an earlier one do not count.
    """
    seeds: dict[str, set[int]] = {}
    for entry in entries:
        seeds.setdefault(label(key, entry[key], entries, " min"), set()).add(entry["seed"])
    done = len({(str(e[key]), e["seed"]) for e in entries if "commit" not in e})
    drawn = " or ".join(sorted({c["drawn"] for c in comparisons}, reverse=True)) or "utterances"
    drawn += " and seeds" if any(c["seeds"] > 1 for c in comparisons) else ""
    parts = [
        f"# Sweep of {name} over {key}",
        f"{done} of {planned} points (a value and a seed) are done.",
        paragraph(
            "Rows of systems: error rates in per cent, insertions included."
            f" {mean_of(set().union(*seeds.values()))}"
        ),
        paragraph(
            "Rows of pairs: how many per cent fewer errors the first system makes than the"
            " second, all seeds together, with the 95 % interval of a paired bootstrap over"
            f" {drawn}. Bold: statistically significant (p below 0.05, adjusted for the pairs in"
            " one column of one table). `sweep_significance.json` has all p-values."
        ),
        *missing_seeds(seeds),
        *_of_earlier(key, entries),
        "![Error rates of each system, with the spread over the seeds](sweep.svg)",
    ]
    for test in dict.fromkeys(entry["test"] for entry in entries):
        parts.append(f"## {test}")
        of_test = [entry for entry in entries if entry["test"] == test]
        for rate, unit in SHOWN.items():
            of_unit = [c for c in comparisons if (c["test"], c["unit"]) == (test, unit)]
            parts.append(_table(key, rate, of_test, of_unit))
        parts.append(_oov(key, of_test))
    return "\n\n".join(parts)


def mean_of(seeds: Iterable[int]) -> str:
    """Return a sentence: over which seeds the figures of a table are the mean.

    >>> mean_of({2, 0, 1})
    'The mean over the seeds 0, 1, 2; in brackets the lowest and the highest.'
    >>> mean_of({0})
    'The seed is 0.'
    """
    every = listed(seeds)
    if "," not in every:
        return f"The seed is {every}."
    return f"The mean over the seeds {every}; in brackets the lowest and the highest."


def missing_seeds(seeds: Mapping[str, set[int]]) -> list[str]:
    """Return a paragraph about columns or settings that lack some seeds, if there are any."""
    every = set().union(*seeds.values())
    lacking = [f"{name} (only {listed(own)})" for name, own in seeds.items() if own != every]
    return [f"**Some seeds are missing**: {', '.join(lacking)}."] if lacking else []


def _of_earlier(key: str, entries: Sequence[Entry]) -> list[str]:
    """Return a paragraph about the columns of an earlier sweep, if there are any."""
    made: dict[str, list[str]] = {}
    for entry in entries:
        if "commit" in entry:
            made.setdefault(entry["commit"], []).append(label(key, entry[key], entries, " min"))
    each = [f"{', '.join(dict.fromkeys(names))} (commit {c})" for c, names in made.items()]
    return [paragraph(f"Of an earlier sweep: {'; '.join(each)}.")] if each else []


def listed(seeds: Iterable[int]) -> str:
    """Return seeds as text: ``0, 1, 2``."""
    return ", ".join(map(str, sorted(seeds)))


def label(key: str, value: Any, entries: Sequence[Entry], unit: str = "") -> str:
    """Return a swept value as it is shown; minutes as ``15``, ``15 min``, ``all (80 min)``."""
    if key != "target_minutes":
        return str(value)
    if isinstance(value, str):
        return f"{value} ({minutes(value, entries):.0f}{unit})"
    return f"{value}{unit}"


def minutes(value: Any, entries: Sequence[Entry]) -> float:
    """Return the minutes of target speech for a value of ``target_minutes``: the seeds' mean."""
    return statistics.mean(e["minutes"] for e in entries if e["target_minutes"] == value)


def by_value(entries: Iterable[Entry], key: str, rate: str) -> dict[Any, list[float]]:
    """Return the rates of one system on one test set by swept value, in the order of entries."""
    rates: dict[Any, list[float]] = {}
    for entry in entries:
        if entry[rate] is not None:
            rates.setdefault(entry[key], []).append(entry[rate])
    return rates


def _point_entries(point: Point) -> list[Entry]:
    """Return the entries of one point, from its ``results.json``."""
    results = json.loads((point.layout.root / "results.json").read_text(encoding="utf-8"))
    spoken = _minutes(point)
    return [
        {
            "system": system,
            **point.swept,
            "target_minutes": as_number_or_word(point.recipe.target_minutes),
            "minutes": spoken,
            "seed": results["seed"],
            "test": test,
            "oov": result["oov"],
            **{key.replace(" ", "_"): values[key.replace(" ", "_")] for key in KEYS},
            **{key: values[key] for key in RATES},
        }
        for test, result in results["tests"].items()
        for system, values in result["systems"].items()
    ]


def _minutes(point: Point) -> float:
    """Return the minutes of the target's training speech in the point's manifests."""
    seconds = 0.0
    for dataset in point.recipe.role("train"):
        with gzip.open(point.layout.cuts(point.experiment.dataset_key(dataset)), "rt") as cuts:
            seconds += sum(json.loads(cut)["duration"] for cut in cuts)
    return round(seconds / 60, 2)


def _table(
    key: str, rate: str, entries: Sequence[Entry], comparisons: Sequence[SweepComparison]
) -> str:
    """Return systems by values, the mean and spread of each; then the pairs of systems."""
    values = list(dict.fromkeys(entry[key] for entry in entries))
    rows = [(f"{rate}, %", *(label(key, value, entries, " min") for value in values))]
    for system in dict.fromkeys(entry["system"] for entry in entries):
        rates = by_value((e for e in entries if e["system"] == system), key, rate)
        rows.append((system, *(spread(rates.get(value, [])) for value in values)))
    pairs = {c[key]: {(p["reference"], p["system"]): p for p in c["pairs"]} for c in comparisons}
    for pair in dict.fromkeys(pair for of_value in pairs.values() for pair in of_value):
        title = f"fewer {UNITS[SHOWN[rate]]}: {pair[1]} than {pair[0]}"
        rows.append((title, *(reduction_cell(pairs.get(value, {}).get(pair)) for value in values)))
    return markdown_table(rows)


def spread(rates: Sequence[float]) -> str:
    """Return ``44.02 (43.10 to 45.31)``: mean, lowest, highest; for one rate only the rate."""
    if not rates:
        return "n/a"
    mean = f"{statistics.mean(rates):.2f}"
    return mean if len(rates) == 1 else f"{mean} ({min(rates):.2f} to {max(rates):.2f})"


def _oov(key: str, entries: Sequence[Entry]) -> str:
    """Return the share of out-of-vocabulary words at each value, in a sentence."""
    values = list(dict.fromkeys(entry[key] for entry in entries))
    shares = (statistics.mean(e["oov"] for e in entries if e[key] == value) for value in values)
    each = ", ".join(
        f"{share:.1f} % at {label(key, value, entries, ' min')}"
        for value, share in zip(values, shares, strict=True)
    )
    return f"Out-of-vocabulary words: {each}."
