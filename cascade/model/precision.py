"""Whether this machine can train in bfloat16: not every processor can, for every layer."""

import functools

import torch
from torch import nn

from cascade.runtime.errors import UserError


def check_precision(precision: str, device: torch.device) -> None:
    """Raise `UserError` where ``device`` cannot train in ``precision``."""
    if precision == "bfloat16" and not computes_bfloat16(device):
        name = "processor" if device.type == "cpu" else device.type
        raise UserError(
            f"train.precision: this {name} cannot train an LSTM in bfloat16: that needs AVX-512 or"
            " a GPU. Use train.precision: float32."
        )


@functools.cache
def computes_bfloat16(device: torch.device) -> bool:
    """Return whether an LSTM trains in bfloat16. It tries one: torch has no call that says so."""
    lstm = nn.LSTM(2, 2, batch_first=True).to(device)
    try:
        with torch.enable_grad(), torch.autocast(device.type, torch.bfloat16):
            lstm(torch.zeros(1, 2, 2, device=device))[0].sum().backward()
    except RuntimeError:
        return False
    return True
