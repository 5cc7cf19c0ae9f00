"""Stage 3: trains every system of a recipe, side by side, in one process each."""

import contextlib
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

import torch

from cascade.config.experiment import Experiment
from cascade.config.recipe import Recipe
from cascade.model.precision import check_precision
from cascade.model.saved_model import save_model
from cascade.runtime.errors import UserError, explain
from cascade.runtime.files import write_json
from cascade.runtime.workers import die_with_parent
from cascade.training.ablation import ablations
from cascade.training.monitor import Monitor
from cascade.training.progress import Done, Progress
from cascade.training.progress_bars import ProgressBars
from cascade.training.setup import build_trainer, training_device
from cascade.training.trainer import Interrupted

REPORT_EVERY = 0.5  # seconds between two reports of a training to its parent
INTERRUPTED = "interrupted"  # the last message of a training that was asked to stop


def train_systems(
    experiment: Experiment, fingerprints: Mapping[str, str], jobs: int
) -> Iterator[str]:
    """Train systems, up to ``jobs`` at once; yield the name of each when it is done.

    ``fingerprints`` maps each system to a digest of all that its result depends on: a
    training resumes only from a checkpoint with the same fingerprint.

    Raises `UserError` for a precision that this machine does not have. Raises `UserError`
    for failed trainings, after the others have ended. Raises `KeyboardInterrupt` when the
    user stopped them, after all have saved a checkpoint.
    """
    check_machine(experiment.recipe, list(fingerprints))
    context = multiprocessing.get_context("spawn")
    waiting = sorted(fingerprints, key=lambda name: -work(experiment.recipe, name))
    running: dict[Connection, tuple[str, SpawnProcess]] = {}
    failures: list[str] = []
    bars = ProgressBars(list(fingerprints))
    interrupted = False
    try:
        while waiting or running:
            try:
                while waiting and len(running) < jobs and not interrupted:
                    name = waiting.pop(0)
                    receiver, sender = context.Pipe(duplex=False)
                    process = context.Process(
                        target=_train_system,
                        args=(experiment, name, fingerprints[name], sender),
                    )
                    process.start()
                    sender.close()
                    running[receiver] = (name, process)
                ready = wait(list(running))
                for receiver in [one for one in running if one in ready]:
                    name, process = running[receiver]
                    message = _receive(receiver)
                    if isinstance(message, Progress):
                        bars.show(name, message)
                        continue
                    del running[receiver]
                    process.join()
                    if message == INTERRUPTED:
                        interrupted, waiting = True, []
                    elif isinstance(message, Done):
                        bars.done(name, message)
                        yield name
                    else:
                        reason = message or f"its process ended with status {process.exitcode}"
                        failures.append(f"Training of '{name}' failed: {reason}")
            except KeyboardInterrupt:
                interrupted, waiting = True, []
                for _, process in running.values():  # on a terminal Ctrl-C has reached them already
                    if process.pid is not None:
                        os.kill(process.pid, signal.SIGTERM)
    finally:
        bars.close()
    if interrupted:
        raise KeyboardInterrupt
    if failures:
        raise UserError("\n".join(failures))


def work(recipe: Recipe, system: str) -> float:
    """Return about how long a training takes, beside other systems; the longest starts first.

    It is proportional to the frames and to the weights of a layer.
    """
    train, settings = recipe.train_of(system), recipe.systems[system]
    seconds = 0.0
    for stream in recipe.streams_of(system):
        first, last = train.active.get(stream, (0.0, 1.0))
        seconds += (last - first) * train.seconds.get(stream, train.batch_seconds)
    length = train.steps if train.epochs is None else train.epochs
    return length * seconds * sum(settings.layers) * settings.neurons**2


def check_machine(recipe: Recipe, systems: Sequence[str]) -> None:
    """Raise `UserError` where this machine cannot train ``systems`` in their precision."""
    for name in systems:
        check_precision(recipe.train_of(name).precision, training_device())


def _receive(receiver: Connection) -> Progress | Done | str | None:
    """Return the next message of a training; None where it ended without its last one."""
    try:
        message: Progress | Done | str = receiver.recv()
    except EOFError:
        return None
    return message


def _train_system(experiment: Experiment, name: str, fingerprint: str, sender: Connection) -> None:
    """Train one system in this child process; send its progress and its end to the parent.

    The last message is `Done`, `INTERRUPTED`, or the reason of a failure.
    """
    torch.set_num_threads(1)
    die_with_parent()
    try:
        trainer, config = build_trainer(experiment, name, fingerprint)

        def stop(*_: object) -> None:
            trainer.stop_asked = True

        signal.signal(signal.SIGINT, stop)
        signal.signal(signal.SIGTERM, stop)
        reported = 0.0

        def watch(progress: Progress) -> None:
            nonlocal reported
            monitor.show(progress)
            now = time.monotonic()
            due = now - reported >= REPORT_EVERY
            if due or progress.step == progress.steps or progress.message:
                sender.send(progress)
                reported = now

        trainer.resume()
        folder = experiment.layout.system(name)
        monitor = Monitor(folder, trainer.step)
        with contextlib.closing(monitor):
            best = trainer.run(watch)
        network, target = trainer.network, trainer.target
        parts = ablations(network, target, trainer.valid, trainer.device)
        write_json(folder / "ablation.json", parts)
        size = save_model(folder, network.path_of(target), config, experiment.layout.phones)
        sender.send(Done(best["step"], best["per"], size))
    except Interrupted:
        sender.send(INTERRUPTED)
    except UserError as error:
        sender.send(str(error))
    except BrokenPipeError:
        pass  # the parent has ended; the next run resumes from the checkpoint
    except OSError as error:
        sender.send(explain(error))
