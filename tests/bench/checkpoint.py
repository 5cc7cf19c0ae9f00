"""What checkpoints cost a training; see checkpoint.sh."""

import argparse
import dataclasses
import statistics
import sys
import tempfile
import time
from pathlib import Path

import torch

from cascade.config.experiment import Experiment
from cascade.config.layout import Layout
from cascade.config.recipe import Recipe, read_recipe
from cascade.training.setup import build_trainer


def seconds(recipe: Recipe, layout: Layout, save: bool) -> float:
    """The time of one training of the cascade, with checkpoints or without."""
    with tempfile.TemporaryDirectory(prefix="bench.") as folder:
        trainer, _ = build_trainer(Experiment(recipe, layout), "cascade")
        trainer.folder = Path(folder)
        trainer.checkpoints.folder = Path(folder) / "checkpoint"
        if not save:
            trainer.checkpoints.save = lambda state: None
        started = time.perf_counter()
        trainer.run(lambda progress: None)
        return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=400)
    options = parser.parse_args()
    torch.set_num_threads(1)
    recipe = read_recipe(Path("recipes/mini/recipe.yaml"))
    train = dataclasses.replace(recipe.train, steps=options.steps, valid_every=options.steps)
    recipe = dataclasses.replace(recipe, train=train)
    layout = Layout(Path("exp/mini"), Path("downloads"), Path("data"))
    times: dict[bool, list[float]] = {True: [], False: []}
    for number in range(options.rounds):
        for save in (True, False):
            times[save].append(seconds(recipe, layout, save))
            print(f"round {number + 1}, {'with' if save else 'without'}: {times[save][-1]:.2f} s")
            sys.stdout.flush()
    with_, without = (statistics.median(times[save]) for save in (True, False))
    print(f"with={with_:.2f} without={without:.2f} cost={100 * (with_ / without - 1):.1f}")


if __name__ == "__main__":
    main()
