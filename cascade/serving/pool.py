"""The streams of a server, and the worker processes that recognise them in turn."""

import asyncio
import itertools
import logging
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from cascade.serving.metrics import Metrics
from cascade.serving.stream_worker import Job, Process, Reply

log = logging.getLogger("cascade")
TURN = 1.0  # seconds of a stream that a worker takes at once, so that the others wait no longer
WIDTH = 2  # bytes of a sample
WATCH = 1.0  # seconds after which an idle process is looked at


class Broken(Exception):
    """A stream that cannot go on; the message is a sentence for its client."""


class Channel:
    """One stream: samples in, messages out. ``rate`` is its sampling rate in Hz."""

    def __init__(self, number: int, rate: int, worker: "Worker"):
        self.number, self.rate = number, rate
        self.seconds = 0.0  # of speech that came
        self._worker = worker
        self._samples = bytearray()
        self._came = 0.0  # when the first of the waiting samples came
        self._ended = self._given_up = self._waits = False
        self._replies: asyncio.Queue[Reply | None] = asyncio.Queue()

    @property
    def behind(self) -> float:
        """Seconds of speech that wait for recognition."""
        return len(self._samples) / WIDTH / self.rate

    def feed(self, data: bytes) -> None:
        """Take more samples: 16 bits, little-endian."""
        if not self._samples:
            self._came = time.monotonic()
        self._samples += data
        self.seconds += len(data) / WIDTH / self.rate
        self._wait()

    def end(self) -> None:
        """Say that no more samples come."""
        self._ended = True
        self._wait()

    def give_up(self) -> None:
        """Say that nobody wants the words any more."""
        self._given_up = True
        self._wait()

    async def messages(self) -> list[dict[str, Any]] | None:
        """Return the next messages; None at the end. Raises `Broken`."""
        reply = await self._replies.get()
        if isinstance(reply, str):
            raise Broken(reply)
        return reply

    def _wait(self) -> None:
        if not self._waits:
            self._waits = True
            self._worker.ready.put_nowait(self)

    def take(self) -> tuple[Job, float]:
        """Return the next job, and when its samples came."""
        count = round(TURN * self.rate) * WIDTH
        data, came = bytes(self._samples[:count]), self._came
        del self._samples[:count]
        last = self._ended and not self._samples
        job = Job(self.number, self.rate, None if self._given_up else data, last)
        return job, came

    def put(self, job: Job, reply: Reply) -> bool:
        """Take the answer to a job; return whether the stream goes on."""
        self._waits = False
        if job.data is None:
            return False
        if reply:
            self._replies.put_nowait(reply)
        if job.last or isinstance(reply, str):
            self._replies.put_nowait(None)
            return False
        if self._samples or self._ended or self._given_up:
            self._wait()
        return True

    def fail(self, sentence: str) -> None:
        """Tell the reader that the stream cannot go on."""
        self._replies.put_nowait(sentence)


class Worker:
    """A worker process, and the streams that it has."""

    def __init__(self, process: Process, metrics: Metrics):
        self.ready: asyncio.Queue[Channel] = asyncio.Queue()
        self.channels: dict[int, Channel] = {}
        self.dead = False
        self._process, self._metrics = process, metrics
        self._thread = ThreadPoolExecutor(1)

    @property
    def alive(self) -> bool:
        """Whether it can take another stream."""
        return not self.dead and self._process.alive

    async def run(self) -> None:
        """Give the process one job after the other, from each stream in turn."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                async with asyncio.timeout(WATCH):
                    channel = await self.ready.get()
            except TimeoutError:
                if not self._process.alive:
                    self._fail()
                    return
                continue
            if channel.number not in self.channels:
                continue
            job, came = channel.take()
            try:
                reply = await loop.run_in_executor(self._thread, self._process.call, job)
            except (EOFError, OSError):
                self._fail()
                return
            if job.data:
                self._metrics.processed(time.monotonic() - came, reply)
            if not channel.put(job, reply):
                self.channels.pop(channel.number, None)

    def _fail(self) -> None:
        log.error("A worker process has died; its %d streams end.", len(self.channels))
        self.dead = True
        for channel in self.channels.values():
            channel.fail("The process that recognises this stream has died. Connect again.")
        self.channels.clear()


class Pool:
    """All worker processes of streams."""

    def __init__(self, processes: Sequence[Process], metrics: Metrics):
        self._workers = [Worker(process, metrics) for process in processes]
        self._numbers = itertools.count()

    async def run(self) -> None:
        """Serve all streams until it is cancelled, or until no process is left."""
        await asyncio.gather(*(worker.run() for worker in self._workers))

    def open(self, rate: int) -> Channel:
        """Open a stream at the process with the fewest. Raises `Broken` where none is left."""
        alive = [worker for worker in self._workers if worker.alive]
        if not alive:
            raise Broken("No process is left to recognise speech. Restart the server.")
        worker = min(alive, key=lambda worker: len(worker.channels))
        channel = Channel(next(self._numbers), rate, worker)
        worker.channels[channel.number] = channel
        return channel

    @property
    def alive(self) -> int:
        """How many processes are left."""
        return sum(worker.alive for worker in self._workers)
