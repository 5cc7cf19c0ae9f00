"""Stage 6: writes the report of an experiment, ``report.html``."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cascade.config.experiment import Experiment
from cascade.config.schema import as_plain
from cascade.html import (
    confidence,
    headline,
    languages,
    making,
    page,
    phones,
    speech,
    sweeps,
    training,
    utterances,
    words,
)
from cascade.html.scored import TestSet, ordered_systems, read_test
from cascade.runtime.errors import UserError
from cascade.runtime.files import write_json, write_text
from cascade.runtime.project import RECIPES


def write_report(experiment: Experiment) -> None:
    """Write the report of an experiment, and its recipe as resolved.

    Raises `UserError` for files of stages 0 to 5 that are missing or damaged.
    """
    layout = experiment.layout
    text = report(experiment)
    write_json(layout.recipe, as_plain(experiment.recipe))
    write_text(layout.report, text)


def report(experiment: Experiment) -> str:
    """Return the report of an experiment as HTML."""
    recipe, layout = experiment.recipe, experiment.layout
    results = read_results(layout.root)
    systems = ordered_systems(experiment)
    tests = [read_test(experiment, test) for test in recipe.tests]
    keys = [experiment.dataset_key(test.dataset) for test in recipe.tests]
    sets = speech.read_speech(experiment)
    shelf = utterances.shelf(tests, recipe.features.rate, layout.root)
    values: dict[str, Any] = {
        "title": recipe.name,
        "question": headline.question(recipe),
        "answers": headline.all_answers(results),
        "trained_on": headline.trained_on(recipe, sets),
        "systems": systems,
        "tests": [test.name for test in tests],
        "systems_choice": [(name, name) for name in systems],
        "tests_choice": [(test.name, test.name) for test in tests],
        "results": results,
        "sets": sets,
        "quartiles": speech.quartiles,
        "language_name": headline.language_name,
        "excluded": speech.excluded(layout.excluded),
        "summary": training.summary(results, {s: layout.system(s) for s in systems}),
        "ablations": training.ablations(results),
        "changes": {t.name: phones.changes(layout.phone_changes(t.name)) for t in tests},
        "frequent": {test.name: words.frequent(test) for test in tests},
        "shelf": shelf,
        "left_out": list(utterances.left_out(shelf)),
        "licences": {test.name: test.licence for test in tests},
        "environment": making.environment(layout.root / "RESULTS.md"),
        "recipe": making.as_yaml(recipe),
        "difference": making.difference(recipe),
        "stages": making.stages(layout.root / "stages.jsonl"),
    }
    figures: dict[str, Any] = {
        "systems": systems,
        "reference": systems[0],
        "rates": headline.rates(results),
        "durations": speech.histogram(sets, "durations"),
        "speech_rates": speech.histogram(sets, "rates"),
        "curves": training.curves({s: layout.system(s) for s in systems}),
        "confusions": [phones.confusions(test) for test in tests],
        "phone_rates": [
            row
            for test in tests
            for row in phones.rates(
                layout.phone_table(test.name), test.name, systems, recipe.target
            )
        ],
        "by_group": {
            test.name: words.by_group(experiment, test, key)
            for test, key in zip(tests, keys, strict=True)
        },
    }
    values["by_group"] = {
        name: words.table(rows, systems) for name, rows in figures["by_group"].items()
    }
    values["phone_chart"], figures["coverage"] = _languages(experiment)
    others = [headline.language_name(name) for name in recipe.ext_languages]
    values["language_order"] = ", ".join([headline.language_name(recipe.target), *others])
    figures["confidence"] = _confidence(experiment, tests, keys)
    entries = sweeps.read_sweep(RECIPES / recipe.name)
    figures["sweep"] = sweeps.section(entries) if entries else None
    figures["sweep_systems"] = list(dict.fromkeys(entry["system"] for entry in entries or ()))
    values["sweep"] = sweeps.table(figures["sweep"]) if entries else []
    return page.render("report.html", values, figures)


def _languages(experiment: Experiment) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the phone chart and the coverage; nothing for a recipe of one language."""
    if not experiment.recipe.ext_languages:
        return [], []
    some = languages.overlaps(experiment)
    return languages.chart(some), languages.coverage(some)


def _confidence(experiment: Experiment, tests: list[TestSet], keys: list[str]) -> Any:
    """Return the charts of confidences; None for a recipe without n-best lists."""
    if not experiment.recipe.decode.nbest:
        return None
    return confidence.section(experiment, tests, keys)


def read_results(folder: Path) -> Mapping[str, Any]:
    """Read ``results.json``; raise `UserError` if it is missing or damaged."""
    path = folder / "results.json"
    try:
        results = json.loads(path.read_text(encoding="utf-8"))
        results["recipe"], results["tests"], results["training"]
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(f"{path} is missing or damaged. Run stage 5 again.") from None
    return results
