"""What the training of one system needs, in this order: data, network, start, trainer.

`build_trainer` is the only place that knows how a system of a recipe becomes a network and
its iterators. The training loop (`cascade.training.trainer`) is the same for every system.
"""

from collections.abc import Sequence

import torch

from cascade.bundle.reader import weights
from cascade.config.experiment import Experiment
from cascade.config.sections import Dataset
from cascade.features.batches import UtteranceSet
from cascade.features.cmn import read_cms_init
from cascade.features.streams import StreamIterator
from cascade.model.network import Network
from cascade.model.precision import set_precision
from cascade.model.saved_model import ModelConfig, load_tensors
from cascade.model.warm_start import same_encoder, warm_start
from cascade.runtime.errors import UserError
from cascade.runtime.files import write_text
from cascade.text.phones import read_phones
from cascade.training.ranks import ALONE, Ranks
from cascade.training.trainer import Trainer


def training_device(place: int = 0) -> torch.device:
    """Return what networks are trained on: a GPU, where there is one.

    ``place`` is a number of a training, or of a rank, on this machine: they take GPUs in turn.
    """
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return torch.device("cuda", place % count) if count else torch.device("cpu")


def build_trainer(
    experiment: Experiment,
    name: str,
    fingerprint: str = "",
    device: torch.device | None = None,
    ranks: Ranks = ALONE,
) -> tuple[Trainer, ModelConfig]:
    """Return a trainer for system ``name``, and the configuration of its model.

    ``fingerprint`` stands for all that the result depends on (see `Trainer`). Default for
    ``device`` is `training_device`. Raises `UserError` where there is no speech, or nothing fits
    in the model to start from.
    """
    recipe, layout = experiment.recipe, experiment.layout
    system, settings = recipe.systems[name], recipe.train_of(name)
    streams = recipe.streams_of(name)
    phones = read_phones(layout.phones)
    mean = read_cms_init(layout.cms_init)

    def utterances(datasets: Sequence[Dataset]) -> UtteranceSet:
        keys = {experiment.dataset_key(dataset): dataset for dataset in datasets}
        recognised = {
            key: layout.transcript(name, key, "phones")
            for key, dataset in keys.items()
            if not dataset.transcribed
        }
        return UtteranceSet(
            layout, list(keys), phones, recipe.features, mean, transcripts=recognised
        )

    iterators = []
    for stream, speech in recipe.speech_of(name).items():
        seconds = settings.seconds.get(stream, settings.batch_seconds)
        augment = recipe.augment_of(name, stream)
        copies, shards = 2 if settings.consistency else 1, settings.shuffled_shards
        iterators.append(
            StreamIterator(
                utterances(speech),
                stream,
                seconds,
                augment,
                recipe.seed,
                copies,
                shuffled_shards=shards,
            )
        )
    outputs = {language: _outputs(experiment, language, phones) for language in streams.values()}
    config = ModelConfig(
        language=recipe.target,
        inputs=len(mean) * recipe.features.stack,
        phones=len(phones),
        layers=system.layers,
        neurons=system.neurons,
        allowed=outputs[recipe.target],
        encoder=recipe.encoder_of(name),
    )
    torch.manual_seed(recipe.seed)
    network = Network(
        {stream: outputs[language] for stream, language in streams.items()},
        config.inputs,
        config.phones,
        config.layers,
        config.neurons,
        settings.dropout,
        system.share,
        streams,
        config.encoder,
    )
    set_precision(settings.precision)
    valid = utterances(recipe.role("valid"))
    if not len(valid):
        raise UserError(
            f"{name}: no utterance of the valid sets is long enough for its phones. Check their"
            " transcripts."
        )
    message = None
    if system.start:
        message = _load_start(experiment, name, network, phones, write=ranks.first)
    trainer = Trainer(
        network,
        iterators,
        valid,
        settings,
        layout.system(name),
        device or training_device(),
        fingerprint,
        message,
        ranks,
        recipe.seed,
    )
    return trainer, config


def _load_start(
    experiment: Experiment, name: str, network: Network, phones: list[str], write: bool
) -> str:
    """Load the model that a system starts from; return a summary. ``write``: ``start.tsv``."""
    recipe, folder = experiment.recipe, experiment.start(name)
    assert folder is not None
    with weights(folder) as (files, table):
        tensors, model_phones = load_tensors(files), read_phones(table)
        if not same_encoder(network, recipe.target, tensors):
            raise UserError(
                f"systems.{name}: the layers of the model in {folder} are not of the encoder"
                f" {recipe.encoder_of(name)}. Use the model's encoder, or remove 'start'."
            )
        freeze = recipe.systems[name].freeze
        origins = warm_start(
            network, list(recipe.streams_of(name)), tensors, (model_phones, phones), freeze
        )
    loaded = sum(origin.state != "new" for origin in origins)
    frozen = sum(origin.frozen for origin in origins)
    if not loaded:
        raise UserError(
            f"systems.{name}: no tensor of the model in {folder} has the name and shape of one of"
            " this system. Use the model's layers and neurons, or remove 'start'."
        )
    unloaded = [one.name for one in origins if one.frozen and one.state != "loaded"]
    if unloaded:
        raise UserError(
            f"systems.{name}: 'freeze' keeps parts as they are loaded, but the model in {folder}"
            f" does not have all of them: {', '.join(unloaded)}. Freeze less, or use the model's"
            " layers, neurons and phones."
        )
    rows = ["tensor\tshape\torigin\tfrozen\n"]
    for origin in origins:
        shape = "x".join(map(str, origin.shape))
        rows.append(f"{origin.name}\t{shape}\t{origin.state}\t{'yes' if origin.frozen else 'no'}\n")
    path = experiment.layout.system(name) / "start.tsv"
    if write:
        write_text(path, "".join(rows))
    new = [phone for phone in phones if phone not in model_phones]
    return (
        f"starts from {folder}: {loaded} of {len(origins)} tensors loaded, {frozen} frozen"
        f" (see {path}); phones that it lacks, new: {' '.join(new) or 'none'}"
    )


def _outputs(experiment: Experiment, language: str, phones: list[str]) -> tuple[int, ...]:
    """Return the outputs of a language: the blank and the phones of its transcripts."""
    own = set(read_phones(experiment.layout.phones_of(language)))
    return tuple(i for i, phone in enumerate(phones) if phone in own)
