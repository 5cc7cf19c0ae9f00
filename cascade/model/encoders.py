"""The layers that a network is built of: LSTMs, bidirectional LSTMs, blocks of a Conformer.

Shapes: N utterances, T frames, C inputs of a frame. Utterance n has the first ``lengths[n]`` of
the T frames. The others are padding, which changes no output of the utterance.
"""

import math

import torch
from torch import Tensor, nn

from cascade.model.dropout import Dropout
from cascade.model.precision import bfloat16_lstm

HEADS = 4  # of attention, as in the smaller Conformers of the paper
WIDER = 4  # times as many neurons in the middle of a feed-forward module
KERNEL = 31  # frames of the convolution; odd, so that it has a middle


class Layer(nn.Module):
    """What all layers have: the sizes of a frame before and after it."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.inputs = inputs
        self.outputs = outputs


class Lstm(Layer):
    """A unidirectional LSTM layer, then layer normalisation (Ba et al. 2016) and dropout.

    At first CTC training gives blanks only. The normalisation lets a deep stack leave this
    plateau; without it a cascade may stay there.
    """

    def __init__(self, inputs: int, neurons: int, dropout: float):
        super().__init__(inputs, neurons)
        self.lstm = nn.LSTM(inputs, neurons, batch_first=True)
        self.norm = nn.LayerNorm(neurons)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Map (N, T, C) and (N,) to (N, T, neurons)."""
        return self.dropout(self.norm(_run(self.lstm, x)))


class Blstm(Layer):
    """A bidirectional LSTM layer (Graves and Schmidhuber 2005), otherwise as `Lstm`.

    Each direction has ``neurons``, so a frame has twice as many outputs. Why not
    ``nn.LSTM(bidirectional=True)``: its second direction begins in the padding, unless sequences
    are packed, and then a CPU takes 7.7 times as long (16 utterances of up to 150 frames).
    """

    def __init__(self, inputs: int, neurons: int, dropout: float):
        super().__init__(inputs, 2 * neurons)
        self.forwards = nn.LSTM(inputs, neurons, batch_first=True)
        self.backwards = nn.LSTM(inputs, neurons, batch_first=True)
        self.norm = nn.LayerNorm(2 * neurons)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Map (N, T, C) and (N,) to (N, T, 2 * neurons)."""
        frames = torch.arange(x.shape[1], device=x.device)  # (T,)
        mirrored = lengths[:, None] - 1 - frames  # (N, T)
        order = torch.where(mirrored < 0, frames, mirrored)[:, :, None]  # padding stays behind
        reverse = _run(self.backwards, _ordered(x, order))
        outputs = torch.cat([_run(self.forwards, x), _ordered(reverse, order)], dim=-1)
        return self.dropout(self.norm(outputs))


class Conformer(Layer):
    """A block of a Conformer (Gulati et al. 2020, arXiv:2005.08100).

    Half a feed-forward module, attention, convolution, half a feed-forward module, and layer
    normalisation, each module added to its input. Inputs of another size than ``neurons`` are
    projected first.
    """

    def __init__(self, inputs: int, neurons: int, dropout: float):
        super().__init__(inputs, neurons)
        self.project = nn.Linear(inputs, neurons) if inputs != neurons else nn.Identity()
        self.before = _FeedForward(neurons, dropout)
        self.attention = _Attention(neurons, dropout)
        self.convolution = _Convolution(neurons, dropout)
        self.after = _FeedForward(neurons, dropout)
        self.norm = nn.LayerNorm(neurons)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Map (N, T, C) and (N,) to (N, T, neurons)."""
        inside = torch.arange(x.shape[1], device=x.device) < lengths[:, None]  # (N, T)
        x = self.project(x)
        x = x + self.before(x) / 2
        x = x + self.attention(x, inside)
        x = x + self.convolution(x, inside)
        x = x + self.after(x) / 2
        normed: Tensor = self.norm(x)
        return normed


ENCODERS: dict[str, type[Lstm] | type[Blstm] | type[Conformer]] = {
    "lstm": Lstm,
    "blstm": Blstm,
    "conformer": Conformer,
}


class _FeedForward(nn.Sequential):
    """The feed-forward module: (N, T, neurons) to the same shape."""

    def __init__(self, neurons: int, dropout: float):
        super().__init__(
            nn.LayerNorm(neurons),
            nn.Linear(neurons, WIDER * neurons),
            nn.SiLU(),
            Dropout(dropout),
            nn.Linear(WIDER * neurons, neurons),
            Dropout(dropout),
        )


class _Attention(nn.Module):
    """Self-attention of several heads with rotary positions (Su et al. 2021, arXiv:2104.09864).

    Rotary positions are relative ones: only the distance of two frames counts. ``nn.
    MultiheadAttention`` has no place for them. A head has a quarter of the neurons, rounded up
    to an even number.
    """

    def __init__(self, neurons: int, dropout: float):
        super().__init__()
        self.size = 2 * math.ceil(neurons / (2 * HEADS))
        self.norm = nn.LayerNorm(neurons)
        self.project = nn.Linear(neurons, 3 * HEADS * self.size)
        self.output = nn.Linear(HEADS * self.size, neurons)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, inside: Tensor) -> Tensor:
        """Map (N, T, neurons) to the same shape; ``inside`` (N, T) is False for padding."""
        projected = self.project(self.norm(x))  # (N, T, 3 * heads * size)
        split = projected.view(x.shape[0], x.shape[1], 3, HEADS, self.size)
        queries, keys, values = split.permute(2, 0, 3, 1, 4)  # (N, heads, T, size) each
        heads = nn.functional.scaled_dot_product_attention(
            _rotated(queries), _rotated(keys), values, attn_mask=inside[:, None, None]
        )
        joined = heads.transpose(1, 2).flatten(2)  # (N, heads, T, size) -> (N, T, heads * size)
        return self.dropout(self.output(joined))


class _Convolution(nn.Module):
    """The convolution module: a depthwise one over time between two pointwise ones.

    It has layer normalisation in place of the paper's batch normalisation, whose statistics
    would mix utterances, languages and padding.
    """

    def __init__(self, neurons: int, dropout: float):
        super().__init__()
        self.norm = nn.LayerNorm(neurons)
        self.widen = nn.Linear(neurons, 2 * neurons)
        self.depthwise = nn.Conv1d(neurons, neurons, KERNEL, padding=KERNEL // 2, groups=neurons)
        self.middle = nn.LayerNorm(neurons)
        self.output = nn.Linear(neurons, neurons)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, inside: Tensor) -> Tensor:
        """Map (N, T, neurons) to the same shape; ``inside`` (N, T) is False for padding."""
        gated = nn.functional.glu(self.widen(self.norm(x)), dim=-1)
        gated = gated * inside[:, :, None]  # beyond its end an utterance has zeros
        # (N, T, neurons) -> (N, neurons, T), and back
        filtered = self.depthwise(gated.transpose(1, 2)).transpose(1, 2)
        return self.dropout(self.output(nn.functional.silu(self.middle(filtered))))


def _run(lstm: nn.LSTM, x: Tensor) -> Tensor:
    """Return the outputs (N, T, neurons) of an LSTM of one layer for (N, T, C)."""
    short = x.is_cuda and torch.is_autocast_enabled("cuda")
    outputs: Tensor = bfloat16_lstm(lstm, x) if short else lstm(x)[0]
    return outputs


def _ordered(x: Tensor, order: Tensor) -> Tensor:
    """Return the frames of (N, T, C) in another ``order`` for each utterance, (N, T, 1)."""
    return x.gather(1, order.expand(-1, -1, x.shape[2]))


def _rotated(x: Tensor) -> Tensor:
    """Rotate pairs of values of (N, heads, T, size) by angles that grow with the time."""
    pairs = x.shape[-1] // 2
    speeds = 10000.0 ** (-torch.arange(pairs, device=x.device) / pairs)  # (pairs,)
    angles = torch.arange(x.shape[2], device=x.device)[:, None] * speeds  # (T, pairs)
    cos, sin = angles.cos(), angles.sin()
    one, other = x[..., :pairs], x[..., pairs:]
    return torch.cat([one * cos - other * sin, other * cos + one * sin], dim=-1).to(x.dtype)
