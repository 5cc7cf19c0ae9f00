"""What each part of a trained network is worth: the target's error rate with it swapped or out."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from cascade.features.batches import UtteranceSet
from cascade.model.network import SHARED, Layer, Network
from cascade.training.validation import evaluate


def ablations(
    network: Network, target: str, data: UtteranceSet, device: torch.device
) -> dict[str, float]:
    """PER in per cent of ``target`` on ``data``: whole, and with one part of its path changed.

    ``lower of en``, ``upper of en``: through another language's part in place of its own;
    ``without layer2``: past a layer (its input in the place of its output, where they are
    of one size). The network is left as it was.
    """

    def per() -> float:
        return evaluate(network, target, data, device)[1]

    found = {"whole": per()}
    for kind, parts in (("lower", network.lower), ("upper", network.upper)):
        for language in [name for name in parts if target in parts and name != target]:
            with _replaced(parts, target, parts[language]):
                found[f"{kind} of {language}"] = per()
    number = 0
    for parts in (network.lower, network.upper):
        part = parts[target if target in parts else SHARED]
        for index, layer in enumerate(part):
            if not isinstance(layer, Layer):
                continue
            number += 1
            if layer.lstm.input_size == layer.lstm.hidden_size:
                with _replaced(part, index, nn.Identity()):
                    found[f"without layer{number}"] = per()
    return found


@contextmanager
def _replaced(
    parts: nn.ModuleDict | nn.Sequential, key: str | int, module: nn.Module
) -> Iterator[None]:
    own, parts[key] = parts[key], module
    try:
        yield
    finally:
        parts[key] = own
