"""Arithmetic of 16 bits, which not every processor has for every layer."""

import functools

import torch
from torch import nn

from cascade.runtime.errors import UserError


def check(precision: str, device: torch.device) -> None:
    """Raises `UserError` where ``device`` cannot train in ``precision``."""
    if precision == "bfloat16" and not computes_bfloat16(device):
        what = "processor" if device.type == "cpu" else device.type
        raise UserError(
            f"train.precision: this {what} has no LSTM in bfloat16 (AVX-512 is needed, or a GPU)."
            " Say float32."
        )


@functools.cache
def computes_bfloat16(device: torch.device) -> bool:
    """Whether a step of an LSTM can be made: torch has no call that tells."""
    lstm = nn.LSTM(2, 2, batch_first=True).to(device)
    try:
        with torch.enable_grad(), torch.autocast(device.type, torch.bfloat16):
            lstm(torch.zeros(1, 2, 2, device=device))[0].sum().backward()
    except RuntimeError:
        return False
    return True
