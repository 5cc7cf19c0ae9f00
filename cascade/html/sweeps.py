"""The section on sweeps: error rates against the swept value, with the spread over seeds."""

import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cascade.runtime.errors import UserError

FILE = "sweep.json"
PAGE = "sweep.html"  # in exp/NAME
KNOWN = {"system", "minutes", "seed", "test"}
RATES = {"phones": "PER", "words": "WER"}


def read_sweep(folder: Path) -> list[dict[str, Any]] | None:
    """Read the figures of a sweep beside its recipe; None if there are none.

    Raises `UserError` for a damaged file.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        swept_key(entries)
    except (OSError, ValueError, KeyError, TypeError, StopIteration):
        raise UserError(f"{path} is damaged. Run the sweep again.") from None
    return entries


def swept_key(entries: Sequence[Mapping[str, Any]]) -> str:
    """Return the swept key: the first one that is not of every entry of every sweep."""
    return next(key for key in entries[0] if key not in KNOWN)


def section(entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a row for each training and unit, and the means with the lowest and the highest.

    ``x`` is a number: that of the value, minutes, or the place of a word.
    """
    key = swept_key(entries)
    values = list(dict.fromkeys(entry[key] for entry in entries))
    worded = key != "target_minutes" and any(isinstance(value, str) for value in values)
    rows: list[dict[str, Any]] = []
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for entry in entries:
        swept = entry["minutes"] if key == "target_minutes" else entry[key]
        place = values.index(entry[key]) if worded else swept
        for unit, rate in RATES.items():
            row = {
                **{name: entry[name] for name in ("test", "system", "seed")},
                "unit": unit,
                "value": str(entry[key]),
                "x": place,
                "rate": entry[rate],
            }
            rows.append(row)
            group = (row["test"], row["system"], unit, row["value"])
            groups.setdefault(group, []).append(row)
    means = []
    for (test, system, unit, value), some in groups.items():
        found = [row["rate"] for row in some]
        means.append(
            {
                **{"test": test, "system": system, "unit": unit, "value": value},
                "x": round(statistics.mean(row["x"] for row in some), 3),
                "mean": round(statistics.mean(found), 4),
                "low": min(found),
                "high": max(found),
                "seeds": len(found),
            }
        )
    return {"key": key, "words": worded, "rows": rows, "means": means, "values": values}


def table(figures: Mapping[str, Any]) -> list[list[str]]:
    """Return a row for each mean."""
    return [
        [
            *(mean["test"], mean["system"], mean["unit"], mean["value"]),
            f"{mean['mean']:.2f}",
            f"{mean['low']:.2f} to {mean['high']:.2f}",
            str(mean["seeds"]),
        ]
        for mean in figures["means"]
    ]
