"""The picture of a sweep: error rates against the swept value, for each system."""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cascade.report.figures import COLOURS, picture
from cascade.sweeps.results import SHOWN, Entry, by_value, label, minutes

TITLES = {"PER": "phone error rate, %", "WER": "word error rate, %"}
WIDE = 4.0  # the highest value by the lowest one, from which on the axis is logarithmic
LEAST = 5.0  # per cent that a panel spans at least


def draw(path: Path, key: str, entries: Sequence[Entry]) -> None:
    """Write an SVG: a row of panels for each test set, one for phones and one for words.

    A line connects the means over the seeds, a band shows the lowest and the highest, and each
    training is a dot. Values that are words are side by side, without lines.
    """
    tests = list(dict.fromkeys(entry["test"] for entry in entries))
    systems = list(dict.fromkeys(entry["system"] for entry in entries))
    places = _places(key, entries)
    joined = _on_a_scale(key, places)
    with picture(path, f"Sweep: {key}", 9, 0.9 + 2.9 * len(tests)) as figure:
        panels = figure.subplots(len(tests), len(SHOWN), squeeze=False)
        for row, test in zip(panels, tests, strict=True):
            for panel, rate in zip(row, SHOWN, strict=True):
                for number, system in enumerate(systems):
                    chosen = [e for e in entries if (e["test"], e["system"]) == (test, system)]
                    rates = by_value(chosen, key, rate)
                    offset = 0.0 if joined else 0.5 * ((number + 0.5) / len(systems) - 0.5)
                    at = [places[value] + offset for value in rates]
                    colour = COLOURS[number % len(COLOURS)]
                    _series(panel, at, list(rates.values()), system, colour, joined)
                panel.set_title(f"{test}: {TITLES[rate]}", loc="left", fontsize=10)
                _axis(panel, key, places, entries)
        for panel in panels[-1]:
            panel.set_xlabel("minutes of target speech" if key == "target_minutes" else key)
        figure.legend(
            *panels[0][0].get_legend_handles_labels(),
            loc="outside upper center",
            ncols=min(len(systems), 6),
            frameon=False,
        )


def _on_a_scale(key: str, values: Iterable[Any]) -> bool:
    """Return whether values are numbers on an axis, not words side by side."""
    return key == "target_minutes" or not any(isinstance(value, str) for value in values)


def _places(key: str, entries: Sequence[Entry]) -> Mapping[Any, float]:
    """Return the place of each value on the axis: its number or minutes; words in a row."""
    values = list(dict.fromkeys(entry[key] for entry in entries))
    if key == "target_minutes":
        return {value: minutes(value, entries) for value in values}
    if _on_a_scale(key, values):
        return {value: float(value) for value in values}
    return {value: float(place) for place, value in enumerate(values)}


def _series(
    panel: Any,
    at: Sequence[float],
    rates: Sequence[list[float]],
    system: str,
    colour: str,
    joined: bool,
) -> None:
    """Draw a system's rates, those of all seeds, at each of the places ``at``."""
    least, most = [min(each) for each in rates], [max(each) for each in rates]
    means = [statistics.mean(each) for each in rates]
    if joined:
        panel.fill_between(at, least, most, color=colour, alpha=0.15, linewidth=0)
    else:
        panel.vlines(at, least, most, color=colour, linewidth=1.8)
    style = "-o" if joined else "o"
    panel.plot(at, means, style, color=colour, linewidth=1.8, markersize=4.5, label=system)
    for place, each in zip(at, rates, strict=True):
        panel.plot([place] * len(each), each, "o", color=colour, markersize=3, alpha=0.45, mew=0)


def _axis(panel: Any, key: str, places: Mapping[Any, float], entries: Sequence[Entry]) -> None:
    """Set ticks at the values, a logarithmic axis for values far apart, and a fair scale."""
    least, most = min(places.values()), max(places.values())
    if not _on_a_scale(key, places):
        panel.set_xlim(least - 0.5, most + 0.5)
    elif least > 0 and most / least >= WIDE:
        panel.set_xscale("log")
        edge = math.exp(0.06 * math.log(most / least))
        panel.set_xlim(least / edge, most * edge)
    else:
        edge = 0.06 * (most - least) or 1.0
        panel.set_xlim(least - edge, most + edge)
    low, high = panel.get_ylim()
    if high - low < LEAST:  # noise must not look like an effect
        middle = (low + high) / 2
        panel.set_ylim(middle - LEAST / 2, middle + LEAST / 2)
    panel.set_xticks(list(places.values()), [label(key, value, entries) for value in places])
    panel.minorticks_off()
    panel.tick_params(length=0)
