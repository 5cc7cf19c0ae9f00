"""What the points of a sweep gave: ``sweep.json``, and tables with the spread over seeds."""

import gzip
import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cascade.files import write_text
from cascade.layout import dataset_key
from cascade.plan import Point, number
from cascade.speechbox import KEYS

RATES = ("WER", "WERc", "PER", "PERc")
SHOWN = ("PER", "WER")
Entry = Mapping[str, Any]  # a system of a point on a test set, as ``sweep.json`` has it


def entries(points: Iterable[Point]) -> list[Entry]:
    """An entry for each point, test set and system, in their order."""
    return [entry for point in points for entry in _entries(point)]


def write(folder: Path, points: Sequence[Point], planned: int) -> bool:
    """Writes ``sweep.json`` and ``SWEEP.md`` into ``folder``; returns whether that was due.

    What says the same already is left as it is, with the date and commit of its figures.
    """
    if not points:
        return False
    found = entries(points)
    text = json.dumps(found, ensure_ascii=False, indent=2) + "\n"
    old = folder / "sweep.json"
    names = ("sweep.json", "SWEEP.md", "sweep.svg")
    if all((folder / n).is_file() for n in names) and old.read_text(encoding="utf-8") == text:
        return False
    from cascade.evaluate import environment

    about = environment(points[0].recipe)
    about = {key: value for key, value in about.items() if key != "target_minutes"}
    write_text(old, text)
    write_text(folder / "SWEEP.md", markdown(points[0], found, planned, about))
    return True


def markdown(point: Point, found: Sequence[Entry], planned: int, about: Mapping[str, str]) -> str:
    """The text of ``SWEEP.md``: a table for each test set and rate, a column each value."""
    key = point.key
    seeds = sorted({entry["seed"] for entry in found})
    count = len({(entry[key], entry["seed"]) for entry in found})
    parts = [
        f"# Sweep of {point.recipe.name} over {key}",
        f"{count} of {planned} points. Means over the seeds {', '.join(map(str, seeds))}, with the"
        " least and the most in brackets, in per cent;\nPER is of phones, WER of words, both with"
        " insertions.",
        "![Error rates of each system, with the spread over the seeds](sweep.svg)",
    ]
    for test in dict.fromkeys(entry["test"] for entry in found):
        parts.append(f"## {test}")
        parts += [_table(key, rate, [e for e in found if e["test"] == test]) for rate in SHOWN]
    lines = [f"- {name}: {' '.join(str(value).split())}\n" for name, value in about.items()]
    return "\n\n".join([*parts, "## Environment", "".join(lines)])


def label(key: str, value: Any, found: Sequence[Entry]) -> str:
    """How a swept value is shown: ``all`` of the minutes with how many those are."""
    if key == "target_minutes" and number(str(value)) is None:
        return f"{value} ({minutes(value, found):.0f})"
    return str(value)


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
    keys = (*(key.replace(" ", "_") for key in KEYS), *RATES)
    value = number(point.value)
    told = number(point.recipe.target_minutes)
    return [
        {
            "system": system,
            point.key: point.value if value is None else value,
            "target_minutes": point.recipe.target_minutes if told is None else told,
            "minutes": _minutes(point),
            "seed": found["seed"],
            "test": test,
            "oov": result.get("oov"),
            **{key: values[key] for key in keys},
        }
        for test, result in found["tests"].items()
        for system, values in result["systems"].items()
    ]


def _minutes(point: Point) -> float:
    """The minutes of the target's training speech, as the point's manifests have it."""
    seconds = 0.0
    for dataset in point.recipe.role("train"):
        with gzip.open(point.layout.cuts(dataset_key(point.recipe, dataset)), "rt") as cuts:
            seconds += sum(json.loads(cut)["duration"] for cut in cuts)
    return round(seconds / 60, 2)


def _table(key: str, rate: str, found: Sequence[Entry]) -> str:
    """Systems by values, the mean of each and its spread; last, what a cascade gains."""
    values = list(dict.fromkeys(entry[key] for entry in found))
    head = [f"{rate}, %", *(label(key, value, found) for value in values)]
    rows = [head, ["---"] * len(head)]
    for system in dict.fromkeys(entry["system"] for entry in found):
        rates = by_value((e for e in found if e["system"] == system), key, rate)
        rows.append([system, *(_spread(rates.get(value, [])) for value in values)])
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    rows[1] = ["-" * width for width in widths]
    return "\n".join("| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in rows)


def _spread(rates: Sequence[float]) -> str:
    """``44.02 (43.10 to 45.31)``; one rate alone has no spread."""
    if not rates:
        return "n/a"
    mean = f"{statistics.mean(rates):.2f}"
    return mean if len(rates) == 1 else f"{mean} ({min(rates):.2f} to {max(rates):.2f})"
