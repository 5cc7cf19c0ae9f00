"""Runs the points of a sweep or a search that are not done, and publishes the results of all."""

import contextlib
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from cascade.pipeline import stages
from cascade.runtime.errors import UserError
from cascade.runtime.lock import owner
from cascade.sweeps import runs
from cascade.sweeps.plan import Point
from cascade.sweeps.running import Run

Publish = Callable[[Sequence[Point], int], Path]
log = logging.getLogger("cascade")


def show_points(plan: Sequence[Point], stage_numbers: Sequence[int], force: bool) -> None:
    """Log for each point whether it would run, and why (``--dry-run``)."""
    reasons = [_due(point, stage_numbers, force) for point in plan]
    log.info("%d points, %d of them done.", len(plan), reasons.count(None))
    for point, reason in zip(plan, reasons, strict=True):
        log.info("%s %s", point.name, f"would run: {reason}." if reason else "is done.")


def _due(point: Point, stage_numbers: Sequence[int], force: bool = False) -> str | None:
    """Return the first job of a point that must run, and why; None where there is none."""
    return "it was requested" if force else stages.due(point.experiment, stage_numbers)


def run_points(
    plan: Sequence[Point],
    options: Sequence[str],
    stage_numbers: Sequence[int],
    jobs: int,
    force: bool,
    publish: Publish,
) -> None:
    """Run the points that are not done; publish the finished ones whenever one more is done.

    ``options`` are the options of the command line for every point. ``publish`` takes the
    points that are done and the number of all; it returns the file to read. A point that fails
    does not stop the others, nor do points that cannot be compared. At the end raises `UserError`,
    which names the failed ones, or says why there is no comparison.
    """
    todo = [point for point in plan if _due(point, stage_numbers, force)]
    again = {point.name for point in todo}
    done = {point.name for point in plan if point.name not in again and point.done}
    log.info("%d points, %d of them done.", len(plan), len(plan) - len(todo))

    def publish_done() -> Path | None:
        finished = [point for point in plan if point.name in done]
        problems.clear()
        try:
            return publish(finished, len(plan)) if finished else None
        except UserError as error:
            problems.append(str(error))
            return None

    failed, problems = [], list[str]()
    with owner(plan[0].layout.root.parent):
        report = publish_done()
        by_run = {_run(point, options, force): point for point in todo}
        with contextlib.closing(runs.run_all([*by_run], jobs, len(plan) - len(todo))) as ended:
            for one, failure in ended:
                point = by_run[one]
                if failure is not None:
                    failed.append(one)
                elif point.done:
                    done.add(point.name)
                    report = publish_done()
                elif reason := _due(point, stage_numbers):  # the code was changed meanwhile
                    log.warning("warning: %s is not up to date: %s.", point.name, reason)
    if report:
        log.info("%d of %d points are in %s.", len(done), len(plan), report)
    if failed:
        in_order = [one for one in by_run if one in failed]  # the order of the plan
        names = "".join(f"\n  {one.name}: {one.log}" for one in in_order)
        problems.insert(0, f"{len(failed)} of {len(plan)} points failed. See their logs:{names}")
    if problems:
        raise UserError("\n".join(problems))


def _run(point: Point, options: Sequence[str], force: bool) -> Run:
    """Return an ordinary run of the recipe: ``./run.sh`` with the same options does the same."""
    command = [sys.executable, "-m", "cascade", "run", *options, *(["--force"] if force else [])]
    command += ["--folder", str(point.layout.root)]
    command += [f"--{key}={value}" for key, value in point.values] + [f"--seed={point.seed}"]
    log_file = point.layout.root / "run.log"
    return Run(point.name, tuple(command), log_file, len(point.recipe.systems))
