"""Trainings on planted speech in several processes, which import this module."""

import multiprocessing
import os
import signal

import numpy as np
import torch
import torch._dynamo  # optimizers import it at their first step, which takes seconds
from planted import PHONES, SETTINGS

from cascade.features.batches import UtteranceSet
from cascade.features.streams import StreamIterator
from cascade.model.network import Network
from cascade.training.ranks import ALONE, LOOPBACK, Meeting, store_here
from cascade.training.trainer import Interrupted, Trainer

CPU = torch.device("cpu")


def trainer(layout, folder, settings, ranks, encoder="lstm") -> Trainer:
    def read(key):
        return UtteranceSet(layout, [key], PHONES, SETTINGS, np.zeros(SETTINGS.filters))

    copies = 2 if settings.consistency else 1
    iterators = [
        StreamIterator(read(key), name, settings.batch_seconds, settings.augment, 0, copies)
        for name, key in (("ru", "train"), ("en", "ext"))
    ]
    torch.manual_seed(0)
    outputs = {name: range(len(PHONES)) for name in ("ru", "en")}
    network = Network(outputs, 24, len(PHONES), (1, 1), 16, settings.dropout, encoder=encoder)
    return Trainer(network, iterators, read("valid"), settings, folder, CPU, ranks=ranks)


def train(
    layout, folder, settings, meeting=None, stop=None, die=None, results=None, encoder="lstm"
) -> None:
    """Train in this process; ``stop`` asks for it after a step, ``die`` is a kill before one."""
    torch.set_num_threads(1)
    run = trainer(layout, folder, settings, meeting.join(CPU) if meeting else ALONE, encoder)
    if meeting and meeting.rank:  # only the first writes
        run._write_history = _of_the_first
    run.resume()
    seen = {}

    def watch(progress):
        seen[progress.step] = progress.losses
        run.stop_asked = progress.step == stop
        if progress.step == die:
            run.checkpoints.wait()
            os.kill(os.getpid(), signal.SIGKILL)

    try:
        run.run(watch)
    except Interrupted:
        seen["stopped"] = run.step
    if results:
        state = {name: tensor.numpy() for name, tensor in run.network.state_dict().items()}
        results.send((seen, state))


def _of_the_first():
    raise AssertionError("Two ranks write train.jsonl.")


def together(layout, folder, settings, world=2, encoder="lstm", **options):
    """Train in ``world`` processes; return what each sent, None for one that died.

    ``options`` of `train` are by rank.
    """
    store = store_here()
    meetings = [Meeting(LOOPBACK, store.port, "test", rank, world, rank) for rank in range(world)]
    return _trained(layout, folder, settings, meetings, encoder, options)


def alone(layout, folder, settings, encoder="lstm"):
    """Train in one process; return what it sent."""
    return _trained(layout, folder, settings, [None], encoder, {})[0]


def _trained(layout, folder, settings, meetings, encoder, options):
    context = multiprocessing.get_context("fork")  # to import torch takes seconds
    processes = []
    for rank, meeting in enumerate(meetings):
        receiver, sender = context.Pipe(duplex=False)
        keys = {key: value.get(rank) for key, value in options.items()}
        keys |= {"meeting": meeting, "results": sender, "encoder": encoder}
        process = context.Process(target=train, args=(layout, folder, settings), kwargs=keys)
        process.start()
        sender.close()
        processes.append((process, receiver))
    sent = []
    for process, receiver in processes:
        try:
            sent.append(receiver.recv())
        except EOFError:
            sent.append(None)
        process.join()
    return sent
