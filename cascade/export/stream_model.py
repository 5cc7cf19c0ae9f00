"""A trained network as an ONNX file that recognises step by step, its states carried over.

Mean subtraction and stacking need the past of seconds, so they stay outside of it. Inputs and
outputs:

- ``x`` (N, T, C) float32: steps of features, normalised, C filters times stacked frames;
- ``h``, ``c`` (layers, N, neurons) float32: outputs and cells of the LSTMs before the first step,
  zeros at the beginning;
- ``log_probs`` (N, T, phones) float32, and ``next_h``, ``next_c`` as ``h`` and ``c``, after the
  last step.
"""

import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

import onnx
import torch
from torch import Tensor, nn

from cascade.export.onnx_model import OPSET
from cascade.model.encoders import Lstm
from cascade.model.network import Network


class Streamed(nn.Module):
    """The LSTM layers that ``language`` passes, each with its state as input and output."""

    mask: Tensor

    def __init__(self, network: Network, language: str):
        super().__init__()
        path = network.path(language)
        self.norm, self.output = path.pop("norm"), path.pop("output")
        self.layers = nn.ModuleList(path.values())
        self.register_buffer("mask", network.masks[network.rows[language]])  # (phones,)

    def forward(self, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Map (N, T, C) and twice (layers, N, neurons) to (N, T, phones) and the next states."""
        x = self.norm(x)
        outputs, cells = [], []
        for number, layer in enumerate(self.layers):
            assert isinstance(layer, Lstm)
            state = h[number : number + 1], c[number : number + 1]  # (1, N, neurons) each
            x, (output, cell) = layer.lstm(x, state)
            x = layer.norm(x)
            outputs.append(output)
            cells.append(cell)
        log_probs = (self.output(x) + self.mask).log_softmax(dim=-1)
        return log_probs, torch.cat(outputs), torch.cat(cells)


def stream_to_onnx(model: Streamed) -> onnx.ModelProto:
    """Return ``model`` as ONNX."""
    layer = model.layers[0]
    assert isinstance(layer, Lstm)
    state = torch.zeros(len(model.layers), 1, layer.lstm.hidden_size)
    example = torch.zeros(1, 2, layer.lstm.input_size), state, state
    axes = {"x": {0: "N", 1: "T"}, "log_probs": {0: "N", 1: "T"}}
    axes |= {name: {1: "N"} for name in ("h", "c", "next_h", "next_c")}
    with TemporaryDirectory() as folder, warnings.catch_warnings(), torch.inference_mode():
        path = Path(folder) / "stream.onnx"
        warnings.simplefilter("ignore")  # of the exporter, on itself and on batches
        torch.onnx.export(
            model.eval(),
            example,
            path,
            input_names=["x", "h", "c"],
            output_names=["log_probs", "next_h", "next_c"],
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )
        return onnx.load(path)
