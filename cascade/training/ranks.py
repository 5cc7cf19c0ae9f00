"""The processes that train one system together, each with its share of every batch.

PyTorch's words: a *rank* is the number of such a process, the *world* is all of them.
"""

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

Value = TypeVar("Value")
ASK_EVERY = 0.5  # seconds; a call of the store that waits would not see Ctrl-C
PATIENCE = timedelta(hours=6)  # for a rank that validates; one that died ends the others at once


@dataclass(frozen=True)
class Ranks:
    """This process among those of a training. The default is a training in one process."""

    rank: int = 0
    world: int = 1

    @property
    def first(self) -> bool:
        """Whether this process validates, and writes checkpoints and the model."""
        return self.rank == 0

    def sum(self, values: Tensor) -> Tensor:
        """Return the sum of the values of all ranks; all call this at the same time."""
        if self.world > 1:
            dist.all_reduce(values)
        return values

    def of_first(self, value: Value) -> Value:
        """Return the value that the first rank has; all call this at the same time."""
        if self.world == 1:
            return value
        values = [value if self.first else None]
        dist.broadcast_object_list(values, 0)
        return values[0]  # type: ignore[return-value]

    def together(self, network: nn.Module, some_unused: bool) -> nn.Module:
        """Return the network with gradients that are the means of those of all ranks.

        ``some_unused``: a step may leave out parameters, those of languages that are not active.
        """
        if self.world == 1:
            return network
        return DistributedDataParallel(
            network, find_unused_parameters=some_unused, forward_sync_buffers=False
        )


ALONE = Ranks()


@dataclass(frozen=True)
class Meeting:
    """Where the processes of a training meet: a key-value store of torch, and a name in it.

    ``local`` is the number of this process on its machine.
    """

    host: str
    port: int
    name: str
    rank: int
    world: int
    local: int

    def join(self, device: torch.device) -> Ranks:
        """Meet the other processes; return when all are there."""
        if self.host == LOOPBACK:
            os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
        store = dist.TCPStore(self.host, self.port, is_master=False, timeout=PATIENCE)
        dist.init_process_group(
            "nccl" if device.type == "cuda" else "gloo",
            store=dist.PrefixStore(self.name, store),
            rank=self.rank,
            world_size=self.world,
            timeout=PATIENCE,
        )
        return Ranks(self.rank, self.world)


LOOPBACK = "127.0.0.1"


def store_here() -> Any:
    """Return a store in this process for processes of this machine; its ``port`` is free."""
    return dist.TCPStore(LOOPBACK, 0, is_master=True, wait_for_workers=False)


@dataclass(frozen=True)
class Torchrun:
    """A process that torchrun has started: the first runs the stages, the others follow it.

    They find each other through the store of torchrun's agent.
    """

    rank: int
    world: int
    local: int
    host: str
    port: int
    attempt: str
    store: dist.Store

    @staticmethod
    def is_here() -> bool:
        """Return whether torchrun has started this process."""
        return "TORCHELASTIC_RUN_ID" in os.environ

    @classmethod
    def here(cls) -> "Torchrun":
        """Return that of this process, which torchrun has started."""
        environment = os.environ
        host, port = environment["MASTER_ADDR"], int(environment["MASTER_PORT"])
        store = dist.TCPStore(host, port, is_master=False, wait_for_workers=False)
        attempt = f"cascade/{environment.get('TORCHELASTIC_RESTART_COUNT', '0')}"
        rank, world = int(environment["RANK"]), int(environment["WORLD_SIZE"])
        local = int(environment["LOCAL_RANK"])
        prefixed = dist.PrefixStore(attempt, store)
        return cls(rank, world, local, host, port, attempt, prefixed)

    def announce(self, system: str, fingerprint: str) -> Meeting:
        """Tell the other processes of a training; return where to meet them."""
        return self._announce([system, fingerprint])

    def finish(self) -> None:
        """Tell the other processes that there is no further training."""
        self._announce(None)

    def announced(self) -> Iterator[tuple[str, str, Meeting]]:
        """Yield the trainings that the first process announces, until it has finished."""
        number = 1
        while True:
            while not self.store.check([str(number)]):
                time.sleep(ASK_EVERY)
            training = json.loads(self.store.get(str(number)))
            if training is None:
                return
            yield training[0], training[1], self._meeting(number)
            number += 1

    def _announce(self, training: list[str] | None) -> Meeting:
        number = self.store.add("count", 1)
        self.store.set(str(number), json.dumps(training))
        return self._meeting(number)

    def _meeting(self, number: int) -> Meeting:
        name = f"{self.attempt}/training{number}"
        return Meeting(self.host, self.port, name, self.rank, self.world, self.local)
