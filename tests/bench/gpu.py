"""The speed of training on a GPU, or on the CPU where there is none; see gpu.sh."""

import argparse
import contextlib
import dataclasses
import os
import tempfile
import time
from pathlib import Path

import kaldiio
import numpy as np
import torch

from cascade.config.layout import Layout
from cascade.config.sections import FRAMES_PER_SECOND, Features
from cascade.config.systems import Train
from cascade.features.batches import UtteranceSet
from cascade.features.streams import StreamIterator
from cascade.model.network import Network
from cascade.model.precision import computes_bfloat16, set_precision
from cascade.runtime.files import write_text_table
from cascade.training.setup import training_device
from cascade.training.trainer import Interrupted, Trainer

PHONES = ["<blk>", *(f"p{number}" for number in range(50))]
FEATURES = Features()
LANGUAGES = ("ru", "en")
UTTERANCES, SECONDS, RATE = 300, (2.0, 10.0), 12  # of a language; of an utterance; phones a second


def speech(layout: Layout, key: str, seed: int) -> None:
    """Writes utterances of random features, with as many random phones as speech has."""
    random = np.random.default_rng(seed)
    matrices, texts, frames = {}, {}, {}
    for number in range(UTTERANCES):
        seconds = random.uniform(*SECONDS)
        name, length = f"{key}-{number}", int(seconds * FRAMES_PER_SECOND)
        matrices[name] = random.normal(-8, 3, (length, FEATURES.filters)).astype(np.float32)
        texts[name] = random.choice(PHONES[1:], int(seconds * RATE)).tolist()
        frames[name] = [str(length)]
    layout.feats.mkdir(parents=True, exist_ok=True)
    kaldiio.save_ark(str(layout.feats / f"{key}.ark"), matrices, scp=str(layout.scp(key)))
    write_text_table(layout.num_frames(key), frames)
    write_text_table(layout.text(key, "phones"), texts)


def trainer_of(
    layout: Layout, device: torch.device, neurons: int, settings: Train, folder: Path
) -> Trainer:
    """A cascade of 2 + 2 layers; it validates on ten utterances, at its end."""
    mean = np.zeros(FEATURES.filters)
    sets = {name: UtteranceSet(layout, [name], PHONES, FEATURES, mean) for name in LANGUAGES}
    iterators = [
        StreamIterator(data, name, settings.batch_seconds, settings.augment, 0)
        for name, data in sets.items()
    ]
    torch.manual_seed(0)
    set_precision(settings.precision)
    outputs = {name: range(len(PHONES)) for name in LANGUAGES}
    inputs = FEATURES.filters * FEATURES.stack
    network = Network(outputs, inputs, len(PHONES), (2, 2), neurons, settings.dropout)
    valid = UtteranceSet(layout, [LANGUAGES[0]], PHONES, FEATURES, mean)
    return Trainer(network, iterators, valid, settings, folder, device)


def wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def loop(trainer: Trainer, seconds: float) -> tuple[float, float]:
    """The trainer's own loop: seconds of speech a second, and the share of them that it waits."""
    began, waited, first = 0.0, 0.0, 0
    warm = time.monotonic() + seconds / 3

    def watch(progress) -> None:
        nonlocal began, waited, first
        now = time.monotonic()
        if not began and now >= warm:
            began, first = now, progress.step
        elif began:
            waited += progress.waited
        trainer.stop_asked = bool(began) and now - began >= seconds and progress.step > first

    with contextlib.suppress(Interrupted):
        trainer.run(watch)
    wait(trainer.device)
    took = time.monotonic() - began
    return len(LANGUAGES) * batch(trainer) * (trainer.step - first) / took, waited / took


def batch(trainer: Trainer) -> float:
    """The mean seconds of speech in a batch of a language."""
    iterator = trainer.iterators[0]
    return sum(iterator.data.frames) / FRAMES_PER_SECOND / iterator.batches


def ready(trainer: Trainer, seconds: float) -> float:
    """The same steps on batches that the device has: seconds of speech a second."""
    steps = []
    for _, step in zip(range(12), trainer.plan.ahead(0), strict=False):
        data = {iterator.name: iterator.data for iterator in trainer.iterators}
        batches = {name: data[name].read(request) for name, request in step[0].items()}
        steps.append(
            {
                name: dataclasses.replace(
                    one, inputs=one.inputs.to(trainer.device), labels=one.labels.to(trainer.device)
                )
                for name, one in batches.items()
            }
        )
    count, began, warm = 0, 0.0, time.monotonic() + seconds / 3
    while not began or time.monotonic() - began < seconds:
        for number, batches in enumerate(steps):
            trainer.updater.step(number + 1, [batches])
        count += len(steps) if began else 0
        wait(trainer.device)
        if not began and time.monotonic() >= warm:
            began = time.monotonic()
    return len(LANGUAGES) * batch(trainer) * count / (time.monotonic() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, help="of each of up to nine measurements (12; 8)")
    parser.add_argument("--batch-seconds", type=float, help="of a language (400; 20)")
    parser.add_argument("--workers", type=int, help="processes that read (the cores, up to 8; 0)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    device, cpu = training_device(), torch.device("cpu")
    gpu = device.type == "cuda"
    name = torch.cuda.get_device_name(device).replace(" ", "_") if gpu else "cpu"
    if not gpu:
        print("This machine has no GPU that PyTorch finds. The device is its CPU.")
    seconds = options.seconds or (12.0 if gpu else 8.0)
    cores = len(os.sched_getaffinity(0))
    settings = Train(
        steps=1_000_000,
        valid_every=1_000_000,
        batch_seconds=options.batch_seconds or (400.0 if gpu else 20.0),
        workers=(min(cores, 8) if gpu else 0) if options.workers is None else options.workers,
    )
    speeds, ratios, waits = {}, [], []
    with tempfile.TemporaryDirectory(prefix="gpu.") as folder:
        layout = Layout(Path(folder), Path(folder), Path(folder))
        for seed, language in enumerate(LANGUAGES):
            speech(layout, language, seed)
        for neurons in (100, 512):
            for precision in ("float32", "bfloat16"):
                if precision == "bfloat16" and not computes_bfloat16(device):
                    continue
                own = dataclasses.replace(settings, precision=precision)
                at = Path(folder) / f"{neurons}.{precision}"
                ours, waiting = loop(trainer_of(layout, device, neurons, own, at), seconds)
                best = ready(trainer_of(layout, device, neurons, own, at), seconds)
                speeds[neurons, precision] = best
                ratios.append(ours / best)
                waits.append(waiting)
                print(
                    f"{neurons} neurons, {precision}: {ours / 60:.2f} hours of speech a minute,"
                    f" {best / 60:.2f} with batches on the device; {100 * waiting:.1f} % waiting",
                    flush=True,
                )
        if gpu:
            own = dataclasses.replace(settings, batch_seconds=40.0)
            slow = ready(trainer_of(layout, cpu, 512, own, Path(folder) / "cpu"), seconds)
            print(f"512 neurons, float32, one core of the CPU: {slow / 60:.2f} hours a minute")
    short = speeds.get((512, "bfloat16"))
    bf16 = f"{short / speeds[512, 'float32']:.2f}" if short else "none"
    print(f"device={name} ratio={min(ratios):.2f} bf16={bf16} waiting={max(waits):.2f}")


if __name__ == "__main__":
    main()
