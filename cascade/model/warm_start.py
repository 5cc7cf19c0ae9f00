"""Warm start: training from a trained model. What is loaded, what is new, what is frozen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from cascade.model.network import Network


@dataclass(frozen=True)
class Origin:
    """Where a tensor starts: ``state`` is ``loaded``, ``new``, or ``N of M phones loaded``."""

    name: str
    shape: tuple[int, ...]
    state: str
    frozen: bool


def same_encoder(network: Network, language: str, tensors: Mapping[str, Tensor]) -> bool:
    """Return whether the layers of a model are of the same kind as those of ``network``.

    All kinds end with a layer normalisation, so its tensors say nothing.
    """
    own, others = (
        {name for name in names if name.startswith("layer1.") and ".norm." not in name}
        for names in (network.path_of(language), tensors)
    )
    return not own.isdisjoint(others)


def warm_start(
    network: Network,
    languages: Sequence[str],
    tensors: Mapping[str, Tensor],
    phones: tuple[Sequence[str], Sequence[str]],
    freeze: Sequence[str],
) -> list[Origin]:
    """Load a model into the paths of all ``languages``, in place, and freeze parts of them.

    ``tensors`` are the model's, named by depth (see `Network.path_of`): each language's own
    part starts as a copy. Outputs are matched by phone; ``phones`` are those of the model and
    those of the network. A tensor that the model lacks, or has in another shape, stays new.
    ``freeze`` names parts of the path, such as ``layer1``. Returns the origin of each tensor.
    """
    names = {id(p): name for name, p in network.named_parameters()}
    origins: dict[str, Origin] = {}
    for language in languages:
        for place, module in network.path(language).items():
            for local, parameter in module.named_parameters():
                name = names[id(parameter)]
                if name in origins:  # shared with a language before
                    continue
                frozen = place in freeze
                parameter.requires_grad_(not frozen)
                source = tensors.get(f"{place}.{local}")
                state = "new"
                if source is not None and place == "output":
                    state = _copy_outputs(parameter, source, *phones)
                elif source is not None and source.shape == parameter.shape:
                    with torch.no_grad():
                        parameter.copy_(source)
                    state = "loaded"
                origins[name] = Origin(name, tuple(parameter.shape), state, frozen)
    return list(origins.values())


@torch.no_grad()
def _copy_outputs(
    parameter: Tensor, source: Tensor, source_phones: Sequence[str], phones: Sequence[str]
) -> str:
    """Copy the rows of the phones that both have; return the state of the tensor.

    ``parameter`` is the weight (phones, C) or the bias (phones,) of the output layer.
    """
    if source.shape[1:] != parameter.shape[1:] or len(source) != len(source_phones):
        return "new"
    rows = {phone: row for row, phone in enumerate(source_phones)}
    both = [(i, rows[phone]) for i, phone in enumerate(phones) if phone in rows]
    parameter[[i for i, _ in both]] = source[[row for _, row in both]]
    return "loaded" if len(both) == len(phones) else f"{len(both)} of {len(phones)} phones loaded"
