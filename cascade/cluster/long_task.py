"""A task of hours on a worker, with the pipe of its reports."""

import contextlib
import multiprocessing
import select
import threading
from collections.abc import Callable
from typing import Any

from cascade.runtime.errors import UserError


class DaskLongTask:
    """A task that a worker has, as `cascade.runtime.long_tasks.LongTask`.

    ``result`` waits for its result, and raises `UserError`; ``stop`` asks it to end.
    """

    def __init__(self, result: Callable[[], Any], stop: Callable[[], None]):
        self.receiver, self._sender = multiprocessing.Pipe(duplex=False)
        self._sending = threading.Lock()
        self._room = select.poll()
        self._room.register(self._sender, select.POLLOUT)
        self.terminate = stop
        threading.Thread(target=self._forward_end, args=(result,), daemon=True).start()

    def report(self, message: object) -> None:
        """Put a report into the pipe, if it has room.

        Dask's client calls this where it receives all messages: it must not wait.
        """
        if self._sending.acquire(blocking=False):
            try:
                if not self._sender.closed and self._room.poll(0):
                    self._sender.send(message)
            except OSError:
                pass  # nobody receives any more
            finally:
                self._sending.release()

    def _forward_end(self, result: Callable[[], Any]) -> None:
        with contextlib.closing(self._sender):
            try:
                last = result()
            except UserError as error:
                last = str(error)
            with self._sending, contextlib.suppress(OSError):
                self._sender.send(last)
