"""Runs the points of a sweep: processes side by side, each with a log, and one line for all."""

import contextlib
import logging
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from cascade.pipeline.stages import STAGES
from cascade.runtime.workers import die_with_parent

log = logging.getLogger("cascade")
POLL = 0.5  # seconds between two checks of the processes
LINE_EVERY = 60.0  # seconds, where the output is no terminal
TRAINING = 0.9  # about the share of a run's time that its trainings take
TAIL = 15  # lines of the log of a failed run that are shown
_STAGE = re.compile(r"Stage (\d), ")
_STEP = re.compile(r"(\S+) *: step (\d+) of (\d+)")


@dataclass(frozen=True)
class Run:
    """A program to run: ``command`` without ``--nj J``; it trains ``trainings`` systems."""

    name: str
    command: tuple[str, ...]
    log: Path
    trainings: int


class Running:
    """A run whose process has started, with ``jobs`` processes of its own."""

    def __init__(self, run: Run, jobs: int):
        run.log.parent.mkdir(parents=True, exist_ok=True)
        self.run, self.jobs, self.started = run, jobs, time.monotonic()
        command = [*run.command, "--nj", str(jobs)]
        with run.log.open("a", encoding="utf-8") as stream:
            stream.write(f"# {time.strftime('%Y-%m-%d %H:%M:%S')} {' '.join(command)}\n")
            stream.flush()
            self.begin = stream.tell()
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                start_new_session=True,  # Ctrl-C is the sweep's to handle
                preexec_fn=die_with_parent,
            )

    def output(self) -> str:
        """Return what the run has written since it started."""
        with self.run.log.open("rb") as stream:
            stream.seek(self.begin)
            return stream.read().decode("utf-8", errors="replace")

    def state(self) -> tuple[str, float]:
        """Return what it does now, and the share that is done, from 0 to 1, by its trainings."""
        output = self.output()
        steps = {m[1]: int(m[2]) / int(m[3]) for m in _STEP.finditer(output)}
        doing, at = "starts", -1
        for match in _STAGE.finditer(output):
            doing, at = STAGES[int(match[1])].title, match.start()
        for match in _STEP.finditer(output, max(at, 0)):
            doing = f"{match[1]} {100 * steps[match[1]]:.0f} %"
        return doing, TRAINING * min(1.0, sum(steps.values()) / self.run.trainings)


def run_all(
    runs: Sequence[Run], jobs: int, done: int = 0
) -> Generator[tuple[Run, str | None], None, None]:
    """Run programs with ``jobs`` processes in all; yield each when it ends, and why it failed.

    If there are fewer runs than ``jobs``, each has several processes. ``done`` is the number of
    runs that were finished before; the progress counts them. Ctrl-C stops all runs, then is
    raised; a second Ctrl-C kills them.
    """
    waiting = list(runs)
    running: list[Running] = []
    line = ProgressLine(len(runs), done)
    try:
        while waiting or running:
            ended = [one for one in running if one.process.poll() is not None]
            for one in ended:
                running.remove(one)
            free = jobs - sum(one.jobs for one in running)
            while waiting and free > 0:
                share = -(-free // len(waiting))
                running.append(Running(waiting.pop(0), share))
                line.write(f"{running[-1].run.name} starts")
                free -= share
            for one in ended:  # after the next ones have started: the caller may take long
                failure = _failure(one)
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
            with contextlib.suppress(ProcessLookupError):
                one.process.terminate()
        if running:
            log.info("Stopping. Trainings save their checkpoints.")
        for one in running:
            one.process.wait()
    except KeyboardInterrupt:
        for one in running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(one.process.pid, signal.SIGKILL)
        raise


def _failure(ended: Running) -> str | None:
    """Return why a run failed: the end of its log; None if it did not fail."""
    status = ended.process.returncode
    if status == 0:
        return None
    lines = ended.output().rstrip().splitlines()[-TAIL:]
    errors = [at for at, line in enumerate(lines) if line.startswith("cascade: ")]
    end = f"signal {-status}" if status < 0 else f"status {status}"
    return "\n".join(lines[errors[-1] :] if errors else [*lines, f"It ended with {end}."])


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
