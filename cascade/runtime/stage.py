"""Stages: which jobs they have, and whether they are up to date."""

import hashlib
import importlib
import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cascade.runtime.errors import UserError
from cascade.runtime.files import write_text
from cascade.runtime.lock import owner
from cascade.runtime.stamp import ABSENT, Digest, Stamp, code_digest, digest

log = logging.getLogger("cascade")


@dataclass(frozen=True)
class Found:
    """Files that only the job itself could name: lists it read, archives it wrote.

    ``known`` has digests that were made of them already, ``before`` those of inputs as they
    were when the job read them. ``sources`` is a list on disk (see `cascade.runtime.stamp.Sources`)
    of more inputs than memory need hold: recordings.
    """

    inputs: Sequence[Path] = ()
    outputs: Sequence[Path] = ()
    known: Mapping[Path, Digest] = field(default_factory=dict)
    before: Mapping[Path, Digest] = field(default_factory=dict)
    sources: Path | None = None


class Call:
    """A call of ``module.function``; the module is imported when the call is made."""

    def __init__(self, module: str, function: str, *arguments: Any):
        self.module = module
        self._function = function
        self._arguments = arguments

    def __call__(self) -> Found | None:
        return getattr(importlib.import_module(self.module), self._function)(*self._arguments)


@dataclass(frozen=True)
class Job:
    """A piece of a stage that is rebuilt as a whole.

    ``settings`` is the part of the recipe that it reads, as JSON types. ``modules`` names
    code that it runs beside the module of ``run``. ``unfinished`` is what an interrupted run
    leaves to go on from.
    """

    name: str
    settings: Any
    inputs: tuple[Path, ...]
    outputs: tuple[Path, ...]
    run: Call
    modules: tuple[str, ...] = ()
    unfinished: tuple[Path, ...] = ()

    def code(self) -> str:
        """The digest of all code that the job runs."""
        return code_digest((self.run.module, *self.modules))

    def fingerprint(self) -> str:
        """A SHA-256 over all that the result depends on: who goes on must find the same."""
        inputs = {str(path): getattr(digest(path), "sha256", "") for path in self.inputs}
        parts = [self.settings, self.code(), inputs]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def one_by_one(jobs: Sequence[Job]) -> Iterator[tuple[Job, Found]]:
    """Runs jobs in their order; yields each as it is done, with the files it found."""
    for job in jobs:
        yield job, job.run() or Found()


@dataclass(frozen=True)
class Stage:
    """A stage's jobs, and how they are run: `one_by_one`, or side by side."""

    number: int
    title: str
    jobs: tuple[Job, ...]
    execute: Callable[[Sequence[Job]], Iterator[tuple[Job, Found]]] = one_by_one


class Runner:
    """Runs stages of the experiment in ``root``, each job only if it is not up to date.

    ``makers`` says which stage and job make a file: to be named where it is missing. A
    ``dry_run`` says what would run and why, jobs whose inputs would change among them.
    """

    def __init__(
        self, root: Path, makers: Mapping[Path, tuple[int, Job]], force: bool, dry_run: bool
    ):
        self.root = root
        self.makers = makers
        self.force = force
        self.dry_run = dry_run
        self.remade: set[Path] = set()

    def run(self, stage: Stage) -> None:
        """Runs one stage.

        Raises `UserError` for a missing input, and where another process works in ``root``.
        """
        started = time.monotonic()
        pending, ran = list(stage.jobs), False
        while pending:
            made = {path for job in pending for path in job.outputs}
            ready = [job for job in pending if made.isdisjoint(job.inputs)]
            pending = [job for job in pending if job not in ready]
            ran |= self._run_jobs(stage, ready)
        if not ran:
            log.info("Stage %d (%s) is up to date.", stage.number, stage.title)
        elif not self.dry_run:
            log.info("Stage %d took %.0f s.", stage.number, time.monotonic() - started)

    def due(self, stage: Stage) -> str | None:
        """The first job of a stage that is not up to date, and why; None where all are."""
        for job in stage.jobs:
            reason = self._reason(stage, job, job.code())
            if reason:
                return f"stage {stage.number}, {job.name}: {reason}"
        return None

    def warn(self, stage: Stage) -> None:
        """Says so where a stage that is not asked for has run, but is not up to date."""
        for job in stage.jobs:
            stamp = Stamp.read(self._stamp(stage, job))
            if stamp:
                code = job.code()
                reason = stamp.stale(job.settings, code, job.inputs, job.outputs)
            else:
                reason = f"{job.name} was not finished" if self._begun(stage, job).exists() else ""
            if reason:
                title = f"Stage {stage.number} ({stage.title})"
                log.warning("warning: %s is not up to date: %s.", title, reason)
                return

    def _run_jobs(self, stage: Stage, jobs: Sequence[Job]) -> bool:
        """Runs those of ``jobs``, none of which needs another, that are not up to date."""
        codes = {job.name: job.code() for job in jobs}
        reasons = {job.name: self._reason(stage, job, codes[job.name]) for job in jobs}
        todo = [job for job in jobs if reasons[job.name]]
        for job in todo:
            verb = "would run" if self.dry_run else "runs"
            log.info("Stage %d, %s %s: %s.", stage.number, job.name, verb, reasons[job.name])
            self.remade.update(job.outputs)
        if self.dry_run or not todo:
            return bool(todo)
        for job in todo:
            self._check_inputs(stage, job)
        with owner(self.root):
            for job in todo:
                write_text(self._begun(stage, job), "")
                self._stamp(stage, job).unlink(missing_ok=True)
                for path in job.unfinished if self.force else ():
                    path.unlink(missing_ok=True)
            # As they are now: who edits one while a job reads it wants the job to run again.
            inputs = {path for job in todo for path in job.inputs}
            before = {path: digest(path) or ABSENT for path in inputs}
            for job, found in stage.execute(todo):
                stamp = Stamp.make(
                    job.settings,
                    codes[job.name],
                    job.inputs,
                    [*job.outputs, *found.outputs],
                    found.known,
                    {path: before[path] for path in job.inputs} | dict(found.before),
                    found.sources,
                    found.inputs,
                )
                stamp.write(self._stamp(stage, job))
                self._begun(stage, job).unlink()
        return True

    def _stamp(self, stage: Stage, job: Job) -> Path:
        return self.root / ".stamps" / f"{stage.number}.{job.name}.json"

    def _begun(self, stage: Stage, job: Job) -> Path:
        """A file that is there from a job's beginning to its end."""
        return self._stamp(stage, job).with_suffix(".begun")

    def _reason(self, stage: Stage, job: Job, code: str) -> str | None:
        """Why a job must run, or None."""
        if self.force:
            return "--force"
        stamp = Stamp.read(self._stamp(stage, job))
        if stamp is None:
            begun = self._begun(stage, job).exists()
            return "it was not finished" if begun else "it has not run yet"
        if self.dry_run:
            changing = [path for path in job.inputs if path in self.remade]
            if changing:
                return f"{changing[0]} would be made anew"
        return stamp.stale(job.settings, code, job.inputs, job.outputs)

    def _check_inputs(self, stage: Stage, job: Job) -> None:
        """Raises `UserError` that names the stages which make what is missing."""
        missing = [path for path in job.inputs if not path.exists()]
        if not missing:
            return
        stages = sorted({self.makers[path][0] for path in missing if path in self.makers})
        if not stages:
            raise UserError(f"Stage {stage.number} ({job.name}) needs {missing[0]}.")
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        names = " and ".join(f"stage {number}" for number in stages)
        make = "makes" if len(stages) == 1 else "make"
        first = self._first_to_run(missing)
        raise UserError(
            f"Stage {stage.number} ({job.name}) needs {missing[0]}{more}, which {names}"
            f" {make}. Begin there: the same command with --stage {first}."
        )

    def _first_to_run(self, missing: Sequence[Path]) -> int:
        """The earliest stage that has to run before the files ``missing`` can be made."""
        stages = []
        for path in missing:
            if path in self.makers:
                number, job = self.makers[path]
                behind = [p for p in job.inputs if not p.exists() and p in self.makers]
                stages.append(self._first_to_run(behind) if behind else number)
        return min(stages)
