"""The section on training: learning curves, best steps, and how fast it went."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cascade.html.headline import language_name
from cascade.report.training_curves import read_history

POINTS = 400  # of a curve; of more, evenly spread ones are shown


def curves(folders: Mapping[str, Path]) -> list[dict[str, Any]]:
    """Return the learning curves of systems: a panel for PER on valid, one for each stream's loss.

    ``folders`` are those of the systems.
    """
    histories = {system: _thinned(read_history(folder)) for system, folder in folders.items()}
    streams = dict.fromkeys(name for rows in histories.values() for name in rows[0]["loss"])
    panels = [_panel("valid", "Phone error rate on valid, %", histories, "valid_per", None)]
    panels.append(
        _panel("valid_loss", "Loss on valid, nats a phone", histories, "valid_loss", None)
    )
    for name in streams:
        title = f"Loss on {language_name(name)}, nats a phone"
        panels.append(_panel(name, title, histories, "loss", name))
    return panels


def _panel(
    name: str,
    title: str,
    histories: Mapping[str, Sequence[Mapping[str, Any]]],
    field: str,
    stream: str | None,
) -> dict[str, Any]:
    """Return a panel: a point for each system and validation, and the best step of each system."""
    points, best = [], []
    for system, rows in histories.items():
        chosen = min(rows, key=lambda row: row["valid_per"])["step"]
        for row in rows:
            value = row[field].get(stream) if stream else row[field]
            if value is not None and math.isfinite(value):
                point = {"system": system, "step": row["step"], "value": round(value, 4)}
                points.append(point)
                if row["step"] == chosen:
                    best.append(point)
    return {"name": name, "title": title, "points": points, "best": best}


def _thinned(rows: Sequence[Any]) -> list[Any]:
    """Return at most about `POINTS` rows, the best one and the last one among them."""
    every = max(1, len(rows) // POINTS)
    best = min(range(len(rows)), key=lambda i: rows[i]["valid_per"])
    return [r for i, r in enumerate(rows) if i % every == 0 or i in (best, len(rows) - 1)]


def summary(results: Mapping[str, Any], folders: Mapping[str, Path]) -> list[list[str]]:
    """Return a row for each system: best step, steps, PER on valid, learning rate, speed."""
    table = []
    for system, folder in folders.items():
        rows, figures = read_history(folder), results["training"].get(system, {})
        speed = speeds(folder)
        table.append(
            [
                system,
                f"{figures.get('best_step', 0):,} of {rows[-1]['step']:,}",
                f"{rows[-1]['epoch']:,}",
                f"{figures['valid_per']:.2f}" if "valid_per" in figures else "n/a",
                f"{max(row['learning_rate'] for row in rows):.2g}",
                f"{sum(speed) / len(speed):.1f}" if speed else "not recorded",
            ]
        )
    return table


def speeds(folder: Path) -> list[float]:
    """Return the utterances a second between validations, as the training has recorded them.

    Three lines of ``speed.jsonl``::

        {"step": 200, "seconds": 41.2, "utterances_per_s": 96.1}
        {"step": 400, "seconds": 82.0, "utterances_per_s": 97.4}
        {"step": 600, "seconds": 123.1, "utterances_per_s": 96.6}
    """
    try:
        lines = (folder / "speed.jsonl").read_text(encoding="utf-8").splitlines()
        return [float(json.loads(line)["utterances_per_s"]) for line in lines]
    except (OSError, ValueError, KeyError, TypeError):
        return []  # of an older version, or cut short: no result depends on it


def ablations(results: Mapping[str, Any]) -> list[list[str]]:
    """Return a row for each part of each system: PER on valid without it."""
    return [
        [system, part, f"{per:.2f}"]
        for system, figures in results["training"].items()
        for part, per in figures.get("ablation", {}).items()
    ]
