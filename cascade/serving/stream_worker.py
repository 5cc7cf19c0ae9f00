"""A process that recognises streams: a search keeps Python's lock, so cores need processes.

Worker processes are forked from one that has loaded the graphs, and share its memory.
"""

import gc
import logging
import multiprocessing
import os
import signal
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import soxr

from cascade.runtime.workers import die_with_parent
from cascade.streaming.messages import message
from cascade.streaming.microphone import samples_of
from cascade.streaming.stream import Parts, Stream

log = logging.getLogger("cascade")
FORK = multiprocessing.get_context("fork")


class Job(NamedTuple):
    """The next piece of a stream.

    Attributes:
        stream: Its number.
        rate: The sampling rate of its samples in Hz.
        data: 16-bit little-endian samples of one channel. None: the stream is given up.
        last: Whether the stream ends with them.
    """

    stream: int
    rate: int
    data: bytes | None
    last: bool


Reply = list[dict[str, Any]] | str  # messages for the client, or what went wrong


class Process:
    """A worker process, and the way to it. ``others`` are ways that the process must not keep."""

    def __init__(self, work: Callable[[Connection], None], others: Sequence["Process"], name: str):
        gc.freeze()  # what is there now stays in memory that all processes share
        self.connection, theirs = FORK.Pipe()
        ours = [self.connection, *(other.connection for other in others)]
        arguments = (work, theirs, ours, os.getpid())
        self._process = FORK.Process(target=_begin, args=arguments, name=name)
        self._process.start()
        theirs.close()

    def call(self, job: object) -> Any:
        """Return the answer to a job. Raises `EOFError` or `OSError` if the process has died."""
        self.connection.send(job)
        return self.connection.recv()

    def stop(self) -> None:
        """End the process at once. A thread that waits in `call` gets an `EOFError`."""
        self._process.kill()
        self._process.join()

    @property
    def alive(self) -> bool:
        return self._process.is_alive()

    @property
    def pid(self) -> int | None:
        return self._process.pid


def _begin(
    work: Callable[[Connection], None],
    connection: Connection,
    others: Sequence[Connection],
    parent: int,
) -> None:
    die_with_parent()  # a killed server cannot stop it
    if os.getppid() != parent:  # it was killed before
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server stops its workers
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for other in others:
        other.close()  # a pipe ends when nobody holds its other end
    work(connection)


class StreamWorker:
    """What a worker process does: it recognises the streams that are given to it."""

    def __init__(self, parts: Parts, pause: float):
        self._parts, self._pause = parts, pause
        self._streams: dict[int, tuple[Stream, soxr.ResampleStream | None]] = {}

    def __call__(self, connection: Connection) -> None:
        """Answer one job after the other, until the server hangs up."""
        while True:
            try:
                job = connection.recv()
            except EOFError:
                return
            try:
                reply = self._answer(job)
            except Exception:
                log.exception("A stream cannot be recognised.")
                self._streams.pop(job.stream, None)
                reply = "The stream cannot be recognised: an error of the server."
            connection.send(reply)

    def _answer(self, job: Job) -> Reply:
        if job.data is None:
            self._streams.pop(job.stream, None)
            return []
        stream, resampler = self._streams.get(job.stream) or self._open(job)
        samples = samples_of(job.data)
        if resampler:
            samples = resampler.resample_chunk(samples, last=job.last)
        events = [*stream.accept(samples)]
        if job.last:
            events += stream.finish()
            del self._streams[job.stream]
        return [message(event) for event in events]

    def _open(self, job: Job) -> tuple[Stream, soxr.ResampleStream | None]:
        rate = self._parts.features.rate
        same = job.rate == rate
        resampler = None if same else soxr.ResampleStream(job.rate, rate, 1, dtype="float32")
        opened = Stream(self._parts, self._pause), resampler
        self._streams[job.stream] = opened
        return opened
