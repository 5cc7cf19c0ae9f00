"""The table of stages, and functions that run them.

This module imports nothing slow, so that a run with nothing to do ends at once. A job imports
its module when it runs.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from cascade.config.experiment import Experiment
from cascade.pipeline import bundle_jobs, data_jobs, model_jobs, report_jobs
from cascade.runtime.stage import Job, JobFiles, Runner, Stage, one_by_one

Execute = Callable[[Experiment, Sequence[Job], int, int | None], Iterator[tuple[Job, JobFiles]]]
TORCHRUN = "TORCHELASTIC_RUN_ID"  # torchrun sets it in the environment of its processes


@dataclass(frozen=True)
class Entry:
    """A stage of the table.

    Attributes:
        title: Its name in log lines.
        jobs: Returns its jobs. Takes the experiment, the number of processes, and whether to
            rebuild what experiments share.
        check: Raises `UserError` before any stage runs.
        execute: Runs jobs of an experiment in so many processes. Default: `one_by_one`.
    """

    title: str
    jobs: Callable[[Experiment, int, bool], tuple[Job, ...]]
    check: Callable[[Experiment], None] | None = None
    execute: Execute | None = None


STAGES = {
    0: Entry("corpora and cuts", data_jobs.corpora, data_jobs.check_corpora),
    1: Entry("pronunciations, language model, graph", data_jobs.language, data_jobs.check_sources),
    2: Entry("features", data_jobs.features, data_jobs.check_features),
    3: Entry("training", model_jobs.systems, model_jobs.check_training, model_jobs.run_training),
    4: Entry("decoding", model_jobs.decoding),
    5: Entry("scoring", model_jobs.scoring),
    6: Entry("report", report_jobs.report, execute=report_jobs.run_report),
    7: Entry("bundle", bundle_jobs.bundles),
}
LAST = 6  # of a run that names no last stage
SCORING, REPORT, BUNDLE = 5, 6, 7


def stage(
    number: int,
    experiment: Experiment,
    processes: int,
    force: bool = False,
    gpus: int | None = None,
) -> Stage:
    """Return stage ``number`` of an experiment, for at most ``processes`` processes.

    ``force`` rebuilds what experiments share. ``gpus`` is how many train one system together.
    """
    entry = STAGES[number]

    def execute(jobs: Sequence[Job]) -> Iterator[tuple[Job, JobFiles]]:
        if entry.execute is None:
            return one_by_one(jobs)
        return entry.execute(experiment, jobs, processes, gpus)

    return Stage(number, entry.title, entry.jobs(experiment, processes, force), execute)


def run(
    experiment: Experiment,
    numbers: Sequence[int],
    processes: int,
    force: bool = False,
    dry_run: bool = False,
    gpus: int | None = None,
) -> None:
    """Run stages in order; jobs that are up to date do not run.

    Under torchrun the first process does so, and the others follow its trainings. Raises
    `UserError` for what a stage lacks.
    """
    if TORCHRUN in os.environ and os.environ["RANK"] != "0":
        from cascade.training.systems import follow  # heavy

        follow(experiment)
        return
    makers = {
        path: (number, job)
        for number in STAGES
        for job in stage(number, experiment, processes).jobs
        for path in job.outputs
    }
    runner = Runner(experiment.layout.root, makers, force, dry_run)
    for number in numbers:
        check = STAGES[number].check
        if check:
            check(experiment)
    for number in [number for number in STAGES if number < numbers[0]]:
        runner.warn(stage(number, experiment, processes))
    for number in numbers:
        runner.run(stage(number, experiment, processes, force, gpus))
    if TORCHRUN in os.environ:
        from cascade.training.ranks import Torchrun  # heavy

        Torchrun.here().finish()


def warn(experiment: Experiment, numbers: Iterable[int]) -> None:
    """Log a warning for each of the stages that has run, but is not up to date."""
    runner = Runner(experiment.layout.root, {}, force=False, dry_run=False)
    for number in numbers:
        runner.warn(stage(number, experiment, 1))


def due(experiment: Experiment, numbers: Iterable[int]) -> str | None:
    """Return the first job of the stages that is not up to date, and why; None if all are."""
    runner = Runner(experiment.layout.root, {}, force=False, dry_run=False)
    reasons = (runner.due(stage(number, experiment, 1)) for number in numbers)
    return next(filter(None, reasons), None)
