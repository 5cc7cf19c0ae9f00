"""Runs of a sweep on the workers of a cluster, one on each."""

import os
import signal
import sys
import time
from dataclasses import replace

from cascade.runtime.lock import turn
from cascade.runtime.long_tasks import POLL, STOPS, Died, LongPool, must_end, report
from cascade.sweeps.running import Run, Running, launch


class RunningOnWorker(Running):
    """A run that was given to a worker of ``pool``; it has one process."""

    def __init__(self, run: Run, pool: LongPool):
        self.run, self.jobs, self.started = run, 1, time.monotonic()
        run.log.parent.mkdir(parents=True, exist_ok=True)
        run.log.touch()
        self.begin = run.log.stat().st_size  # until the worker reports it
        self._task = pool.start(_run_on_worker, run)
        self._end: int | str | None = None

    def ended(self) -> bool:
        while self._end is None and self._task.receiver.poll():
            self._receive()
        return self._end is not None

    def _receive(self) -> None:
        try:
            message = self._task.receiver.recv()
        except EOFError:
            message = "the worker has sent no result"
        if isinstance(message, tuple):
            (self.begin,) = message  # where in the log the output of this attempt begins
        else:
            self._end = message

    def status(self) -> int | str:
        assert self._end is not None
        return self._end

    def stop(self) -> None:
        self._task.terminate()

    def wait(self) -> None:
        while self._end is None:
            self._receive()

    def kill(self) -> None:
        """It ends when the run has left the cluster."""


def _run_on_worker(run: Run) -> int:
    """Run a program in a child process of this worker; return its exit status.

    It ends with the worker, and where the run of the sweep stops or is no more. Raises `Died` if
    the program was killed, or stopped without the sweep's wish.
    """
    with turn(run.log.parent):
        pass  # one that another worker had has ended
    run = replace(run, command=(sys.executable, *run.command[1:]))  # the worker's own Python
    process, begin = launch(run, 1)
    try:
        report((begin,))
        reason = None
        while process.poll() is None:
            if not reason and (reason := must_end()):
                process.terminate()
            time.sleep(POLL)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    status = process.returncode
    if status == 0 or reason == STOPS:
        return status
    if reason or status < 0 or status == 128 + signal.SIGINT:  # as `cascade.cli.main` ends
        raise Died(reason or f"its process ended with status {status}")
    return status
