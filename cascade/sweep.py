"""A sweep: runs the points of a plan that are not done, and keeps what all of them gave."""

import contextlib
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from cascade import points, stages
from cascade.errors import UserError
from cascade.lock import owner
from cascade.plan import Point

log = logging.getLogger("cascade")


def show(plan: Sequence[Point], numbers: Sequence[int]) -> None:
    """Says of each point what would run of the stages ``numbers``, and why."""
    for point in plan:
        reason = stages.due(point.recipe, point.layout, numbers)
        log.info("%s %s", point.name, f"would run: {reason}." if reason else "is done.")


def run(
    plan: Sequence[Point],
    options: Sequence[str],
    numbers: Sequence[int],
    jobs: int,
    force: bool,
    folder: Path,
) -> None:
    """Runs the points that are not done; keeps the results of all that are in ``folder``.

    ``options`` are those of the command line that every point is run with. A point that
    fails does not stop the others.

    Raises `UserError` that names those that failed, at the end.
    """
    from cascade import curve, sweep_results  # heavy

    by_name = {point.name: point for point in plan}
    done = {point.name for point in plan if point.done}
    todo = [p for p in plan if force or stages.due(p.recipe, p.layout, numbers)]
    log.info("%d points, %d of them done.", len(plan), len(plan) - len(todo))

    def publish() -> None:
        ready = [point for point in plan if point.name in done]
        if ready and sweep_results.write(folder, ready, len(plan)):
            curve.draw(folder / "sweep.svg", ready[0].key, sweep_results.entries(ready))

    failed = []
    with owner(plan[0].layout.root.parent):
        publish()
        runs = [_run(point, options, force) for point in todo]
        with contextlib.closing(points.run_all(runs, jobs, len(plan) - len(todo))) as ended:
            for one, failure in ended:
                if failure is not None:
                    failed.append(one)
                elif by_name[one.name].done:
                    done.add(one.name)
                    publish()
    if failed:
        names = "".join(f"\n  {one.name}: {one.log}" for one in failed)
        raise UserError(f"{len(failed)} of {len(plan)} points failed; see their logs:{names}")


def _run(point: Point, options: Sequence[str], force: bool) -> points.Run:
    """An ordinary run of the recipe: the same line after ``./run.sh`` does the same."""
    command = [sys.executable, "-m", "cascade", "run", *options, *(["--force"] if force else [])]
    command += ["--folder", str(point.layout.root)]
    command += [f"--{point.key}={point.value}", f"--seed={point.recipe.seed}"]
    return points.Run(point.name, command, point.layout.root / "run.log", len(point.recipe.systems))
