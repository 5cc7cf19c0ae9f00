"""Runs of a sweep's points: programs side by side, each with a log, and one line for all."""

import contextlib
import logging
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from cascade.pipeline.stages import STAGES
from cascade.runtime.workers import die_with_parent

log = logging.getLogger("cascade")
POLL = 0.5  # seconds between two looks at the processes
LINE_EVERY = 60.0  # seconds, where the output is no terminal
TRAINING = 0.9  # the part of a run's time that goes into its trainings, about
TAIL = 15  # lines of a failed run's log that are shown
_STAGE = re.compile(r"Stage (\d), ")
_STEP = re.compile(r"(\S+) *: step (\d+) of (\d+)")


@dataclass(frozen=True)
class Run:
    """A program to run: ``command`` takes ``--nj J`` at its end; ``trainings`` are in it."""

    name: str
    command: tuple[str, ...]
    log: Path
    trainings: int


class Running:
    """A run at work."""

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

    def said(self) -> str:
        """What the run has written since it was started."""
        with self.run.log.open("rb") as stream:
            stream.seek(self.begin)
            return stream.read().decode("utf-8", errors="replace")

    def state(self) -> tuple[str, float]:
        """What it does now, and how much of all is done, from 0 to 1, by its trainings."""
        said = self.said()
        steps = {m[1]: int(m[2]) / int(m[3]) for m in _STEP.finditer(said)}
        doing, at = "begins", -1
        for match in _STAGE.finditer(said):
            doing, at = STAGES[int(match[1])].title, match.start()
        for match in _STEP.finditer(said, max(at, 0)):
            doing = f"{match[1]} {100 * steps[match[1]]:.0f} %"
        return doing, TRAINING * min(1.0, sum(steps.values()) / self.run.trainings)


def run_all(runs: Sequence[Run], jobs: int, done: int = 0) -> Iterator[tuple[Run, str | None]]:
    """Runs programs, ``jobs`` processes at once; yields each as it ends, and why it failed.

    The processes are shared out: fewer runs than ``jobs`` get several each. ``done`` runs
    that need not be run count in the progress. Ctrl-C ends all that run before it is
    raised, a second one at once.
    """
    waiting, running = list(runs), []
    line = Line(len(runs), done)
    try:
        while waiting or running:
            ended = [one for one in running if one.process.poll() is not None]
            for one in ended:
                running.remove(one)
            free = jobs - sum(one.jobs for one in running)
            while waiting and free > 0:
                share = -(-free // len(waiting))
                running.append(Running(waiting.pop(0), share))
                line.say(f"{running[-1].run.name} begins")
                free -= share
            for one in ended:  # after the next have begun: whoever takes it may need long
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
    """Ends runs so that they save what they have; at once, if asked again."""
    try:
        for one in running:
            with contextlib.suppress(ProcessLookupError):
                one.process.terminate()
        if running:
            log.info("Stopping; trainings save what they have.")
        for one in running:
            one.process.wait()
    except KeyboardInterrupt:
        for one in running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(one.process.pid, signal.SIGKILL)
        raise


def _failure(ended: Running) -> str | None:
    """Why a run failed: the end of its log; None if it did not."""
    status = ended.process.returncode
    if status == 0:
        return None
    said = ended.said().rstrip().splitlines()[-TAIL:]
    errors = [at for at, text in enumerate(said) if text.startswith("cascade: ")]
    end = f"signal {-status}" if status < 0 else f"status {status}"
    return "\n".join(said[errors[-1] :] if errors else [*said, f"It ended with {end}."])


class Line:
    """A live line on a terminal, now and then a line elsewhere: done, doing, time left."""

    def __init__(self, total: int, done: int):
        self.total, self.done, self.worked = total, done, 0.0  # worked: in runs
        self.started = self.logged = time.monotonic()
        self.bar: Any = None
        if sys.stderr.isatty():
            form = "{desc} {n_fmt}/{total_fmt} |{bar:20}| {elapsed}{postfix}"
            self.bar = tqdm(
                desc="points", total=total + done, initial=done, bar_format=form, leave=False
            )

    def say(self, text: str) -> None:
        """A line that stays."""
        if self.bar is None:
            log.info("%s", text)
        else:
            tqdm.write(text, file=sys.stderr)

    def ended(self, one: Running, failure: str | None) -> None:
        minutes, seconds = divmod(round(time.monotonic() - one.started), 60)
        verb = "ended after" if failure is None else "failed after"
        self.say(f"{one.run.name} {verb} {minutes}:{seconds:02d}")
        if failure is not None:
            self.say(f"{failure}\nIts log: {one.run.log}")
        self.worked += 1
        if self.bar is not None:
            self.bar.update()

    def show(self, running: Sequence[Running]) -> None:
        """What runs, and when all will be done, at the pace since the beginning."""
        now = time.monotonic()
        if self.bar is None and now - self.logged < LINE_EVERY:
            return
        self.logged = now
        states = [(one.run.name, *one.state()) for one in running]
        worked = self.worked + sum(share for *_, share in states)
        text = "; ".join(f"{name}: {doing}" for name, doing, _ in states)
        if worked >= 0.01 * self.total:
            left = (now - self.started) * (self.total - worked) / worked
            text = f"{tqdm.format_interval(left)} left; {text}"
        if self.bar is None:
            ended = self.done + round(self.worked)
            log.info("%d of %d points done; %s", ended, self.done + self.total, text)
        else:
            self.bar.set_postfix_str(text)

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()
