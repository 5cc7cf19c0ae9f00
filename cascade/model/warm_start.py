"""Beginning from a trained model: what is loaded, what is new, and what stays as it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from cascade.model.network import Network


@dataclass(frozen=True)
class Origin:
    """Where a tensor of a network begins: ``loaded``, ``new``, or ``N of M phones loaded``."""

    name: str
    shape: tuple[int, ...]
    state: str
    frozen: bool


def begin(
    network: Network,
    languages: Sequence[str],
    tensors: Mapping[str, Tensor],
    phones: tuple[Sequence[str], Sequence[str]],
    freeze: Sequence[str],
) -> list[Origin]:
    """Loads a model into the paths of all ``languages``, in place; freezes what is named.

    ``tensors`` are named by depth (see `Network.path_of`): a stack of a language's own
    begins as a copy. Outputs are matched by their phone; ``phones`` are those of the model
    and those of the network. What the model has not, or has in another shape, stays new.
    ``freeze`` names places of the path, such as ``layer1``.
    """
    names = {id(p): name for name, p in network.named_parameters()}
    origins: dict[str, Origin] = {}
    for language in languages:
        for place, module in network.path(language).items():
            for local, parameter in module.named_parameters():
                name = names[id(parameter)]
                if name in origins:  # a shared one: another language had it
                    continue
                frozen = place in freeze
                parameter.requires_grad_(not frozen)
                source = tensors.get(f"{place}.{local}")
                state = "new"
                if source is not None and place == "output":
                    state = _outputs(parameter, source, *phones)
                elif source is not None and source.shape == parameter.shape:
                    state = _copied(parameter, source)
                origins[name] = Origin(name, tuple(parameter.shape), state, frozen)
    return list(origins.values())


@torch.no_grad()
def _copied(parameter: Tensor, source: Tensor) -> str:
    parameter.copy_(source)
    return "loaded"


@torch.no_grad()
def _outputs(parameter: Tensor, source: Tensor, there: Sequence[str], here: Sequence[str]) -> str:
    """Copies the rows of the phones that both have; the others stay new."""
    if source.shape[1:] != parameter.shape[1:] or len(source) != len(there):
        return "new"
    rows = {phone: row for row, phone in enumerate(there)}
    both = [(i, rows[phone]) for i, phone in enumerate(here) if phone in rows]
    parameter[[i for i, _ in both]] = source[[row for _, row in both]]
    return "loaded" if len(both) == len(here) else f"{len(both)} of {len(here)} phones loaded"
