"""The models of phones by which a bundle aligns, from the training speech of its language."""

import logging
import math
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import numpy as np

from cascade.alignment.forced_path import forced_path
from cascade.alignment.training import Example, train_models
from cascade.bundle.manifest import FLOAT32, PHONE_MODELS
from cascade.bundle.network import Network
from cascade.config.experiment import Experiment
from cascade.config.sections import FRAMES_PER_SECOND, Dataset
from cascade.features.sources import FeatureReader
from cascade.runtime.files import read_text_table
from cascade.text.phones import read_phones

MINUTES = 60  # of speech at most; more makes the times no better
log = logging.getLogger("cascade")


def training_speech(experiment: Experiment) -> list[Dataset]:
    """Return the data sets with transcripts in the target language that the recipe trains on."""
    return [
        dataset
        for dataset in experiment.recipe.datasets
        if dataset.role in ("train", "train_ext")
        and dataset.language == experiment.recipe.target
        and dataset.transcribed
    ]


def add_phone_models(experiment: Experiment, system: str, folder: Path) -> None:
    """Write ``align.npy`` into ``folder``, unless no training speech can be aligned."""
    phones = read_phones(experiment.layout.system(system) / "phones.txt")
    network = Network(folder / FLOAT32, system)
    examples = list(_examples(experiment, network, phones))
    if not examples:
        log.info("%s: the bundle cannot align: no training speech fits its transcript", system)
        return
    train_models(examples, len(phones)).write(folder / PHONE_MODELS)


def _examples(experiment: Experiment, network: Network, phones: list[str]) -> Iterator[Example]:
    """Yield utterances that the network has aligned, spread over all of the training speech."""
    layout, stack = experiment.layout, experiment.recipe.features.stack
    numbers = {phone: number for number, phone in enumerate(phones)}
    lexicon = read_text_table(layout.lang / f"lexicon_{experiment.recipe.target}.txt")
    utterances, frames = [], 0
    for dataset in training_speech(experiment):
        key = experiment.dataset_key(dataset)
        words, read = (read_text_table(layout.text(key, unit)) for unit in ("words", "phones"))
        lengths = read_text_table(layout.num_frames(key))
        for name, place in read_text_table(layout.scp(key)).items():
            prons = [lexicon[word] for word in words.get(name, [])]
            if (
                prons and [*chain.from_iterable(prons)] == read[name]
            ):  # else a word is read as it is written
                utterances.append((name, " ".join(place), prons))
                frames += int(lengths[name][0])
    step = math.ceil(frames / (MINUTES * 60 * FRAMES_PER_SECOND))
    features = experiment.recipe.features
    read_features = FeatureReader(features.rate, features.filters)
    for name, source, prons in utterances[:: max(1, step)]:
        energies = np.asarray(read_features(name, source), np.float32)
        path = forced_path(
            network(energies), [[[numbers[phone] for phone in pron]] for pron in prons]
        )
        if path is not None:
            yield Example(energies, path, stack)
