"""The speed of training against what it could be at best, and as others do it; see train.sh."""

import argparse
import dataclasses
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from cascade.config.experiment import Experiment
from cascade.config.layout import Layout
from cascade.config.recipe import Recipe, read_recipe
from cascade.features.batches import Batch
from cascade.model.precision import computes_bfloat16
from cascade.training.setup import build_trainer
from cascade.training.trainer import Interrupted, Trainer

Clock = Callable[[], float]
PACKED = 4  # of a round's steps, one in so many: packed sequences take eight times as long
LAYOUT = Layout(Path("exp/ru_en_pair"), Path("downloads"), Path("data"))


def recipe_of(system: str, precision: str = "float32") -> Recipe:
    """The main recipe; no validation, and augmentation at full strength from the first step."""
    recipe = read_recipe(Path("recipes/ru_en_pair/recipe.yaml"))
    train = recipe.train_of(system)
    augment = dataclasses.replace(train.augment, ramp=0.0)
    train = dataclasses.replace(
        train, valid_every=train.steps, augment=augment, precision=precision
    )
    return dataclasses.replace(recipe, train=train)


def run(trainer: Trainer, steps: int, clock: Clock, between: Callable[[float], bool]) -> None:
    """The trainer's own loop; calls ``between`` with the seconds of every ``steps`` steps.

    Ends when ``between`` answers False.
    """
    began = clock()

    def watch(progress) -> None:
        nonlocal began
        if progress.step % steps == 0:
            trainer.checkpoints.wait()  # what a thread still writes is part of the price
            trainer.stop_asked = not between(clock() - began)
            began = clock()

    with tempfile.TemporaryDirectory(prefix="bench.") as folder:
        trainer.folder = Path(folder)
        trainer.checkpoints.folder = Path(folder) / "checkpoint"
        try:
            trainer.run(watch)
        except Interrupted:
            return


class Bare(nn.Module):
    """``nn.LSTM`` and a softmax, and nothing else; ``packed`` feeds it packed sequences."""

    def __init__(self, trainer: Trainer, recipe: Recipe, system: str, packed: bool):
        super().__init__()
        layers, neurons = sum(recipe.systems[system].layers), recipe.systems[system].neurons
        inputs = recipe.features.filters * recipe.features.stack
        self.lstm = nn.LSTM(inputs, neurons, layers, batch_first=True)
        self.output = nn.Linear(
            neurons, trainer.network.path(trainer.target)["output"].out_features
        )
        self.packed = packed
        self.to(trainer.device)
        self.optimizer = torch.optim.AdamW(self.parameters(), lr=1e-4)

    def step(self, batches: list[Batch]) -> float:
        """One update with a batch of each language; returns the loss."""
        loss = sum(self.loss(batch) for batch in batches)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def loss(self, batch: Batch) -> torch.Tensor:
        lengths = batch.lengths
        x = batch.inputs.to(self.output.weight.device)  # (N, T, C)
        if self.packed:
            x = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
            x = pad_packed_sequence(self.lstm(x)[0], batch_first=True)[0]  # (N, T, neurons)
        else:
            x = self.lstm(x)[0]
        total = nn.functional.ctc_loss(
            self.output(x).log_softmax(-1).transpose(0, 1).cpu(),  # (N, T, C) -> (T, N, C)
            batch.labels,
            lengths,
            batch.label_lengths,
            reduction="sum",
        )
        return total / batch.label_lengths.sum()

    def seconds(self, steps: list[list[Batch]], clock: Clock) -> float:
        """The seconds of a step."""
        steps = steps[::PACKED] if self.packed else steps
        began = clock()
        for batches in steps:
            self.step(batches)
        return (clock() - began) / len(steps)


class Steps:
    """The trainer's steps alone, on batches that are given."""

    def __init__(self, system: str, precision: str):
        self.trainer, _ = build_trainer(Experiment(recipe_of(system, precision), LAYOUT), system)
        self.names = [iterator.name for iterator in self.trainer.iterators]

    def seconds(self, steps: list[list[Batch]], clock: Clock) -> float:
        """The seconds of a step."""
        began = clock()
        for batches in steps:
            self.trainer.updater.step(1, [dict(zip(self.names, batches, strict=True))])
        return (clock() - began) / len(steps)


def compare(system: str, rounds: int, steps: int, clock: Clock) -> list[float]:
    """On the same batches in turns, speed ratios: ours by bare, by packed.

    Then that of 16 bits by 32, where the machine has them.
    """
    recipe = recipe_of(system)
    source, _ = build_trainer(
        Experiment(recipe, LAYOUT), system
    )  # gives the batches that `trainer` will read
    trainer, _ = build_trainer(Experiment(recipe, LAYOUT), system)
    others = [Bare(trainer, recipe, system, packed) for packed in (False, True)]
    names, pairs = ["ours", "bare", "packed"], [(1, 0), (2, 0)]
    if computes_bfloat16(trainer.device):
        others += [Steps(system, precision) for precision in ("float32", "bfloat16")]
        names += ["our steps", "in bfloat16"]
        pairs.append((3, 4))
    rows: list[list[float]] = []

    def between(ours: float) -> bool:
        batches = [[i.data.read(next(i)) for i in source.iterators] for _ in range(steps)]
        rows.append([ours / steps, *(other.seconds(batches, clock) for other in others)])
        each = ", ".join(
            f"{name} {1e3 * seconds:.1f}" for name, seconds in zip(names, rows[-1], strict=True)
        )
        print(f"round {len(rows) - 1}{' (to warm up)' * (len(rows) == 1)}: {each} ms a step")
        sys.stdout.flush()
        return len(rows) <= rounds

    run(trainer, steps, clock, between)
    return [statistics.median(row[i] / row[j] for row in rows[1:]) for i, j in pairs]


def train_when_told(system: str, steps: int, pipe: Connection) -> None:
    """A child process: trains ``steps`` steps for every message, tells the seconds of each."""
    torch.set_num_threads(1)
    trainer, _ = build_trainer(Experiment(recipe_of(system), LAYOUT), system)

    def between(seconds: float) -> bool:
        pipe.send(seconds)
        return pipe.recv()

    pipe.recv()
    run(trainer, steps, time.perf_counter, between)


def two_against_one(system: str, rounds: int, steps: int) -> float:
    """What two processes get done side by side, over what one does alone, in turns."""
    context = multiprocessing.get_context("spawn")
    pipes, processes = [], []
    for _ in range(2):
        ours, theirs = context.Pipe()
        process = context.Process(target=train_when_told, args=(system, steps, theirs))
        process.start()
        theirs.close()
        pipes.append(ours)
        processes.append(process)

    def speeds(together: list[Connection]) -> Iterator[float]:
        for pipe in together:
            pipe.send(True)
        for pipe in together:
            yield 1 / pipe.recv()

    # Each trains alone as often as beside the other: all see the same batches in the end.
    list(speeds(pipes))
    ratios = []
    for number in range(rounds):
        alone = [speed for pipe in pipes for speed in speeds([pipe])]
        beside = list(speeds(pipes))
        ratios.append(sum(beside) / statistics.mean(alone))
        print(f"round {number + 1}: two processes do {ratios[-1]:.2f} times the steps of one")
        sys.stdout.flush()
    for pipe, process in zip(pipes, processes, strict=True):
        pipe.send(False)
        process.join()
    return statistics.median(ratios)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=20, help="of a round")
    parser.add_argument("--system", default="plain")
    parser.add_argument(
        "--processor-time",
        action="store_true",
        help="for bare and packed: not the wall's, where others keep the machine busy",
    )
    options = parser.parse_args()
    torch.set_num_threads(1)
    clock = time.process_time if options.processor_time else time.perf_counter
    bare, packed, *short = compare(options.system, options.rounds, options.steps, clock)
    two = two_against_one(options.system, options.rounds, options.steps)
    sixteen = f"{short[0]:.2f}" if short else "none"
    print(f"bare={bare:.2f} packed={packed:.1f} two={two:.2f} bf16={sixteen}")


if __name__ == "__main__":
    main()
