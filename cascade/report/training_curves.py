"""How systems were trained: their best steps, their ablations and their learning curves."""

import json
from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

from cascade.report.figures import COLOURS, picture
from cascade.runtime.errors import UserError

LINES = ("-", "--", ":", "-.")  # languages, the target's first


def read_history(folder: Path) -> list[dict[str, Any]]:
    """Read a system's ``train.jsonl``: a row a validation.

    Raises `UserError` for a file that is missing or damaged. Three rows of it, shortened::

        {"step": 200, "loss": {"ru": 3.12, "en": 2.98}, "valid_loss": 3.05, "valid_per": 100.0}
        {"step": 400, "loss": {"ru": 2.95, "en": 2.71}, "valid_loss": 2.81, "valid_per": 97.3}
        {"step": 600, "loss": {"ru": 2.11, "en": 2.02}, "valid_loss": 1.98, "valid_per": 71.4}
    """
    path = folder / "train.jsonl"
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        if not rows or not {"step", "loss", "valid_loss", "valid_per"} <= rows[0].keys():
            raise ValueError
    except (OSError, ValueError):
        raise UserError(f"{path} is missing or damaged. Run stage 3 again.") from None
    return rows


def trained(folder: Path) -> dict[str, Any]:
    """Return what ``results.json`` has of a training; error rates are of valid, in per cent.

    Raises `UserError` for files of stage 3 that are missing or damaged.
    """
    best = min(read_history(folder), key=lambda row: row["valid_per"])
    try:
        ablation = json.loads((folder / "ablation.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        path = folder / "ablation.json"
        raise UserError(f"{path} is missing or damaged. Run stage 3 again.") from None
    return {
        "best_step": best["step"],
        "valid_per": round(best["valid_per"], 4),
        "ablation": {change: round(per, 4) for change, per in ablation.items()},
    }


def draw(path: Path, histories: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Write the learning curves as SVG: PER on valid, and the losses of each language."""
    with picture(path, "Learning curves", 9, 3.6) as figure:
        errors, losses = figure.subplots(1, 2)
        for (system, rows), colour in zip(histories.items(), cycle(COLOURS), strict=False):
            steps = [row["step"] for row in rows]
            errors.plot(steps, [row["valid_per"] for row in rows], color=colour, label=system)
            for language, line in zip(rows[0]["loss"], cycle(LINES), strict=False):
                values = [row["loss"].get(language) for row in rows]
                label = f"{system}, {language}"
                losses.plot(steps, _numbers(values), line, color=colour, label=label)
        errors.set_title("phone error rate on valid, %", loc="left", fontsize=10)
        losses.set_title("loss on the training speech, nats a phone", loc="left", fontsize=10)
        for panel in (errors, losses):
            panel.set_ylim(bottom=0)
            panel.set_xlabel("step")
            panel.tick_params(length=0)
            panel.legend(frameon=False, fontsize=8)


def _numbers(values: Sequence[float | None]) -> list[float]:
    """Return numbers; a gap (NaN) where a language took no part."""
    return [float("nan") if value is None else value for value in values]
