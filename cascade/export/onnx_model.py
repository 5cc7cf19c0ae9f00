"""A trained network as ONNX files, which need neither torch nor this project.

The graph holds all between Kaldi's log-mel filterbanks and log-probabilities of phones: smoothing,
mean subtraction, stacking of frames, and the layers of the target language. Inputs and outputs are
those of k2-fsa's Zipformer CTC models, which sherpa-onnx runs:

- ``x`` (N, T, C) float32, ``x_lens`` (N,) int64: filterbanks of N utterances, and their frames;
- ``log_probs`` (N, T // stack, phones) float32, ``log_probs_len`` (N,) int64.
"""

import warnings
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from cascade.config.sections import Decode, Features
from cascade.model.network import Network

OPSET = 17


class Exported(nn.Module):
    """The network of ``language`` with its features' mean subtraction and stacking.

    ``mean`` (C,) is the cms-init vector. With ``search``, the outputs are what that search adds
    up in place of log-probabilities (`cascade.decoding.word_search.WordSearch.scores`), times
    ``scale``.
    """

    mean: Tensor

    def __init__(
        self,
        network: Network,
        language: str,
        features: Features,
        mean: np.ndarray,
        search: Decode | None = None,
        scale: float = 1.0,
    ):
        super().__init__()
        self.network = network
        self.language = language
        self.features = features
        self.search = search
        self.scale = scale
        self.register_buffer("mean", torch.from_numpy(mean))  # (C,) float64

    def forward(self, x: Tensor, x_lens: Tensor) -> tuple[Tensor, Tensor]:
        """Map (N, T, C) and (N,) to (N, T // stack, phones) and (N,)."""
        stack = self.features.stack
        online = self.features.cmn == "online"
        if self.features.smooth:
            x = _smoothed(x, x_lens, self.features.smooth)
        x = self._less_running_mean(x, x_lens) if online else _less_mean(x, x_lens)
        steps = torch.div(x.shape[1], stack, rounding_mode="floor")
        x = x[:, : steps * stack]
        x = x.reshape(x.shape[0], -1, x.shape[2] * stack)  # (N, T, C) -> (N, T // stack, C * stack)
        lengths = torch.div(x_lens, stack, rounding_mode="floor")  # (N,)
        scores = self.network({self.language: x}, {self.language: lengths})[0]
        if self.search:
            scores = scores.clamp(min=-1e4) * self.search.acoustic_scale
            penalty = torch.zeros(scores.shape[2])
            penalty[0] = self.search.blank_penalty
            scores = (scores - penalty) * self.scale
        # Divided again: so the file of an LSTM network, which needs no lengths, keeps its bytes.
        return scores, torch.div(x_lens, stack, rounding_mode="floor")

    def _less_running_mean(self, x: Tensor, x_lens: Tensor) -> Tensor:
        """Subtract the running mean, as `cascade.features.cmn.online_cmn` does: (N, T, C)."""
        window, most = self.features.cmn_window, self.features.cmn_global
        total = x.double().cumsum(dim=1)
        before = nn.functional.pad(total, (0, 0, window, 0))[:, : x.shape[1]]  # window frames ago
        count = torch.arange(1, x.shape[1] + 1).clamp(max=window)  # (T,)
        borrowed = (window - count).clamp(max=most)
        init = borrowed[:, None] * self.mean  # (T, C)
        mean = (total - before + init) / (count + borrowed)[:, None]
        if self.features.cmn_start:
            last = x_lens.clamp(max=self.features.cmn_start)[:, None, None] - 1  # (N, 1, 1)
            of_last = mean.gather(1, last.expand(-1, 1, x.shape[2]))  # (N, 1, C)
            mean = torch.where(torch.arange(x.shape[1])[:, None] < last, of_last, mean)
        return (x - mean).float()


def _smoothed(x: Tensor, x_lens: Tensor, share: float) -> Tensor:
    """Do to (N, T, C) what `cascade.features.inputs.smoothed` does to each utterance."""
    last = (torch.arange(x.shape[1]) + 1 >= x_lens[:, None])[:, :, None]  # (N, T, 1)
    after = torch.where(last, x, nn.functional.pad(x, (0, 0, 0, 1))[:, 1:])
    x = x + share * (after - x)
    return x + share * (torch.cat([x[..., 1:], x[..., -1:]], dim=-1) - x)


def _less_mean(x: Tensor, x_lens: Tensor) -> Tensor:
    """Subtract the mean of each utterance (N, T, C) over its own frames, ``x_lens`` (N,)."""
    inside = torch.arange(x.shape[1])[None, :, None] < x_lens[:, None, None]  # (N, T, 1)
    total = (x.double() * inside).sum(dim=1, keepdim=True)  # (N, 1, C)
    return (x - total / x_lens[:, None, None]).float()


def to_onnx(model: Exported, comment: str) -> onnx.ModelProto:
    """Return ``model`` as ONNX, with the metadata of a Zipformer CTC model."""
    size = len(model.mean)
    example = torch.zeros(1, 30 * model.features.stack, size), torch.tensor([30])
    axes: Mapping[str, Mapping[int, str]] = {
        "x": {0: "N", 1: "T"},
        "x_lens": {0: "N"},
        "log_probs": {0: "N", 1: "steps"},
        "log_probs_len": {0: "N"},
    }
    with TemporaryDirectory() as folder, warnings.catch_warnings(), torch.inference_mode():
        path = Path(folder) / "model.onnx"
        warnings.simplefilter("ignore")  # of the exporter, on itself and on batches
        torch.onnx.export(
            model.eval(),
            example,
            path,
            input_names=["x", "x_lens"],
            output_names=["log_probs", "log_probs_len"],
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )
        graph = onnx.load(path)
    describe(graph, model.features.stack, comment)
    return graph


def describe(graph: onnx.ModelProto, stack: int, comment: str) -> None:
    """Write the metadata that sherpa-onnx wants of a Zipformer CTC model."""
    phones = graph.graph.output[0].type.tensor_type.shape.dim[2].dim_value
    values = {
        "model_type": "zipformer2_ctc",
        "version": "1",
        "model_author": "cascade",
        "comment": comment,
        "vocab_size": str(phones),
        "subsampling_factor": str(stack),
    }
    onnx.helper.set_model_props(graph, values)
