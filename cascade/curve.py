"""The picture of a sweep: error rates against the swept value, for each system."""

import math
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cascade.files import replacing_path
from cascade.plan import number
from cascade.sweep_results import SHOWN, Entry, by_value, label, minutes

COLOURS = ("#b45309", "#1d4ed8", "#047857", "#7c3aed", "#be123c", "#475569", "#0e7490", "#a16207")
TITLES = {"PER": "phone error rate, %", "WER": "word error rate, %"}
WIDE = 4.0  # the greatest value by the least one, from which on the axis is logarithmic
STYLE = {
    "svg.hashsalt": "cascade",  # the same ids, and so the same bytes, every time
    "font.family": "DejaVu Sans",  # Matplotlib brings it
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#666666",
    "axes.labelcolor": "#333333",
    "text.color": "#222222",
    "xtick.color": "#444444",
    "ytick.color": "#444444",
    "axes.grid": True,
    "grid.color": "#e2e2e2",
}


def draw(path: Path, key: str, found: Sequence[Entry]) -> None:
    """Writes an SVG: a row of panels for each test set, one for phones and one for words.

    A line goes through the means over the seeds, a band from the least to the most, and
    each training is a dot.
    """
    import matplotlib
    from matplotlib.figure import Figure

    tests = list(dict.fromkeys(entry["test"] for entry in found))
    systems = list(dict.fromkeys(entry["system"] for entry in found))
    places = _places(key, found)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(9, 0.9 + 2.9 * len(tests)), layout="constrained")
        panels = figure.subplots(len(tests), len(SHOWN), squeeze=False)
        for row, test in zip(panels, tests, strict=True):
            for panel, rate in zip(row, SHOWN, strict=True):
                of_test = [entry for entry in found if entry["test"] == test]
                for system, colour in zip(systems, _colours(len(systems)), strict=True):
                    mine = [entry for entry in of_test if entry["system"] == system]
                    _line(panel, by_value(mine, key, rate), places, system, colour)
                panel.set_title(f"{test}: {TITLES[rate]}", loc="left", fontsize=10)
                _axis(panel, key, places, found)
        for panel in panels[-1]:
            panel.set_xlabel("minutes of target speech" if key == "target_minutes" else key)
        lines = panels[0][0].get_lines()
        figure.legend(
            [line for line in lines if line.get_linestyle() == "-"],
            systems,
            loc="outside upper center",
            ncols=min(len(systems), 4),
            frameon=False,
        )
        with replacing_path(path) as beside:
            figure.savefig(beside, format="svg", metadata={"Date": None, "Title": f"Sweep: {key}"})


def _colours(count: int) -> list[str]:
    return [COLOURS[i % len(COLOURS)] for i in range(count)]


def _places(key: str, found: Sequence[Entry]) -> Mapping[Any, float]:
    """Where each value stands on the axis: its number, its minutes; else one by one."""
    values = list(dict.fromkeys(entry[key] for entry in found))
    if key == "target_minutes":
        return {value: minutes(value, found) for value in values}
    if all(number(str(value)) is not None for value in values):
        return {value: float(value) for value in values}
    return {value: float(place) for place, value in enumerate(values)}


def _line(panel: Any, rates: Mapping[Any, list[float]], places, system: str, colour: str) -> None:
    x = [places[value] for value in rates]
    panel.fill_between(
        x,
        [min(r) for r in rates.values()],
        [max(r) for r in rates.values()],
        color=colour,
        alpha=0.15,
        linewidth=0,
    )
    means = [statistics.mean(r) for r in rates.values()]
    panel.plot(x, means, "-o", color=colour, linewidth=1.8, markersize=4.5, label=system)
    for place, each in zip(x, rates.values(), strict=True):
        panel.plot([place] * len(each), each, "o", color=colour, markersize=3, alpha=0.45, mew=0)


def _axis(panel: Any, key: str, places: Mapping[Any, float], found: Sequence[Entry]) -> None:
    """Ticks where there are figures; a logarithmic axis for values far apart."""
    least, most = min(places.values()), max(places.values())
    numeric = key == "target_minutes" or all(number(str(v)) is not None for v in places)
    if numeric and least > 0 and most / least >= WIDE:
        panel.set_xscale("log")
        edge = math.exp(0.06 * math.log(most / least))
        panel.set_xlim(least / edge, most * edge)
    else:
        edge = 0.06 * (most - least) or 1.0
        panel.set_xlim(least - edge, most + edge)
    panel.set_xticks(list(places.values()), [label(key, value, found) for value in places])
    panel.minorticks_off()
    panel.tick_params(length=0)
