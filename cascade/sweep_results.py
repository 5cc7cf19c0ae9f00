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
from cascade.sweep_verdicts import Verdict, verdicts

RATES = ("WER", "WERc", "PER", "PERc")
SHOWN = {"PER": "phone errors", "WER": "word errors"}
FILES = ("sweep.json", "sweep_significance.json", "SWEEP.md", "sweep.svg")
Entry = Mapping[str, Any]  # a system of a point on a test set, as ``sweep.json`` has it


def entries(points: Iterable[Point]) -> list[Entry]:
    """An entry for each point, test set and system, in their order."""
    return [entry for point in points for entry in _entries(point)]


def write(folder: Path, points: Sequence[Point], planned: int) -> bool:
    """Writes the results of points into ``folder``; returns whether there is a new picture.

    What says the same already is left as it is, with the date and commit of its figures.
    """
    found = entries(points)
    texts = {"sweep.json": _as_json(found)}
    there = all((folder / name).is_file() for name in FILES)
    if there and (folder / "sweep.json").read_text(encoding="utf-8") == texts["sweep.json"]:
        return False
    from cascade.evaluate import environment

    judged = verdicts(points)
    about = environment(points[0].recipe)
    about = {key: value for key, value in about.items() if key != "target_minutes"}
    texts["sweep_significance.json"] = _as_json(judged)
    texts["SWEEP.md"] = markdown(points[0].recipe.name, points[0].key, found, judged, planned)
    texts["SWEEP.md"] += "\n## Environment\n\n"
    texts["SWEEP.md"] += "".join(f"- {k}: {' '.join(str(v).split())}\n" for k, v in about.items())
    for name, text in texts.items():
        write_text(folder / name, text)
    return True


def markdown(
    name: str, key: str, found: Sequence[Entry], judged: Sequence[Verdict], planned: int
) -> str:
    """The text of ``SWEEP.md``: a table for each test set and rate, a column each value."""
    seeds = ", ".join(map(str, sorted({entry["seed"] for entry in found})))
    count = len({(entry[key], entry["seed"]) for entry in found})
    parts = [
        f"# Sweep of {name} over {key}",
        f"{count} of {planned} points (a value and a seed). Error rates in per cent, phones (PER)"
        f" and words (WER), with insertions:\nthe mean over the seeds {seeds}, and in brackets"
        " the least and the most. *Fewer*: by how many per cent the\nsecond system makes fewer"
        " errors than the first, all seeds together, with the 95 % interval of a paired\n"
        "bootstrap over utterances and seeds (`cascade/significance.py`); bold where it leaves"
        " out 0.",
        "![Error rates of each system, with the spread over the seeds](sweep.svg)",
    ]
    for test in dict.fromkeys(entry["test"] for entry in found):
        parts.append(f"## {test}")
        of_test = [entry for entry in found if entry["test"] == test]
        for rate in SHOWN:
            told = [v for v in judged if (v["test"], v["rate"]) == (test, rate)]
            parts.append(_table(key, rate, of_test, told))
        parts.append(_oov(key, of_test))
    return "\n\n".join(parts) + "\n"


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


def _as_json(rows: Sequence[Mapping]) -> str:
    return json.dumps(rows, ensure_ascii=False, indent=2) + "\n"


def _entries(point: Point) -> list[Entry]:
    found = json.loads((point.layout.root / "results.json").read_text(encoding="utf-8"))
    told = number(point.recipe.target_minutes)
    spoken = _minutes(point)
    return [
        {
            "system": system,
            point.key: point.swept,
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
        with gzip.open(point.layout.cuts(dataset_key(point.recipe, dataset)), "rt") as cuts:
            seconds += sum(json.loads(cut)["duration"] for cut in cuts)
    return round(seconds / 60, 2)


def _table(key: str, rate: str, found: Sequence[Entry], judged: Sequence[Verdict]) -> str:
    """Systems by values, the mean of each and its spread; last, how pairs of systems differ."""
    values = list(dict.fromkeys(entry[key] for entry in found))
    rows = [[f"{rate}, %", *(label(key, value, found, " min") for value in values)], []]
    for system in dict.fromkeys(entry["system"] for entry in found):
        rates = by_value((e for e in found if e["system"] == system), key, rate)
        rows.append([system, *(_spread(rates.get(value, [])) for value in values)])
    for pair in dict.fromkeys((v["reference"], v["system"]) for v in judged):
        told = {v[key]: v for v in judged if (v["reference"], v["system"]) == pair}
        head = f"fewer {SHOWN[rate]}: {pair[1]} than {pair[0]}"
        rows.append([head, *(_verdict(told.get(value)) for value in values)])
    widths = [max(3, *(len(row[i]) for row in rows if row)) for i in range(len(rows[0]))]
    rows[1] = ["-" * width for width in widths]
    return "\n".join("| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in rows)


def _spread(rates: Sequence[float]) -> str:
    """``44.02 (43.10 to 45.31)``; one rate alone has no spread."""
    if not rates:
        return "n/a"
    mean = f"{statistics.mean(rates):.2f}"
    return mean if len(rates) == 1 else f"{mean} ({min(rates):.2f} to {max(rates):.2f})"


def _verdict(told: Verdict | None) -> str:
    """``3.1 % (-0.4 to 6.5)``, bold where the interval leaves out 0."""
    if told is None or told["reduction"] is None:
        return "n/a"
    low, high = told["interval"]
    text = f"{told['reduction']:.1f} %"
    if low is None or high is None:
        return text
    text += f" ({low:.1f} to {high:.1f})"
    return f"**{text}**" if low > 0 or high < 0 else text


def _oov(key: str, found: Sequence[Entry]) -> str:
    """The share of words that the vocabulary lacks: it grows with the training transcripts."""
    values = list(dict.fromkeys(entry[key] for entry in found))
    shares = (statistics.mean(e["oov"] for e in found if e[key] == value) for value in values)
    each = ", ".join(
        f"{share:.1f} % at {label(key, value, found, ' min')}"
        for value, share in zip(values, shares, strict=True)
    )
    return f"Words that the vocabulary lacks: {each}."
