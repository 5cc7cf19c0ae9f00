"""A trained model on disk: tensors, configuration and phone table, in one folder."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
from torch import Tensor

from cascade.model.network import Network
from cascade.runtime.errors import UserError
from cascade.runtime.files import replacing, write_json, write_text


@dataclass(frozen=True)
class ModelConfig:
    """What is needed to build the network and to feed it: ``model.json``.

    ``inputs`` is the size of a stacked frame; ``phones`` counts the blank; ``allowed`` are
    the outputs that ``language`` has, the blank included. The file of an LSTM network has no
    ``encoder``: older ones have none.
    """

    language: str
    inputs: int
    phones: int
    layers: tuple[int, ...]
    neurons: int
    allowed: tuple[int, ...]
    encoder: str = "lstm"


def save_model(folder: Path, tensors: dict[str, Tensor], config: ModelConfig, phones: Path) -> int:
    """Write ``phones.txt``, ``model.json`` and ``model.safetensors``; return the latter's bytes.

    ``tensors`` are named by depth (see `Network.path_of`); ``phones`` is the phone table.
    """
    write_text(folder / "phones.txt", phones.read_text(encoding="utf-8"))
    shape = dataclasses.asdict(config)
    if config.encoder == "lstm":
        shape.pop("encoder")
    write_json(folder / "model.json", shape)
    blob = safetensors.torch.save({k: v.contiguous() for k, v in sorted(tensors.items())})
    with replacing(folder / "model.safetensors") as stream:
        stream.write(blob)
    return len(blob)


def load_model(folder: Path) -> tuple[Network, ModelConfig]:
    """Return the network in evaluation mode, and its configuration.

    Raises `UserError` where the files are missing, damaged, or do not belong together.
    """
    try:
        raw = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        raw |= {"layers": tuple(raw["layers"]), "allowed": tuple(raw["allowed"])}
        config = ModelConfig(**raw)
        languages = {config.language: config.allowed}
        network = Network(
            languages,
            config.inputs,
            config.phones,
            config.layers,
            config.neurons,
            encoder=config.encoder,
        )
        network.load_path(config.language, load_tensors(folder))
    except (OSError, ValueError, TypeError, KeyError, RuntimeError) as error:
        raise UserError(
            f"{folder} has no model that can be loaded ({error}). Run stage 3 again."
        ) from None
    return network.eval(), config


def load_tensors(folder: Path) -> dict[str, Tensor]:
    """Return a model's tensors, named by depth (see `Network.path_of`).

    Raises `UserError` for a damaged file, `OSError` for a missing one.
    """
    path = folder / "model.safetensors"
    try:
        return safetensors.torch.load_file(path)
    except safetensors.SafetensorError as error:
        raise UserError(f"{path} is damaged ({error}). Run stage 3 again.") from None
