"""A run of a sweep in a process of this machine, with its log."""

import contextlib
import os
import re
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from cascade.pipeline.stages import STAGES
from cascade.runtime.workers import die_with_parent

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


def launch(run: Run, jobs: int) -> tuple[subprocess.Popen[bytes], int]:
    """Start a run with ``jobs`` processes; return it, and where in the log its output begins."""
    run.log.parent.mkdir(parents=True, exist_ok=True)
    command = [*run.command, "--nj", str(jobs)]
    with run.log.open("a", encoding="utf-8") as stream:
        stream.write(f"# {time.strftime('%Y-%m-%d %H:%M:%S')} {' '.join(command)}\n")
        stream.flush()
        begin = stream.tell()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            start_new_session=True,  # Ctrl-C is the sweep's to handle
            preexec_fn=die_with_parent,
        )
        return process, begin


class Running:
    """A run whose process has started, with ``jobs`` processes of its own."""

    def __init__(self, run: Run, jobs: int):
        self.run, self.jobs, self.started = run, jobs, time.monotonic()
        self.process, self.begin = launch(run, jobs)

    def ended(self) -> bool:
        return self.process.poll() is not None

    def status(self) -> int | str:
        """Return the exit status of a run that has ended, or why it has none."""
        return self.process.returncode

    def stop(self) -> None:
        """Ask the run to save its checkpoints and to end."""
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()

    def wait(self) -> None:
        self.process.wait()

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

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

    def failure(self) -> str | None:
        """Return why a run that has ended failed: the end of its log; None if it did not fail."""
        status = self.status()
        if status == 0:
            return None
        if isinstance(status, str):
            return status
        lines = self.output().rstrip().splitlines()[-TAIL:]
        errors = [at for at, line in enumerate(lines) if line.startswith("cascade: ")]
        end = f"signal {-status}" if status < 0 else f"status {status}"
        return "\n".join(lines[errors[-1] :] if errors else [*lines, f"It ended with {end}."])
