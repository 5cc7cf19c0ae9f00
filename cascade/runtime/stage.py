"""Stages and their jobs: which of them are up to date, and how the others run."""

import hashlib
import importlib
import json
import logging
import resource
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cascade.runtime.errors import UserError
from cascade.runtime.files import write_text
from cascade.runtime.lock import owner
from cascade.runtime.stamp import ABSENT, Digest, Stamp, code_digests, digest

log = logging.getLogger("cascade")


@dataclass(frozen=True)
class JobFiles:
    """Files that only the job itself can name, such as lists that it read.

    Attributes:
        inputs: Files that it read.
        outputs: Files that it wrote.
        output_digests: Digests of outputs that the job has computed already.
        input_digests: Digests of inputs as they were when the job read them.
        sources: A file that lists many more inputs, the recordings: see
            `cascade.runtime.stamp.Sources`.
    """

    inputs: Sequence[Path] = ()
    outputs: Sequence[Path] = ()
    output_digests: Mapping[Path, Digest] = field(default_factory=dict)
    input_digests: Mapping[Path, Digest] = field(default_factory=dict)
    sources: Path | None = None


class Call:
    """A call of ``module.function``, which imports the module only when it is made."""

    def __init__(self, module: str, function: str, *arguments: Any):
        self.module = module
        self._function = function
        self._arguments = arguments

    def __call__(self, *more: Any) -> JobFiles | None:
        function = getattr(importlib.import_module(self.module), self._function)
        return function(*self._arguments, *more)


@dataclass(frozen=True)
class Job:
    """The smallest part of a stage that runs by itself.

    Attributes:
        name: Its name in log lines, and that of its stamp.
        settings: The part of the recipe that it reads, as JSON types.
        inputs: Files that it reads.
        outputs: Files that it writes.
        run: What it runs.
        modules: Code that it runs beside the module of ``run``, such as corpora.
        packages: Installed packages whose version decides the results.
        unfinished: Files from which an interrupted run continues.
        keep: Takes the place of ``run`` for results that experiments share
            (`cascade.runtime.kept.Keep`).
    """

    name: str
    settings: Any
    inputs: tuple[Path, ...]
    outputs: tuple[Path, ...]
    run: Call
    modules: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    unfinished: tuple[Path, ...] = ()
    keep: "Callable[[Job], JobFiles] | None" = None

    def code(self) -> dict[str, str]:
        """Return digests of all code files that the job runs, and versions of packages."""
        return code_digests((self.run.module, *self.modules), self.packages)

    def fingerprint(self) -> str:
        """Return a SHA-256 of everything that the result depends on.

        An interrupted run may continue only with the same fingerprint.
        """
        inputs = {str(path): getattr(digest(path), "sha256", "") for path in self.inputs}
        parts = [self.settings, self.code(), inputs]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def one_by_one(jobs: Sequence[Job]) -> Iterator[tuple[Job, JobFiles]]:
    """Run jobs in order; yield each when it is done, with the files that it named."""
    for job in jobs:
        yield job, (job.keep(job) if job.keep else job.run()) or JobFiles()


@dataclass(frozen=True)
class Stage:
    """A stage, its jobs and the function that runs them: `one_by_one`, or several at once."""

    number: int
    title: str
    jobs: tuple[Job, ...]
    execute: Callable[[Sequence[Job]], Iterator[tuple[Job, JobFiles]]] = one_by_one


class Runner:
    """Runs stages of the experiment in ``root``; jobs that are up to date do not run.

    ``makers`` gives the stage and the job that make a file, for the message where the file is
    missing. ``force`` runs all jobs. ``dry_run`` runs none: it logs which would run, and why.
    """

    def __init__(
        self, root: Path, makers: Mapping[Path, tuple[int, Job]], force: bool, dry_run: bool
    ):
        self.root = root
        self.makers = makers
        self.force = force
        self.dry_run = dry_run
        self.rebuilt: set[Path] = set()  # outputs of the jobs that run, or would

    def run(self, stage: Stage) -> None:
        """Run one stage.

        Raises `UserError` for a missing input, or if another process works in ``root``.
        """
        started = time.monotonic()
        pending, ran = list(stage.jobs), []
        while pending:
            outputs = {path for job in pending for path in job.outputs}
            ready = [job for job in pending if outputs.isdisjoint(job.inputs)]
            pending = [job for job in pending if job not in ready]
            ran += self._run_jobs(stage, ready)
        if not ran:
            log.info("Stage %d (%s) is up to date.", stage.number, stage.title)
        elif not self.dry_run:
            seconds = time.monotonic() - started
            log.info("Stage %d took %.0f s.", stage.number, seconds)
            self._record(stage, ran, seconds)

    def due(self, stage: Stage) -> str | None:
        """Return the first job that is not up to date, and why; None if all are."""
        for job in stage.jobs:
            reason = self._reason(stage, job, job.code())
            if reason:
                return f"stage {stage.number}, {job.name}: {reason}"
        return None

    def warn(self, stage: Stage) -> None:
        """Log a warning if a stage has run, but is not up to date."""
        for job in stage.jobs:
            stamp = Stamp.read(self._stamp(stage, job))
            if stamp:
                code = job.code()
                reason = stamp.stale(job.settings, code, job.inputs, job.outputs)
            else:
                started = self._started(stage, job).exists()
                reason = f"{job.name} was not finished" if started else None
            if reason:
                title = f"Stage {stage.number} ({stage.title})"
                log.warning("warning: %s is not up to date: %s.", title, reason)
                return

    def _record(self, stage: Stage, jobs: Sequence[str], seconds: float) -> None:
        """Add a row to ``stages.jsonl``: what a stage took. No result depends on it.

        A row, ``memory_mb`` is the peak of the run's largest process so far::

            {"stage": 5, "title": "scoring", "jobs": ["scores"], "seconds": 2.1, "memory_mb": 310}
        """
        kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        peak = max(resource.getrusage(kind).ru_maxrss for kind in kinds)
        row = {
            **{"stage": stage.number, "title": stage.title, "jobs": list(jobs)},
            **{"seconds": round(seconds, 1), "memory_mb": round(peak / 1024)},
        }
        with (self.root / "stages.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")

    def _run_jobs(self, stage: Stage, jobs: Sequence[Job]) -> list[str]:
        """Run the jobs that are not up to date; return their names.

        No job may need an output of another.
        """
        codes = {job.name: job.code() for job in jobs}
        reasons = {job.name: self._reason(stage, job, codes[job.name]) for job in jobs}
        todo = [job for job in jobs if reasons[job.name]]
        for job in todo if not self.dry_run else ():
            self._check_inputs(stage, job)
        for job in todo:
            verb = "would run" if self.dry_run else "runs"
            log.info("Stage %d, %s %s: %s.", stage.number, job.name, verb, reasons[job.name])
            self.rebuilt.update(job.outputs)
        if self.dry_run or not todo:
            return [job.name for job in todo]
        with owner(self.root):
            for job in todo:
                write_text(self._started(stage, job), "")
                self._stamp(stage, job).unlink(missing_ok=True)
                for path in job.unfinished if self.force else ():
                    path.unlink(missing_ok=True)
            # As they are now: a file that is edited while the job reads it makes the job stale.
            inputs = {path for job in todo for path in job.inputs}
            before = {path: digest(path) or ABSENT for path in inputs}
            for job, files in stage.execute(todo):
                stamp = Stamp.make(
                    job.settings,
                    codes[job.name],
                    job.inputs,
                    [*job.outputs, *files.outputs],
                    files.output_digests,
                    {path: before[path] for path in job.inputs} | dict(files.input_digests),
                    files.sources,
                    files.inputs,
                )
                stamp.write(self._stamp(stage, job))
                self._started(stage, job).unlink()
        return [job.name for job in todo]

    def _stamp(self, stage: Stage, job: Job) -> Path:
        return self.root / ".stamps" / f"{stage.number}.{job.name}.json"

    def _started(self, stage: Stage, job: Job) -> Path:
        """Return a file that exists while a job runs."""
        return self._stamp(stage, job).with_suffix(".begun")

    def _reason(self, stage: Stage, job: Job, code: Mapping[str, str]) -> str | None:
        """Return why a job must run, None if it is up to date."""
        if self.force:
            return "it was requested"
        stamp = Stamp.read(self._stamp(stage, job))
        if stamp is None:
            started = self._started(stage, job).exists()
            return "it was not finished" if started else "it has not run yet"
        if self.dry_run:
            rebuilt = [path for path in job.inputs if path in self.rebuilt]
            if rebuilt:
                return f"{rebuilt[0]} would be rebuilt"
        return stamp.stale(job.settings, code, job.inputs, job.outputs)

    def _check_inputs(self, stage: Stage, job: Job) -> None:
        """Raise `UserError` if inputs are missing; it names the stages that make them."""
        missing = [path for path in job.inputs if not path.exists()]
        if not missing:
            return
        stages = sorted({self.makers[path][0] for path in missing if path in self.makers})
        if not stages:
            raise UserError(f"Stage {stage.number} ({job.name}) needs {missing[0]}.")
        others = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        names = " and ".join(f"stage {number}" for number in stages)
        make = "makes" if len(stages) == 1 else "make"
        first = self._first_to_run(missing)
        raise UserError(
            f"Stage {stage.number} ({job.name}) needs {missing[0]}{others}, which {names}"
            f" {make}. Run the same command with --stage {first}."
        )

    def _first_to_run(self, missing: Sequence[Path]) -> int:
        """Return the first stage that has to run, so that the files ``missing`` can be made."""
        stages = []
        for path in missing:
            if path in self.makers:
                number, job = self.makers[path]
                needed = [p for p in job.inputs if not p.exists() and p in self.makers]
                stages.append(self._first_to_run(needed) if needed else number)
        return min(stages)
