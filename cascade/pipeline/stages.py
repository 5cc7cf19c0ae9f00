"""The table of stages, each of some jobs (see `data_jobs` and `model_jobs`).

Nothing heavy is imported here: a run with nothing to do must end in a moment. The
modules that do the work are imported by the job that runs.
"""

from collections.abc import Sequence

from cascade.config.layout import Layout
from cascade.config.recipe import Recipe
from cascade.pipeline import data_jobs, model_jobs
from cascade.runtime.stage import Runner, Stage

TITLES = (
    "corpora and cuts",
    "pronunciations, language model, graph",
    "features",
    "training",
    "decoding",
    "scoring",
)
LAST = len(TITLES) - 1


def stage(number: int, recipe: Recipe, layout: Layout, jobs: int, force: bool = False) -> Stage:
    """Stage ``number`` of an experiment; ``jobs`` processes at most work in it.

    ``force`` is for what is not the experiment's own: shared features are made anew.
    """
    if number == 2:
        return Stage(2, TITLES[2], data_jobs.features(recipe, layout, jobs, force))
    made = _MAKERS[number](recipe, layout, jobs)
    if number == 3:
        return Stage(3, TITLES[3], made, lambda todo: model_jobs.train(recipe, layout, todo, jobs))
    return Stage(number, TITLES[number], made)


def run(
    recipe: Recipe,
    layout: Layout,
    numbers: Sequence[int],
    jobs: int,
    force: bool = False,
    dry_run: bool = False,
) -> None:
    """Runs stages in order; what is up to date is left as it is."""
    makers = {
        path: (number, job)
        for number in range(LAST + 1)
        for job in stage(number, recipe, layout, jobs).jobs
        for path in job.outputs
    }
    runner = Runner(layout.root, makers, force, dry_run)
    if 1 in numbers:
        data_jobs.check_sources(recipe)
    if 3 in numbers:
        model_jobs.check_starts(recipe, layout)
        model_jobs.check_machine(recipe, layout)
    for number in range(numbers[0]):
        runner.warn(stage(number, recipe, layout, jobs))
    for number in numbers:
        runner.run(stage(number, recipe, layout, jobs, force))


def warn(recipe: Recipe, layout: Layout, numbers: Sequence[int]) -> None:
    """Says which of the stages ``numbers`` have run, but are not up to date."""
    runner = Runner(layout.root, {}, force=False, dry_run=False)
    for number in numbers:
        runner.warn(stage(number, recipe, layout, 1))


def due(recipe: Recipe, layout: Layout, numbers: Sequence[int]) -> str | None:
    """The first job of stages that is not up to date, and why; None where all are."""
    runner = Runner(layout.root, {}, force=False, dry_run=False)
    for number in numbers:
        reason = runner.due(stage(number, recipe, layout, 1))
        if reason:
            return reason
    return None


_MAKERS = {
    0: data_jobs.corpora,
    1: data_jobs.language,
    3: model_jobs.systems,
    4: model_jobs.decoding,
    5: model_jobs.scoring,
}
