"""Ablation: the target's error rate with one part of a trained network replaced or removed."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from cascade.features.batches import UtteranceSet
from cascade.model.encoders import Layer
from cascade.model.network import SHARED, Network
from cascade.training.validation import validate


def ablations(
    network: Network, target: str, data: UtteranceSet, device: torch.device
) -> dict[str, float]:
    """Return the PER in per cent of ``target`` on ``data``, for each change of its path.

    ``whole``: no change. ``lower of en``, ``upper of en``: another language's part in place
    of its own. ``without layer2``: a layer left out, if its input and output have the same
    size. The network itself stays as it was.
    """

    def per() -> float:
        return validate(network, target, data, device, exact=device.type == "cpu")[1]

    rates = {"whole": per()}
    for kind, parts in (("lower", network.lower), ("upper", network.upper)):
        for language in [name for name in parts if target in parts and name != target]:
            with _replaced(parts, target, parts[language]):
                rates[f"{kind} of {language}"] = per()
    number = 0
    for parts in (network.lower, network.upper):
        part = parts[target if target in parts else SHARED]
        for index, layer in part.named_children():
            if not isinstance(layer, Layer):
                continue
            number += 1
            if layer.inputs == layer.outputs:
                with _replaced(part, index, nn.Identity()):
                    rates[f"without layer{number}"] = per()
    return rates


@contextmanager
def _replaced(parent: nn.Module, child: str, module: nn.Module) -> Iterator[None]:
    """Put ``module`` in the place of a child while the context lasts."""
    own = parent.get_submodule(child)
    parent.set_submodule(child, module)
    try:
        yield
    finally:
        parent.set_submodule(child, own)
