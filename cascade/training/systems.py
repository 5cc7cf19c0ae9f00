"""Stage 3: trains every system of a recipe, side by side, in one process each or in several."""

import contextlib
import dataclasses
import itertools
import signal
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from multiprocessing.connection import Connection, wait

import torch

from cascade.config.experiment import Experiment
from cascade.config.recipe import Recipe
from cascade.config.systems import AUTO
from cascade.model.precision import check_precision
from cascade.model.saved_model import save_model
from cascade.runtime.errors import UserError, explain
from cascade.runtime.files import write_json, write_text
from cascade.runtime.long_tasks import POLL, LongPool, training_pool
from cascade.runtime.origin import TRAINED_ON, origin, processor
from cascade.runtime.workers import die_with_parent
from cascade.training.ablation import ablations
from cascade.training.monitor import Monitor
from cascade.training.progress import Done, Progress
from cascade.training.progress_bars import ProgressBars
from cascade.training.ranks import ALONE, LOOPBACK, Meeting, Torchrun, store_here
from cascade.training.setup import build_trainer, training_device
from cascade.training.team import FINISHED, INTERRUPTED, LOST, Team
from cascade.training.trainer import Interrupted

REPORT_EVERY = 0.5  # seconds between two reports of a training to its parent
READERS = 4  # the most processes that read for a training, where the recipe does not say it


def train_systems(
    experiment: Experiment, fingerprints: Mapping[str, str], jobs: int, gpus: int | None = None
) -> Iterator[str]:
    """Train systems, up to ``jobs`` at once; yield the name of each when it is done.

    On the workers of a cluster that trains, each has one system, and ``jobs`` is of no account.
    ``fingerprints`` maps each system to a digest of all that its result depends on: a
    training resumes only from a checkpoint with the same fingerprint. With ``gpus``, each system
    trains in so many processes, with a GPU each where there are any, else on the CPU. Under
    torchrun it trains in all processes that torchrun has started.

    Raises `UserError` for a precision that the machine does not have. Raises `UserError`
    for failed trainings, after the others have ended. Raises `KeyboardInterrupt` when the
    user stopped them, after all have saved a checkpoint.
    """
    with training_pool() as pool:
        if pool:
            trains: _Here | _Workers = _Workers(pool)
        else:
            check_machine(experiment.recipe, list(fingerprints))
            trains = _Here(experiment.recipe, fingerprints, jobs, gpus)
            experiment = with_readers(experiment, len(fingerprints), trains.room, jobs, gpus)
        yield from _train_side_by_side(experiment, fingerprints, trains)


class _Here:
    """Trains on this machine: a system in one process, in ``gpus``, or in those of torchrun."""

    look_every = None  # seconds: the room is always the same

    def __init__(self, recipe: Recipe, systems: Iterable[str], jobs: int, gpus: int | None):
        self.gpus, self.room = gpus, jobs
        self.others = Torchrun.here() if Torchrun.is_here() else None
        for name in systems if self.others or gpus else ():
            if AUTO in recipe.train_of(name).weights.values():
                raise UserError(
                    f"systems.{name}: a weight '{AUTO}' is measured in one process only. Give a"
                    " number in train.weights, or leave --gpus and torchrun out."
                )
        if self.others:
            self.room = 1
        elif gpus:
            self.room = max(1, (torch.cuda.device_count() or jobs) // gpus)
        self.store = store_here() if gpus and not self.others else None

    def start(self, team: Team, experiment: Experiment, fingerprint: str) -> None:
        name, place, gpus = team.name, team.place, self.gpus
        meetings: list[Meeting | None] = [None]
        if self.others:
            meetings = [self.others.announce(name, fingerprint)]
        elif self.store and gpus:
            meetings = [
                Meeting(LOOPBACK, self.store.port, name, rank, gpus, place * gpus + rank)
                for rank in range(gpus)
            ]
        calls = [(experiment, name, fingerprint, place, one) for one in meetings]
        team.start(_train_system, calls)


class _Workers:
    """Trains on the workers of a cluster, one system each."""

    look_every = POLL  # workers come and go

    def __init__(self, pool: LongPool):
        self.pool = pool

    @property
    def room(self) -> int:
        return self.pool.workers

    def start(self, team: Team, experiment: Experiment, fingerprint: str) -> None:
        call = (experiment, team.name, fingerprint, team.place, None)
        team.start_on(self.pool, experiment.layout.system(team.name), _train_system, call)


def _train_side_by_side(
    experiment: Experiment, fingerprints: Mapping[str, str], trains: _Here | _Workers
) -> Iterator[str]:
    """Train systems as `train_systems` does, as many at once as there is room for."""
    waiting = sorted(fingerprints, key=lambda name: -work(experiment.recipe, name))
    running: list[Team] = []
    failures: list[str] = []
    bars = ProgressBars(list(fingerprints))
    interrupted = False
    try:
        while waiting or running:
            try:
                while waiting and len(running) < trains.room and not interrupted:
                    name = waiting.pop(0)
                    places = {team.place for team in running}
                    team = Team(name, next(n for n in itertools.count() if n not in places))
                    running.append(team)
                    trains.start(team, experiment, fingerprints[name])
                pipes = [pipe for team in running for pipe in team.processes]
                ready = wait(pipes, trains.look_every if waiting else None)
                for team in list(running):
                    for receiver in [pipe for pipe in team.processes if pipe in ready]:
                        progress = team.receive(receiver) if receiver in team.processes else None
                        if progress:
                            bars.show(team.name, progress)
                    if team.processes:
                        continue
                    running.remove(team)
                    if team.failure:
                        failures.append(team.failure)
                    elif team.interrupted:
                        interrupted, waiting = True, []
                    elif team.done:
                        bars.done(team.name, team.done)
                        yield team.name
            except KeyboardInterrupt:
                interrupted, waiting = True, []
                for team in running:  # on a terminal Ctrl-C has reached them already
                    team.interrupt()
    finally:
        bars.close()
        for team in running:  # the caller has failed: they save checkpoints
            team.interrupt()
        for team in running:
            team.drain()
    if interrupted:
        raise KeyboardInterrupt
    if failures:
        raise UserError("\n".join(failures))


def with_readers(
    experiment: Experiment, systems: int, room: int, jobs: int, gpus: int | None
) -> Experiment:
    """Return the experiment with ``train.workers`` for a GPU: those of ``jobs`` without a training.

    ``room`` of the ``systems`` train at once, in ``gpus`` processes each. What the recipe says
    stays.
    """
    recipe, training = experiment.recipe, min(systems, room) * (gpus or 1)
    on_cpu = training_device().type == "cpu"
    if recipe.train.workers is not None or on_cpu or Torchrun.is_here():
        return experiment
    readers = min(max(0, jobs - training) // training, READERS)
    train = dataclasses.replace(recipe.train, workers=readers)
    return dataclasses.replace(experiment, recipe=dataclasses.replace(recipe, train=train))


def follow(experiment: Experiment) -> None:
    """Train what the first process of torchrun announces, as one of its ranks.

    Raises `UserError` for a failed training, and `KeyboardInterrupt` where it was stopped.
    """
    for name, fingerprint, meeting in Torchrun.here().announced():
        team = Team(name, meeting.local)
        team.start(_train_system, [(experiment, name, fingerprint, meeting.local, meeting)])
        while team.processes:
            try:
                for receiver in list(team.processes):
                    team.receive(receiver)
            except KeyboardInterrupt:
                team.interrupt()
        if team.failure:
            raise UserError(team.failure)
        if team.interrupted:
            raise KeyboardInterrupt


def work(recipe: Recipe, system: str) -> float:
    """Return about how long a training takes, beside other systems; the longest starts first.

    It is proportional to the frames and to the weights of a layer. A layer of a BLSTM or of a
    Conformer has about three times those of an LSTM.
    """
    train, settings = recipe.train_of(system), recipe.systems[system]
    seconds = 0.0
    for stream in recipe.streams_of(system):
        first, last = train.active.get(stream, (0.0, 1.0))
        seconds += (last - first) * train.seconds.get(stream, train.batch_seconds)
    length = train.steps if train.epochs is None else train.epochs
    weights = settings.neurons**2 * (1 if recipe.encoder_of(system) == "lstm" else 3)
    return length * seconds * sum(settings.layers) * weights


def check_machine(recipe: Recipe, systems: Sequence[str]) -> None:
    """Raise `UserError` where this machine cannot train ``systems`` in their precision."""
    for name in systems:
        check_precision(recipe.train_of(name).precision, training_device())


def _train_system(
    experiment: Experiment,
    name: str,
    fingerprint: str,
    place: int,
    meeting: Meeting | None,
    sender: Connection,
) -> None:
    """Train one system in this child process; send its progress and its end to the parent.

    With a ``meeting`` it is one of several ranks. ``place`` is the number of the training on
    this machine. See `Team` for the last message.
    """
    torch.set_num_threads(1)
    die_with_parent()
    try:
        device = training_device(meeting.local if meeting else place)
        if device.type == "cuda":
            torch.cuda.set_device(device)
        check_precision(experiment.recipe.train_of(name).precision, device)
        ranks = meeting.join(device) if meeting else ALONE
        trainer, config = build_trainer(experiment, name, fingerprint, device, ranks)

        def stop(*_: object) -> None:
            trainer.stop_asked = True

        signal.signal(signal.SIGINT, stop)
        signal.signal(signal.SIGTERM, stop)
        trainer.resume()
        if not ranks.first:
            trainer.run(lambda progress: None)
            sender.send(FINISHED)
            return
        reported = 0.0

        def watch(progress: Progress) -> None:
            nonlocal reported
            monitor.show(progress)
            now = time.monotonic()
            due = now - reported >= REPORT_EVERY
            if due or progress.step == progress.steps or progress.message:
                sender.send(progress)
                reported = now

        folder = experiment.layout.system(name)
        monitor = Monitor(folder, trainer.step)
        with contextlib.closing(monitor):
            best = trainer.run(watch)
        assert best is not None
        network, target = trainer.network, trainer.target
        parts = ablations(network, target, trainer.valid, trainer.device)
        write_json(folder / "ablation.json", parts)
        on_gpu = device.type == "cuda"
        hardware = torch.cuda.get_device_name(device) if on_gpu else processor()
        write_text(folder / TRAINED_ON, f"{origin(hardware)}\n")
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
    except torch.OutOfMemoryError:
        sender.send(
            "the GPU has too little memory. Lower train.batch_seconds; with a higher"
            " train.accumulate a step has as much speech as before."
        )
    except RuntimeError as error:
        if meeting is None:
            raise
        sender.send(f"{LOST} ({str(error).strip().partition(chr(10))[0]})")
