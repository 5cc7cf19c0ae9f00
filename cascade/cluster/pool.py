"""A pool whose tasks run on the workers of a Dask scheduler."""

import contextlib
import json
import logging
import pickle
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from distributed import Client, Event, Future, KilledWorker

from cascade.cluster import part
from cascade.cluster.long_task import DaskLongTask
from cascade.runtime.errors import UserError

log = logging.getLogger("cascade")
logging.getLogger("distributed").setLevel(logging.WARNING)  # it tells of every connection
TIMEOUT = 10.0  # seconds until a scheduler must have answered
PATIENCE = 60.0  # seconds without a worker after which a running scheduler is of no use
AHEAD = 4  # parts given to a worker before the first of their results is used


class DaskCluster:
    """The workers of a running scheduler.

    ``folder`` is one that the workers see; each pool has its marks in a folder inside. With
    ``trains``, the workers train, too. Raises `UserError` where no scheduler answers, and where
    its Dask is another one.
    """

    def __init__(self, address: str, folder: Path, trains: bool = False):
        self.address, self.folder, self.trains = address, folder, trains
        with self.connected() as client:
            _check_dask(client, address)

    def scheduler(self) -> str:
        """Return the address of the scheduler, once workers have been asked for."""
        return self.address

    def release(self) -> None:
        """Others started the workers, and stop them."""

    @contextmanager
    def connected(self) -> Iterator[Client]:
        address = self.scheduler()
        try:
            client = Client(address, timeout=TIMEOUT, set_as_default=False)
        except (OSError, ValueError) as error:
            raise UserError(
                f"No Dask scheduler answers at {address} ({_last_line(error)}). Start one, in the"
                " project's folder: . ./path.sh; dask scheduler"
            ) from None
        with client:
            yield client

    @contextmanager
    def pool(self, shared: object = None) -> "Iterator[DaskPool]":
        """A pool; ``shared`` is what its tasks share (`cascade.runtime.workers.shared_map`)."""
        self.folder.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".parts-", dir=self.folder))
        try:
            conditions = json.dumps(part.conditions())
            (folder / "conditions.json").write_text(conditions, encoding="utf-8")
            with (folder / "shared.pickle").open("wb") as stream:
                pickle.dump(shared, stream, protocol=pickle.HIGHEST_PROTOCOL)
            with self.connected() as client:
                self.await_worker(client)
                with contextlib.closing(DaskPool(client, folder)) as pool:
                    yield pool
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def await_worker(self, client: Client) -> None:
        """Return when there is a worker."""
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except TimeoutError:
            raise UserError(
                f"The Dask scheduler at {self.address} has no worker. Start one or more, in the"
                f" project's folder: . ./path.sh; dask worker {self.address} --nthreads 1"
            ) from None


class DaskPool:
    """The workers of a scheduler as `cascade.runtime.workers.Pool`, and for long tasks."""

    def __init__(self, client: Client, folder: Path):
        self.client, self.folder = client, folder
        self.topic = client.id  # the scheduler forgets its events when the client has gone
        self._numbers = count()
        self._counted, self._workers = 0.0, 1
        self._long: dict[int, tuple[DaskLongTask, DaskPart]] = {}
        self._stop: Event | None = None

    @property
    def workers(self) -> int:
        """How many workers there are, at least 1; they are counted once a second."""
        if time.monotonic() - self._counted > 1:
            self._workers = max(1, _count_workers(self.client))
            self._counted = time.monotonic()
        return self._workers

    @property
    def ahead(self) -> int:
        """How many parts to have in work."""
        return AHEAD * self.workers

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "DaskPart":
        """Give a task to the workers."""
        return DaskPart(self, next(self._numbers), partial(function, *args, **kwargs))

    def start(self, function: Callable[..., Any], /, *args: Any) -> DaskLongTask:
        """Give a long task to the workers."""
        if not self._long:
            self.client.subscribe_topic(self.topic, self._receive)
        number = next(self._numbers)
        work = DaskPart(self, number, partial(function, *args), long=True)
        task = DaskLongTask(work.result, self.stop)
        self._long[number] = task, work
        return task

    def _receive(self, event: tuple[float, Any]) -> None:
        """Take a report of a worker; the topic has messages of Dask, too.

        Whoever can send one here can run any code on the workers without it: see `part`.
        """
        message = event[1]
        if isinstance(message, dict) and message.get("part") in self._long:
            self._long[message["part"]][0].report(pickle.loads(message["message"]))

    def stop(self) -> None:
        """Ask all long tasks to end."""
        self._stop = Event(part.stop_name(str(self.folder)), self.client)
        with contextlib.suppress(OSError):  # without a scheduler they end by themselves
            self._stop.set()
            if not _count_workers(self.client):  # they are not at work
                for _, work in self._long.values():
                    work.cancel()

    def close(self) -> None:
        """Leave nothing with the scheduler."""
        if self._stop:
            with contextlib.suppress(OSError):
                self._stop.clear()


class DaskPart:
    """A task that was given to the workers. If it fails, it is done again, once.

    ``long``: it is a task with no utterances, which its caller names.
    """

    def __init__(self, pool: DaskPool, number: int, call: Callable[[], Any], long: bool = False):
        self._pool, self._long = pool, long
        # Pickled here, so that the scheduler need not unpickle it.
        self._call = (str(pool.folder), number, pool.topic, pickle.dumps(call))
        self._future = self._given()

    def _given(self) -> Future:
        return self._pool.client.submit(
            *(part.run, *self._call), pure=False, retries=part.ATTEMPTS - 1
        )

    def result(self) -> Any:
        """Return the task's result; raise its `UserError`, or one if it has failed twice."""
        while True:
            try:
                result = self._future.result(timeout=PATIENCE)
            except TimeoutError:
                if not _count_workers(self._pool.client):
                    log.warning("warning: the cluster has no worker now. Waiting for one.")
            except KilledWorker:  # it may only have waited there; its marks say more
                self._future = self._given()
            except CancelledError:
                raise UserError(
                    "The connection to the Dask scheduler is lost. Start it and its workers"
                    " again, then run the same command to continue."
                ) from None
            except part.PartFailed as error:
                at, why = error.args
                raise UserError(
                    f"it has failed twice on the cluster, the last time because {why}. The same"
                    " command continues it."
                    if self._long
                    else f"A part of the work has failed twice on the cluster, the last time at"
                    f" {at}: {why}. Replace or leave out the utterance, or give the workers more"
                    " memory. Then run the same command to continue."
                ) from None
            except RuntimeError as error:
                raise UserError(
                    f"The Dask scheduler cannot import cascade ({_last_line(error)}). Start it and"
                    " its workers in the project's folder, after . ./path.sh"
                ) from None
            else:
                if isinstance(result, UserError):
                    raise result
                return result

    def cancel(self) -> bool:
        """Take the task back if it has not begun."""
        self._future.cancel()
        return True


def _count_workers(client: Client) -> int:
    """Return how many workers there are. The client's list of them is empty now and then."""
    return client.scheduler_info(n_workers=0).get("n_workers", 0)


def _check_dask(client: Client, address: str) -> None:
    """Raise `UserError` where the scheduler has another Python or Dask than this process."""
    versions: Any = client.get_versions()
    ours, theirs = (versions[side]["packages"] for side in ("client", "scheduler"))
    for name in ("python", "dask", "distributed"):
        if theirs[name] != ours[name]:
            raise UserError(
                f"The Dask scheduler at {address} has {name} {theirs[name]}, and this run has"
                f" {ours[name]}. Start the scheduler in the project's folder, after . ./path.sh"
            )


def _last_line(error: Exception) -> str:
    return str(error).rstrip().rpartition("\n")[2] or type(error).__name__
