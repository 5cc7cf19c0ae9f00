"""The precisions of training: which of them a machine has, and how they are chosen."""

import functools

import torch
from torch import Tensor, nn

from cascade.runtime.errors import UserError


def check_precision(precision: str, device: torch.device) -> None:
    """Raise `UserError` where ``device`` cannot train in ``precision``."""
    if precision == "bfloat16" and not computes_bfloat16(device):
        name = "processor" if device.type == "cpu" else device.type
        raise UserError(
            f"train.precision: this {name} cannot train an LSTM in bfloat16: that needs AVX-512 or"
            " a GPU. Use train.precision: float32."
        )
    if precision == "tf32" and device.type != "cuda":
        raise UserError(
            "train.precision: tf32 needs a GPU of NVIDIA, and PyTorch finds none here. Use"
            " train.precision: float32."
        )


def set_precision(precision: str) -> None:
    """Choose how GPUs multiply float32: PyTorch's own choice is TF32 for LSTMs."""
    products = "tf32" if precision == "tf32" else "ieee"
    torch.backends.cuda.matmul.fp32_precision = products
    torch.backends.cudnn.rnn.fp32_precision = products  # type: ignore[attr-defined]


def bfloat16_lstm(lstm: nn.LSTM, x: Tensor) -> Tensor:
    """Return the outputs (N, T, neurons) of an LSTM of one layer for (N, T, C), in bfloat16.

    On a GPU, autocast computes LSTMs in float16, in which small gradients vanish, whatever it
    is asked for. This does what it does on a CPU.
    """
    with torch.autocast(x.device.type, enabled=False):
        weights = [weight.bfloat16() for weight in lstm.parameters()]
        zeros = x.new_zeros(1, len(x), lstm.hidden_size, dtype=torch.bfloat16)
        given = (x.bfloat16(), (zeros, zeros), weights)
        outputs: Tensor = torch.lstm(*given, True, 1, 0.0, lstm.training, False, True)[0]
    return outputs


@functools.cache
def computes_bfloat16(device: torch.device) -> bool:
    """Return whether an LSTM trains in bfloat16. It tries one: torch has no call that says so."""
    lstm = nn.LSTM(2, 2, batch_first=True).to(device)
    try:
        with torch.enable_grad(), torch.autocast(device.type, torch.bfloat16):
            x = torch.zeros(1, 2, 2, device=device)
            outputs = bfloat16_lstm(lstm, x) if device.type == "cuda" else lstm(x)[0]
            outputs.sum().backward()
    except RuntimeError:
        return False
    return True
