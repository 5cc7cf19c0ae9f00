"""The processes that train one system: one, or several ranks."""

import contextlib
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any

from cascade.training.progress import Done, Progress

INTERRUPTED = "interrupted"  # the last message of a training that was asked to stop
FINISHED = "finished"  # that of a rank that is not the first, which sends `Done`
LOST = "it has lost the other processes of the training"  # begins what such a rank sends
GRACE = 10.0  # seconds in which ranks that have lost another one end by themselves


@dataclass
class Team:
    """The processes of a training on this machine, each with the pipe of its messages.

    The last message of a process is `Done`, `FINISHED`, `INTERRUPTED`, or the reason of a
    failure. ``place`` is the number of the training among those that run side by side.
    """

    name: str
    place: int
    processes: dict[Connection, SpawnProcess] = field(default_factory=dict)
    size: int = 0
    done: Done | None = None
    interrupted: bool = False
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
        process.join()
        if isinstance(message, Done):
            self.done = message
        elif message == INTERRUPTED:
            self.interrupted = True
        elif message != FINISHED:
            failed = not self.reasons
            which = "its process" if self.size == 1 else "one of its processes"
            self.reasons.append(message or f"{which} ended with status {process.exitcode}")
            if failed:
                self._end()
        return None

    def interrupt(self) -> None:
        """Ask all processes to save a checkpoint and to stop."""
        for process in self.processes.values():
            if process.pid is not None:
                os.kill(process.pid, signal.SIGTERM)

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
            process.join(max(0.0, deadline - time.monotonic()))
            if process.is_alive():
                process.kill()
                process.join()
                self.processes.pop(receiver)
                continue
            with contextlib.suppress(KeyError):
                while receiver in self.processes:
                    self.receive(receiver)
