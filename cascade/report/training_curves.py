"""How systems were trained: their best step, what each part is worth, and their curves."""

import json
from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

from cascade.report.figures import COLOURS, picture
from cascade.runtime.errors import UserError
from cascade.runtime.tables import markdown_table

LINES = ("-", "--", ":", "-.")  # languages, the target's first


def read_history(folder: Path) -> list[dict[str, Any]]:
    """The rows of a system's ``train.jsonl``, one a validation.

    Raises `UserError` where stage 3 has not written it so.
    """
    path = folder / "train.jsonl"
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        if not rows or not {"step", "loss", "valid_loss", "valid_per"} <= rows[0].keys():
            raise ValueError
    except (OSError, ValueError):
        raise UserError(f"{path} is no history of a training. Run stage 3 again.") from None
    return rows


def trained(folder: Path) -> dict[str, Any]:
    """What ``results.json`` says of a training; error rates are of ``valid``, in per cent."""
    best = min(read_history(folder), key=lambda row: row["valid_per"])
    try:
        ablation = json.loads((folder / "ablation.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise UserError(f"{folder / 'ablation.json'} does not read. Run stage 3 again.") from None
    return {
        "best_step": best["step"],
        "valid_per": round(best["valid_per"], 4),
        "ablation": {change: round(per, 4) for change, per in ablation.items()},
    }


def section(training: Mapping[str, Mapping[str, Any]]) -> str:
    """The training of all systems as Markdown; ``training`` by system as of `trained`."""
    changes = dict.fromkeys(key for found in training.values() for key in found["ablation"])
    rows = [("PER on valid, %", "best step", *changes)]
    for system, found in training.items():
        each = (found["ablation"].get(change) for change in changes)
        cells = ("" if per is None else f"{per:.1f}" for per in each)
        rows.append((system, str(found["best_step"]), *cells))
    return (
        "## Training\n\n"
        "*Lower of*, *upper of* a language: the target's speech through that language's layers in\n"
        "place of its own; *without layer2*: past a layer. Learning curves: `curves.svg`.\n\n"
        f"{markdown_table(rows)}\n"
    )


def draw(path: Path, histories: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Writes the learning curves as SVG: PER on valid, and the losses of each language."""
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
    """Gaps where a language took no part."""
    return [float("nan") if value is None else value for value in values]
