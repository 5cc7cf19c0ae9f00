"""Stage 3: trains every system of a recipe, side by side, one process each."""

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from multiprocessing.connection import Connection, wait
from typing import Any

import torch

from cascade.config.experiment import Experiment
from cascade.config.recipe import Recipe
from cascade.config.sections import Dataset
from cascade.features.batches import LanguageIterator, UtteranceSet
from cascade.features.cmn import read_cms_init
from cascade.model import precision
from cascade.model import saved as model
from cascade.model.network import Network
from cascade.model.warm_start import begin
from cascade.runtime.errors import UserError, explain
from cascade.runtime.files import read_text_table, write_json, write_text
from cascade.runtime.workers import die_with_parent
from cascade.text.phones import read_phones
from cascade.training.ablation import ablations
from cascade.training.progress_bars import Bars
from cascade.training.trainer import Done, Interrupted, Progress, Trainer

TELL_EVERY = 0.5  # seconds between two reports of a training to its parent


def train_systems(
    experiment: Experiment, fingerprints: Mapping[str, str], jobs: int
) -> Iterator[str]:
    """Trains systems, up to ``jobs`` at once; yields the name of each when it is done.

    ``fingerprints`` maps each system to what its result depends on: only a checkpoint of
    the same is gone on from.

    Raises `UserError` for a precision that this machine does not have, for a training that
    failed, after the others have ended, and `KeyboardInterrupt` when the user stopped them:
    then everything is saved.
    """
    check_machine(experiment.recipe, list(fingerprints))
    context = multiprocessing.get_context("spawn")
    waiting, running, failed = list(fingerprints), {}, []
    bars = Bars(waiting)
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
                for receiver in wait(list(running)):
                    name, process = running[receiver]
                    message = _receive(receiver)
                    if isinstance(message, Progress):
                        bars.show(name, message)
                        continue
                    del running[receiver]
                    process.join()
                    if message == "interrupted":
                        interrupted, waiting = True, []
                    elif isinstance(message, Done):
                        bars.done(name, message)
                        yield name
                    else:
                        why = message or f"its process ended with status {process.exitcode}"
                        failed.append(f"Training of '{name}' failed: {why}")
            except KeyboardInterrupt:
                interrupted, waiting = True, []
                for _, process in running.values():  # a terminal has told them already
                    os.kill(process.pid, signal.SIGTERM)
    finally:
        bars.close()
    if interrupted:
        raise KeyboardInterrupt
    if failed:
        raise UserError("\n".join(failed))


def check_machine(recipe: Recipe, systems: Sequence[str]) -> None:
    """Raises `UserError` where this machine cannot train ``systems`` as the recipe says."""
    for name in systems:
        precision.check(recipe.train_of(name).precision, device())


def device() -> torch.device:
    """What networks are trained on."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _receive(receiver: Connection) -> Any:
    try:
        return receiver.recv()
    except EOFError:
        return None


def _train_system(experiment: Experiment, name: str, fingerprint: str, sender: Connection) -> None:
    """The child process: trains one system, tells its parent how it goes, and how it ended."""
    torch.set_num_threads(1)
    die_with_parent()
    try:
        trainer, config = build(experiment, name)
        trainer.fingerprint = fingerprint

        def stop(*_: object) -> None:
            trainer.stop_asked = True

        signal.signal(signal.SIGINT, stop)
        signal.signal(signal.SIGTERM, stop)
        told = 0.0

        def watch(progress: Progress) -> None:
            nonlocal told
            now = time.monotonic()
            if now - told >= TELL_EVERY or progress.step == progress.steps or progress.hint:
                sender.send(progress)
                told = now

        if trainer.resume():
            trainer.hint = None
        trainer.run(watch)
        trained = (trainer.network, trainer.target, trainer.valid, trainer.device)
        folder = experiment.layout.system(name)
        write_json(folder / "ablation.json", ablations(*trained))
        size = model.save(
            folder,
            trainer.network.path_of(experiment.recipe.target),
            config,
            experiment.layout.phones,
        )
        sender.send(Done(trainer.best["step"], trainer.best["per"], size))
    except Interrupted:
        sender.send("interrupted")
    except UserError as error:
        sender.send(str(error))
    except BrokenPipeError:
        pass  # the parent is gone; the checkpoint is what there is to go on from
    except OSError as error:
        sender.send(explain(error))


def build(experiment: Experiment, name: str) -> tuple[Trainer, model.ModelConfig]:
    """A trainer for system ``name``: network, an iterator for each language, valid set."""
    recipe, layout = experiment.recipe, experiment.layout
    system, settings = recipe.systems[name], recipe.train_of(name)
    phones = read_phones(layout.phones)
    mean = read_cms_init(layout.cms_init)

    def utterances(datasets: Sequence[Dataset]) -> UtteranceSet:
        keys = [experiment.dataset_key(dataset) for dataset in datasets]
        return UtteranceSet(layout, keys, phones, recipe.features, mean)

    iterators = [
        LanguageIterator(
            utterances([d for d in recipe.role(role) if d.language == language]),
            language,
            settings.seconds.get(language, settings.batch_seconds),
            settings.augment,
            recipe.seed,
        )
        for language in recipe.languages_of(name)
        for role in ("train" if language == recipe.target else "train_ext",)
    ]
    spoken = {
        language: _outputs(experiment, language, phones) for language in recipe.languages_of(name)
    }
    config = model.ModelConfig(
        language=recipe.target,
        inputs=len(mean) * recipe.features.stack,
        phones=len(phones),
        layers=system.layers,
        neurons=system.neurons,
        allowed=spoken[recipe.target],
    )
    torch.manual_seed(recipe.seed)
    network = Network(
        spoken,
        config.inputs,
        config.phones,
        config.layers,
        config.neurons,
        settings.dropout,
        system.share,
    )
    begun = _begin(experiment, name, network, phones) if system.start else None
    valid = utterances(recipe.role("valid"))
    trainer = Trainer(network, iterators, valid, settings, layout.system(name), device())
    trainer.hint = begun
    return trainer, config


def _begin(experiment: Experiment, name: str, network: Network, phones: list[str]) -> str:
    """Loads the model that a system starts from; writes, and says, what became of each tensor."""
    recipe, layout = experiment.recipe, experiment.layout
    system, folder = recipe.systems[name], experiment.start(name)
    tensors, there = model.load_tensors(folder), read_phones(folder / "phones.txt")
    languages = recipe.languages_of(name)
    origins = begin(network, languages, tensors, (there, phones), system.freeze)
    if not any(origin.state != "new" for origin in origins):
        raise UserError(f"{folder} has no tensor of the shape of one of '{name}'.")
    head = "tensor\tshape\torigin\tfrozen\n"
    rows = (
        f"{o.name}\t{'x'.join(map(str, o.shape))}\t{o.state}\t{'yes' if o.frozen else 'no'}\n"
        for o in origins
    )
    write_text(layout.system(name) / "start.tsv", head + "".join(rows))
    loaded = sum(origin.state != "new" for origin in origins)
    frozen = sum(origin.frozen for origin in origins)
    return (
        f"starts from {folder}: {loaded} of {len(origins)} tensors loaded, {frozen} frozen"
        f" (see {layout.system(name) / 'start.tsv'})"
    )


def _outputs(experiment: Experiment, language: str, phones: list[str]) -> tuple[int, ...]:
    """The blank and the phones of a language's transcripts."""
    spoken = set()
    for dataset in experiment.recipe.datasets:
        if dataset.language == language:
            for text in read_text_table(
                experiment.layout.text(experiment.dataset_key(dataset), "phones")
            ).values():
                spoken.update(text)
    return tuple(i for i, phone in enumerate(phones) if i == 0 or phone in spoken)
