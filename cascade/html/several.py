"""One page of several experiments: their answers and error rates side by side, and sweeps."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cascade.config.experiment import Experiment
from cascade.html import headline, making, page, speech, sweeps
from cascade.html.build import read_results
from cascade.runtime.files import write_text
from cascade.runtime.project import RECIPES


def write_comparison(
    experiments: Sequence[Experiment], path: Path, recipes: Sequence[Path] = ()
) -> None:
    """Write one page of several experiments, and of the sweeps of them and of ``recipes``.

    ``recipes`` are folders of recipes that have a sweep. Raises `UserError` for files of stages 0
    to 5, and of sweeps, that are missing or damaged.
    """
    rates: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    folders = [RECIPES / experiment.recipe.name for experiment in experiments]
    swept = [
        (folder.name, sweeps.section(entries))
        for folder in dict.fromkeys([*folders, *(folder.absolute() for folder in recipes)])
        if (entries := sweeps.read_sweep(folder))
    ]
    for number, experiment in enumerate(experiments):
        recipe, layout = experiment.recipe, experiment.layout
        results = read_results(layout.root)
        name = _name(experiments, number)
        of_one = [{**row, "test": f"{name}: {row['test']}"} for row in headline.rates(results)]
        rates += of_one
        address = quote(os.path.relpath(layout.report, path.parent).replace(os.sep, "/"))
        rows.append(
            {
                "name": name,
                "link": address if layout.report.is_file() else None,
                "question": headline.question(recipe),
                "answers": headline.all_answers(results),
                "trained_on": headline.trained_on(recipe, speech.read_speech(experiment)),
                "environment": dict(making.environment(layout.root / "RESULTS.md")),
            }
        )
    values: dict[str, Any] = {
        "title": _title([row["name"] for row in rows] or [name for name, _ in swept]),
        "rows": rows,
        "systems": list(dict.fromkeys(row["system"] for row in rates)),
        "sweeps": [(name, figures, sweeps.table(figures)) for name, figures in swept],
    }
    figures = {
        "systems": values["systems"],
        "reference": next(iter(values["systems"]), None),
        "rates": rates,
        "sweeps": dict(swept),
        "sweep_systems": list(
            dict.fromkeys(row["system"] for _, one in swept for row in one["rows"])
        ),
    }
    write_text(path, page.render("several.html", values, figures))


def _title(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else "Several experiments"


def _name(experiments: Sequence[Experiment], number: int) -> str:
    """Return the name of an experiment; its folder if several have the same recipe."""
    names = [experiment.recipe.name for experiment in experiments]
    name = names[number]
    return name if names.count(name) == 1 else str(experiments[number].layout.root)
