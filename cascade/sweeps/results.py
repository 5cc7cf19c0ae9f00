"""What the points of a sweep gave: a row each, and tables with the spread over seeds."""

import gzip
import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cascade.report.differences import reduction_cell
from cascade.runtime.tables import markdown_table
from cascade.scoring.speechbox import KEYS
from cascade.sweeps.plan import Point, number
from cascade.sweeps.verdicts import UNITS, Judged

RATES = ("WER", "WERc", "PER", "PERc")
SHOWN = {"PER": "phones", "WER": "words"}
Entry = Mapping[str, Any]  # a system of a point on a test set, as ``sweep.json`` has it


def entries(points: Iterable[Point]) -> list[Entry]:
    """An entry for each point, test set and system, in their order."""
    return [entry for point in points for entry in _entries(point)]


def markdown(
    name: str,
    key: str,
    found: Sequence[Entry],
    judged: Sequence[Judged],
    planned: int,
) -> str:
    """The text of ``SWEEP.md``: a table for each test set and rate, a column each value."""
    seeds: dict[str, set[int]] = {}
    for entry in found:
        seeds.setdefault(label(key, entry[key], found, " min"), set()).add(entry["seed"])
    every = listed(set().union(*seeds.values()))
    drawn = " or ".join(sorted({one["drawn"] for one in judged}, reverse=True)) or "utterances"
    drawn += " and seeds" if any(one["seeds"] > 1 for one in judged) else ""
    parts = [
        f"# Sweep of {name} over {key}",
        f"{sum(map(len, seeds.values()))} of {planned} points (a value and a seed). Error rates in"
        f" per cent, insertions counted: the mean over the seeds {every},"
        "\nand in brackets the least and the most."
        " *Fewer*: by how many per cent a system makes fewer errors than another, all\nseeds"
        f" together, with the 95 % interval of a paired bootstrap over {drawn}; bold"
        " where a difference can\nbe told (p below 0.05, adjusted for the pairs of one column of"
        " one table; `sweep_significance.json` has it all).",
        *without_a_seed(seeds),
        "![Error rates of each system, with the spread over the seeds](sweep.svg)",
    ]
    for test in dict.fromkeys(entry["test"] for entry in found):
        parts.append(f"## {test}")
        of_test = [entry for entry in found if entry["test"] == test]
        for rate, unit in SHOWN.items():
            told = [one for one in judged if (one["test"], one["unit"]) == (test, unit)]
            parts.append(_table(key, rate, of_test, told))
        parts.append(_oov(key, of_test))
    return "\n\n".join(parts)


def without_a_seed(seeds: Mapping[str, set[int]]) -> list[str]:
    """A paragraph on the columns, or settings, that lack some of the seeds; none if none does."""
    every = set().union(*seeds.values())
    lacking = [f"{name} ({listed(mine)})" for name, mine in seeds.items() if mine != every]
    return [f"**Not yet of all seeds**: {', '.join(lacking)}."] if lacking else []


def listed(seeds: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(seeds)))


def label(key: str, value: Any, found: Sequence[Entry], unit: str = "") -> str:
    """How a swept value is shown: of minutes ``15``, ``15 min``, ``all (80 min)``."""
    if key != "target_minutes":
        return str(value)
    if isinstance(value, str):
        return f"{value} ({minutes(value, found):.0f}{unit})"
    return f"{value}{unit}"


def minutes(value: Any, found: Sequence[Entry]) -> float:
    """The minutes of target speech that a value of ``target_minutes`` gave: the seeds' mean."""
    return statistics.mean(e["minutes"] for e in found if e["target_minutes"] == value)


def by_value(found: Iterable[Entry], key: str, rate: str) -> dict[Any, list[float]]:
    """The rates of one system on one test set, for each swept value, in their order."""
    rates: dict[Any, list[float]] = {}
    for entry in found:
        if entry[rate] is not None:
            rates.setdefault(entry[key], []).append(entry[rate])
    return rates


def _entries(point: Point) -> list[Entry]:
    found = json.loads((point.layout.root / "results.json").read_text(encoding="utf-8"))
    told = number(point.recipe.target_minutes)
    spoken = _minutes(point)
    return [
        {
            "system": system,
            **point.swept,
            "target_minutes": point.recipe.target_minutes if told is None else told,
            "minutes": spoken,
            "seed": found["seed"],
            "test": test,
            "oov": result["oov"],
            **{key.replace(" ", "_"): values[key.replace(" ", "_")] for key in KEYS},
            **{key: values[key] for key in RATES},
        }
        for test, result in found["tests"].items()
        for system, values in result["systems"].items()
    ]


def _minutes(point: Point) -> float:
    """The minutes of the target's training speech, as the point's manifests have it."""
    seconds = 0.0
    for dataset in point.recipe.role("train"):
        with gzip.open(point.layout.cuts(point.experiment.dataset_key(dataset)), "rt") as cuts:
            seconds += sum(json.loads(cut)["duration"] for cut in cuts)
    return round(seconds / 60, 2)


def _table(key: str, rate: str, found: Sequence[Entry], judged: Sequence[Judged]) -> str:
    """Systems by values, the mean of each and its spread; last, how pairs of systems differ."""
    values = list(dict.fromkeys(entry[key] for entry in found))
    rows = [(f"{rate}, %", *(label(key, value, found, " min") for value in values))]
    for system in dict.fromkeys(entry["system"] for entry in found):
        rates = by_value((e for e in found if e["system"] == system), key, rate)
        rows.append((system, *(spread(rates.get(value, [])) for value in values)))
    pairs = {one[key]: {(p["reference"], p["system"]): p for p in one["pairs"]} for one in judged}
    for pair in dict.fromkeys(pair for of_value in pairs.values() for pair in of_value):
        title = f"fewer {UNITS[SHOWN[rate]]}, {pair[1]} than {pair[0]}"
        rows.append((title, *(reduction_cell(pairs.get(value, {}).get(pair)) for value in values)))
    return markdown_table(rows)


def spread(rates: Sequence[float]) -> str:
    """``44.02 (43.10 to 45.31)``; one rate alone has no spread."""
    if not rates:
        return "n/a"
    mean = f"{statistics.mean(rates):.2f}"
    return mean if len(rates) == 1 else f"{mean} ({min(rates):.2f} to {max(rates):.2f})"


def _oov(key: str, found: Sequence[Entry]) -> str:
    """The share of words that the vocabulary lacks: it grows with the training transcripts."""
    values = list(dict.fromkeys(entry[key] for entry in found))
    shares = (statistics.mean(e["oov"] for e in found if e[key] == value) for value in values)
    each = ", ".join(
        f"{share:.1f} % at {label(key, value, found, ' min')}"
        for value, share in zip(values, shares, strict=True)
    )
    return f"Words that the vocabulary lacks: {each}."
