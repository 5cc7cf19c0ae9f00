"""Runs the points of a sweep side by side, here or on workers, with one line for all."""

import logging
import sys
import time
from collections.abc import Generator, Sequence
from typing import Any

from tqdm import tqdm

from cascade.runtime.long_tasks import LongPool, training_pool
from cascade.sweeps.running import Run, Running
from cascade.sweeps.worker_runs import RunningOnWorker

log = logging.getLogger("cascade")
POLL = 0.5  # seconds between two checks of the processes
LINE_EVERY = 60.0  # seconds, where the output is no terminal


def run_all(
    runs: Sequence[Run], jobs: int, done: int = 0
) -> Generator[tuple[Run, str | None], None, None]:
    """Run programs with ``jobs`` processes in all; yield each when it ends, and why it failed.

    If there are fewer runs than ``jobs``, each has several processes. Where the workers of a
    cluster train, each has one run, of one process. ``done`` is the number of runs that were
    finished before; the progress counts them. Ctrl-C stops all runs, then is raised; a second
    Ctrl-C kills them.
    """
    with training_pool() as pool:
        yield from _run_side_by_side(runs, jobs, done, pool)


def _run_side_by_side(
    runs: Sequence[Run], jobs: int, done: int, pool: LongPool | None
) -> Generator[tuple[Run, str | None], None, None]:
    """Run programs as `run_all` does, in processes of this machine or on the workers of a pool."""
    waiting = list(runs)
    running: list[Running] = []
    line = ProgressLine(len(runs), done)
    try:
        while waiting or running:
            ended = [one for one in running if one.ended()]
            for one in ended:
                running.remove(one)
            free = (pool.workers if pool else jobs) - sum(one.jobs for one in running)
            while waiting and free > 0:
                share = 1 if pool else -(-free // len(waiting))
                run = waiting.pop(0)
                running.append(RunningOnWorker(run, pool) if pool else Running(run, share))
                line.write(f"{run.name} starts")
                free -= share
            for one in ended:  # after the next ones have started: the caller may take long
                failure = one.failure()
                line.ended(one, failure)
                yield one.run, failure
            line.show(running)
            if running:
                time.sleep(POLL)
    finally:
        line.close()
        _stop(running)


def _stop(running: Sequence[Running]) -> None:
    """Stop runs so that they save their checkpoints; kill them on another Ctrl-C."""
    try:
        for one in running:
            one.stop()
        if running:
            log.info("Stopping. Trainings save their checkpoints.")
        for one in running:
            one.wait()
    except KeyboardInterrupt:
        for one in running:
            one.kill()
        raise


class ProgressLine:
    """Points done, what runs, time left: a live line on a terminal, log lines elsewhere."""

    def __init__(self, total: int, done: int):
        self.total, self.done, self.finished = total, done, 0
        self.started = self.logged = time.monotonic()
        self.bar: Any = None
        if sys.stderr.isatty():
            form = "{desc} {n_fmt}/{total_fmt} |{bar:20}| {elapsed}{postfix}"
            self.bar = tqdm(
                desc="points", total=total + done, initial=done, bar_format=form, leave=False
            )

    def write(self, text: str) -> None:
        """Write a line that stays."""
        if self.bar is None:
            log.info("%s", text)
        else:
            tqdm.write(text, file=sys.stderr)

    def ended(self, one: Running, failure: str | None) -> None:
        """Report a run that has ended."""
        minutes, seconds = divmod(round(time.monotonic() - one.started), 60)
        verb = "ended after" if failure is None else "failed after"
        self.write(f"{one.run.name} {verb} {minutes}:{seconds:02d}")
        if failure is not None:
            self.write(f"{failure}\nIts log: {one.run.log}")
        self.finished += 1
        if self.bar is not None:
            self.bar.update()

    def show(self, running: Sequence[Running]) -> None:
        """Show what runs, and the time left at the average speed so far."""
        now = time.monotonic()
        if self.bar is None and now - self.logged < LINE_EVERY:
            return
        self.logged = now
        states = [(one.run.name, *one.state()) for one in running]
        worked = self.finished + sum(share for *_, share in states)  # in runs
        text = "; ".join(f"{name}: {doing}" for name, doing, _ in states)
        if worked >= 0.01 * self.total:
            left = (now - self.started) * (self.total - worked) / worked
            text = f"{tqdm.format_interval(left)} left; {text}"
        if self.bar is None:
            done = self.done + self.finished
            log.info("%d of %d points done; %s", done, self.done + self.total, text)
        else:
            self.bar.set_postfix_str(text)

    def close(self) -> None:
        """Remove the live line."""
        if self.bar is not None:
            self.bar.close()
