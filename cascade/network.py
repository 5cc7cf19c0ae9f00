"""The network: a lower stack for each language under one shared stack and softmax."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from cascade.dropout import Dropout

PADDING = 0.1  # an LSTM's time goes by frames, padded ones too


class Stack(nn.Module):
    """One-way LSTM layers, each followed by layer normalisation and dropout.

    The normalisation is what lets CTC training leave the plateau on which a deep stack
    answers blanks only; a cascade without it may never leave it.
    """

    def __init__(self, inputs: int, layers: int, neurons: int, dropout: float):
        super().__init__()
        sizes = [inputs, *[neurons] * layers]
        self.lstm = nn.ModuleList(
            nn.LSTM(size, neurons, batch_first=True) for size in sizes[:layers]
        )
        self.norm = nn.ModuleList(nn.LayerNorm(neurons) for _ in range(layers))
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(N, T, C) to (N, T, neurons)."""
        for lstm, norm in zip(self.lstm, self.norm, strict=True):
            x = self.dropout(norm(lstm(x)[0]))
        return x


class Lower(nn.Module):
    """What a language has of its own: normalisation of its input, and its stack."""

    def __init__(self, inputs: int, layers: int, neurons: int, dropout: float):
        super().__init__()
        self.norm = nn.LayerNorm(inputs)
        self.stack = Stack(inputs, layers, neurons, dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(N, T, C) to (N, T, neurons)."""
        return self.stack(self.norm(x))


class Network(nn.Module):
    """Lower stacks by language, a shared stack, and log-probabilities over phones.

    ``layers`` is ``[lower, shared]``, or ``[all]`` for the plain network, which is a lower
    stack of one language under a shared stack of no layers. ``phones`` counts the blank.
    """

    def __init__(
        self,
        languages: Sequence[str],
        inputs: int,
        phones: int,
        layers: Sequence[int],
        neurons: int,
        dropout: float = 0.0,
    ):
        super().__init__()
        below, above = (*layers, 0)[:2]
        self.lower = nn.ModuleDict(
            {name: Lower(inputs, below, neurons, dropout) for name in languages}
        )
        self.shared = Stack(neurons, above, neurons, dropout)
        self.output = nn.Linear(neurons, phones)

    def forward(self, inputs: Mapping[str, Tensor]) -> list[Tensor]:
        """Log-probabilities for a batch of each language.

        ``inputs`` maps languages to (N, T, C), with N and T of their own; the result is a
        list of (N, T, phones) in the order of ``inputs``. Shorter utterances are padded
        behind their end, where one-way layers never look.

        The batches are joined along the batch axis and run through the shared layers at
        once, but for batches so unlike in length that more than `PADDING` of the joined
        one would be padding: they run one after the other, with the same result.
        """
        parts = [self.lower[name](x) for name, x in inputs.items()]
        longest = max(part.shape[1] for part in parts)
        rows = [part.shape[0] for part in parts]
        frames = sum(part.shape[0] * part.shape[1] for part in parts)
        if 1 - frames / (longest * sum(rows)) > PADDING:
            return [self._upper(part) for part in parts]
        padded = [nn.functional.pad(p, (0, 0, 0, longest - p.shape[1])) for p in parts]
        joined = self._upper(torch.cat(padded))  # (sum of N, longest T, phones)
        return [
            whole[:, : part.shape[1]] for whole, part in zip(joined.split(rows), parts, strict=True)
        ]

    def _upper(self, x: Tensor) -> Tensor:
        """What all languages share: (N, T, neurons) to (N, T, phones)."""
        return self.output(self.shared(x)).log_softmax(dim=-1)

    def path_of(self, language: str) -> dict[str, Tensor]:
        """The tensors that ``language`` needs, without the other languages' own."""
        other = tuple(f"lower.{name}." for name in self.lower if name != language)
        return {k: v for k, v in self.state_dict().items() if not k.startswith(other or "\0")}
