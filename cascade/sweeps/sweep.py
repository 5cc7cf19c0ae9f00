"""Sweeps and searches: runs the points of a plan that are not done, keeps what all gave."""

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

Publish = Callable[[Sequence[Point], int], Path]
log = logging.getLogger("cascade")


def show(plan: Sequence[Point], numbers: Sequence[int], force: bool) -> None:
    """Says of each point what would run of the stages ``numbers``, and why."""
    reasons = [_due(point, numbers, force) for point in plan]
    log.info("%d points, %d of them done.", len(plan), reasons.count(None))
    for point, reason in zip(plan, reasons, strict=True):
        log.info("%s %s", point.name, f"would run: {reason}." if reason else "is done.")


def _due(point: Point, numbers: Sequence[int], force: bool = False) -> str | None:
    """The first job of a point that is to run, and why; None where there is none."""
    return "--force" if force else stages.due(point.experiment, numbers)


def run(
    plan: Sequence[Point],
    options: Sequence[str],
    numbers: Sequence[int],
    jobs: int,
    force: bool,
    publish: Publish,
) -> None:
    """Runs the points that are not done, and publishes those that are each time one is.

    ``options`` are those of the command line that every point is run with. ``publish``
    takes the points that are done and the number of all; it returns the file to read. A
    point that fails does not stop the others.

    Raises `UserError` that names those that failed, at the end.
    """
    done = {point.name for point in plan if point.done}
    todo = [point for point in plan if _due(point, numbers, force)]
    log.info("%d points, %d of them done.", len(plan), len(plan) - len(todo))

    def keep() -> Path | None:
        ready = [point for point in plan if point.name in done]
        return publish(ready, len(plan)) if ready else None

    failed = []
    with owner(plan[0].layout.root.parent):
        told = keep()
        by_run = {_run(point, options, force): point for point in todo}
        with contextlib.closing(runs.run_all([*by_run], jobs, len(plan) - len(todo))) as ended:
            for one, failure in ended:
                point = by_run[one]
                if failure is not None:
                    failed.append(one)
                elif point.done:
                    done.add(point.name)
                    told = keep()
                elif reason := _due(point, numbers):  # the code was changed meanwhile
                    log.warning("warning: %s is not up to date: %s.", point.name, reason)
    if told:
        log.info("%d of %d points are in %s.", len(done), len(plan), told)
    if failed:
        in_order = [one for one in by_run if one in failed]  # not as they happened to end
        names = "".join(f"\n  {one.name}: {one.log}" for one in in_order)
        raise UserError(f"{len(failed)} of {len(plan)} points failed; see their logs:{names}")


def _run(point: Point, options: Sequence[str], force: bool) -> runs.Run:
    """An ordinary run of the recipe: the same line after ``./run.sh`` does the same."""
    command = [sys.executable, "-m", "cascade", "run", *options, *(["--force"] if force else [])]
    command += ["--folder", str(point.layout.root)]
    command += [f"--{key}={value}" for key, value in point.values] + [f"--seed={point.seed}"]
    log_file = point.layout.root / "run.log"
    return runs.Run(point.name, tuple(command), log_file, len(point.recipe.systems))
