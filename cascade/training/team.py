"""The processes that train one system: one, or several ranks."""

import contextlib
import multiprocessing
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

from cascade.runtime.lock import turn
from cascade.runtime.long_tasks import POLL, STOPS, Died, LongPool, LongTask, must_end, report
from cascade.training.progress import Done, Progress

INTERRUPTED = "interrupted"  # the last message of a training that was asked to stop
FINISHED = "finished"  # that of a rank that is not the first, which sends `Done`
LOST = "it has lost the other processes of the training"  # begins what such a rank sends
GRACE = 10.0  # seconds in which ranks that have lost another one end by themselves


@dataclass
class Team:
    """The processes of a training on this machine, each with the pipe of its messages.

    Or one task of a worker that trains (`start_on`), with the messages of its process.
    The last message of a process is `Done`, `FINISHED`, `INTERRUPTED`, or the reason of a
    failure. ``place`` is the number of the training among those that run side by side.
    ``died``: a process has ended without its last message.
    """

    name: str
    place: int
    processes: dict[Connection, SpawnProcess | LongTask] = field(default_factory=dict)
    size: int = 0
    done: Done | None = None
    interrupted: bool = False
    died: bool = False
    reasons: list[str] = field(default_factory=list)

    def start(self, target: Callable[..., None], calls: Sequence[tuple[Any, ...]]) -> None:
        """Start a process for each of ``calls``; its last argument is the pipe."""
        context = multiprocessing.get_context("spawn")
        for arguments in calls:
            receiver, sender = context.Pipe(duplex=False)
            process = context.Process(target=target, args=(*arguments, sender))
            process.start()
            sender.close()
            self.processes[receiver] = process
        self.size = len(calls)

    def start_on(
        self, pool: LongPool, folder: Path, target: Callable[..., None], call: tuple[Any, ...]
    ) -> None:
        """Let a worker start the process; ``folder`` is what the training writes in."""
        task = pool.start(_train_on_worker, self.name, self.place, folder, target, call)
        self.processes[task.receiver] = task
        self.size = 1

    def receive(self, receiver: Connection) -> Progress | None:
        """Take a message of one process; return it if it is progress.

        After the first failure the other processes end, too.
        """
        message: Progress | Done | str | None
        try:
            message = receiver.recv()
        except EOFError:
            message = None
        if isinstance(message, Progress):
            return message
        process = self.processes.pop(receiver)
        status = None
        if isinstance(process, SpawnProcess):
            process.join()
            status = process.exitcode
        if isinstance(message, Done):
            self.done = message
        elif message == INTERRUPTED:
            self.interrupted = True
        elif message != FINISHED:
            failed = not self.reasons
            self.died = self.died or message is None
            which = "its process" if self.size == 1 else "one of its processes"
            self.reasons.append(message or f"{which} ended with status {status}")
            if failed:
                self._end()
        return None

    def interrupt(self) -> None:
        """Ask all processes to save a checkpoint and to stop."""
        for process in self.processes.values():
            process.terminate()

    def drain(self) -> None:
        """Take all messages until the processes have ended."""
        for receiver in list(self.processes):
            while receiver in self.processes:
                self.receive(receiver)

    @property
    def failure(self) -> str | None:
        """Why the training failed, in one sentence; None where it did not."""
        own = [reason for reason in self.reasons if not reason.startswith(LOST)]
        reasons = own or self.reasons
        return f"Training of '{self.name}' failed: {reasons[0]}" if reasons else None

    def _end(self) -> None:
        """End processes that wait for one that has failed; take their messages."""
        deadline = time.monotonic() + GRACE
        for receiver, process in list(self.processes.items()):
            assert isinstance(process, SpawnProcess)  # a worker's task is the only one of its team
            process.join(max(0.0, deadline - time.monotonic()))
            if process.is_alive():
                process.kill()
                process.join()
                self.processes.pop(receiver)
                continue
            with contextlib.suppress(KeyError):
                while receiver in self.processes:
                    self.receive(receiver)


def _train_on_worker(
    name: str, place: int, folder: Path, target: Callable[..., None], call: tuple[Any, ...]
) -> Done | str:
    """Train in a child process of this worker; report its progress, return its last message.

    The process ends with the worker. It saves a checkpoint and ends when the run stops, or is no
    more. Then another run may begin the same training: ``folder`` is locked meanwhile. Raises
    `Died` where the process was killed, or stopped without the run's wish.
    """
    multiprocessing.current_process().daemon = False  # Dask's are, and may have no children
    with turn(folder):
        team, reason = Team(name, place), must_end()
        if not reason:
            team.start(target, [call])
        while team.processes:
            for receiver in wait([*team.processes], POLL):
                assert isinstance(receiver, Connection)
                if progress := team.receive(receiver):
                    report(progress)
            if not reason and (reason := must_end()):
                team.interrupt()
    if team.done:
        return team.done
    if reason == STOPS:
        return INTERRUPTED
    if reason or team.interrupted:
        raise Died(reason or "its process was stopped on the worker")
    if team.died:
        raise Died(team.reasons[0])
    return team.reasons[0]
