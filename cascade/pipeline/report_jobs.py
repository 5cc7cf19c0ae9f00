"""The job of stage 6: the report."""

import logging
from collections.abc import Iterator, Sequence

from cascade.config.experiment import Experiment
from cascade.config.schema import as_plain
from cascade.runtime.errors import UserError
from cascade.runtime.project import RECIPES, ROOT
from cascade.runtime.stage import Call, Job, JobFiles

log = logging.getLogger("cascade")
PAGE = ROOT / "cascade" / "html" / "page"  # templates and scripts


def report(experiment: Experiment, _processes: int, _force: bool) -> tuple[Job, ...]:
    """Return the job of stage 6."""
    recipe, layout = experiment.recipe, experiment.layout
    inputs = [layout.root / page for page in ("results.json", "RESULTS.md")]
    inputs += [layout.excluded, layout.lexicon, *sorted(PAGE.rglob("*.*"))]
    keys = experiment.dataset_keys()
    inputs += [layout.cuts(key) for key in keys]
    inputs += [layout.text(key, unit) for key in keys for unit in ("words", "phones")]
    inputs += [layout.system(name) / "train.jsonl" for name in recipe.systems]
    for test in [test.label for test in recipe.tests]:
        inputs += [layout.phone_table(test), layout.phone_changes(test)]
        for system in recipe.systems:
            tables = ("counts.tsv", "per_utt", "per_utt_phones")
            inputs += [layout.score(system, test) / name for name in tables]
            inputs += [layout.decode(system, test) / "words.ctm"] if recipe.decode.nbest else []
    sweep = RECIPES / recipe.name / "sweep.json"
    return (
        Job(
            name="report",
            settings=as_plain(recipe),
            inputs=(*inputs, *([sweep] if sweep.exists() else [])),
            outputs=(layout.report, layout.recipe),
            run=Call("cascade.html.build", "write_report", experiment),
        ),
    )


def run_report(
    experiment: Experiment, todo: Sequence[Job], _processes: int, _gpus: int | None
) -> Iterator[tuple[Job, JobFiles]]:
    """Run the job of stage 6. If it fails, log a warning: the figures are there all the same."""
    root = experiment.layout.root
    for job in todo:
        try:
            job.run()
        except Exception as error:
            kind = "" if isinstance(error, UserError) else f"{type(error).__name__}: "
            log.warning("warning: no report was written. %s%s", kind, error)
            log.warning(
                "The figures are in %s/RESULTS.md. Try again: cascade report %s", root, root
            )
        else:
            yield job, JobFiles()
