"""The network: LSTM stacks, some of one language and some shared, under a softmax over phones."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from cascade.model.dropout import Dropout

PADDING = 0.1  # an LSTM's time goes by frames, padded ones too
NEVER = -1e4  # added to the output of a phone that a language does not have
SHARED = "shared"  # stands in the place of a language's name, so no language is named so


class Layer(nn.Module):
    """A one-way LSTM layer, then layer normalisation and dropout.

    The normalisation is what lets CTC training leave the plateau on which a deep stack
    answers blanks only; a cascade without it may never leave it.
    """

    def __init__(self, inputs: int, neurons: int, dropout: float):
        super().__init__()
        self.lstm = nn.LSTM(inputs, neurons, batch_first=True)
        self.norm = nn.LayerNorm(neurons)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(N, T, C) to (N, T, neurons)."""
        return self.dropout(self.norm(self.lstm(x)[0]))


class Lower(nn.Sequential):
    """Normalisation of the input, and the layers next to it: (N, T, C) to (N, T, neurons)."""

    def __init__(self, inputs: int, layers: int, neurons: int, dropout: float):
        sizes = [inputs, *[neurons] * layers]
        layer = (Layer(size, neurons, dropout) for size in sizes[:layers])
        super().__init__(nn.LayerNorm(inputs), *layer)


class Upper(nn.Sequential):
    """The layers next to the output, and the output: (N, T, C) to (N, T, phones), no softmax."""

    def __init__(self, phones: int, layers: int, neurons: int, dropout: float):
        layer = (Layer(neurons, neurons, dropout) for _ in range(layers))
        super().__init__(*layer, nn.Linear(neurons, phones))


class Network(nn.Module):
    """For each language a lower and an upper part, its own or shared; log-probabilities.

    ``layers`` is ``[lower, upper]``, or ``[all]`` for one stack. ``share`` says which part
    the languages have in common: ``upper`` (the cascade), ``lower`` (as in Kaldi's
    multilingual recipes: each language has its own output), or ``all`` (one network).
    With one language they are the same. ``phones`` counts the blank.

    ``languages`` maps names to the outputs that each has, the blank among them: its
    softmax is over those alone, in training as in decoding. Shared phones are one unit
    and a phone of one language need not compete with the other's, which would teach the
    network to tell languages apart, by the microphone if need be.
    """

    def __init__(
        self,
        languages: Mapping[str, Sequence[int]],
        inputs: int,
        phones: int,
        layers: Sequence[int],
        neurons: int,
        dropout: float = 0.0,
        share: str = "upper",
    ):
        super().__init__()
        below, above = (*layers, 0)[:2]
        lower = list(languages) if share == "upper" else [SHARED]
        upper = list(languages) if share == "lower" else [SHARED]
        self.lower = nn.ModuleDict({k: Lower(inputs, below, neurons, dropout) for k in lower})
        self.upper = nn.ModuleDict({k: Upper(phones, above, neurons, dropout) for k in upper})
        self.rows = {language: row for row, language in enumerate(languages)}
        lacking = torch.full((len(languages), phones), NEVER)
        for row, allowed in zip(lacking, languages.values(), strict=True):
            row[list(allowed)] = 0.0
        self.register_buffer("lacking", lacking, persistent=False)

    def forward(self, inputs: Mapping[str, Tensor]) -> list[Tensor]:
        """Log-probabilities for a batch of each language.

        ``inputs`` maps languages to (N, T, C), with N and T of their own; the result is a
        list of (N, T, phones) in the order of ``inputs``. Shorter utterances are padded
        behind their end, where one-way layers never look.
        """
        outputs = _through(self.upper, _through(self.lower, inputs))
        rows = {name: self.lacking[self.rows[name]] for name in inputs}  # (phones,) each
        # Exact however the layers are computed: CTC adds hundreds of these up.
        return [(outputs[name].float() + rows[name]).log_softmax(dim=-1) for name in inputs]

    def distance(self, language: str) -> Tensor:
        """How far ``language`` is from the others: a sum of squared differences of weights.

        Of each part that it has of its own, against the same part of every other language.
        """
        total = self.lacking.new_zeros(())
        for parts in (self.lower, self.upper):
            for name in parts:
                if language in parts and name != language:
                    weights = (parts[language].parameters(), parts[name].parameters())
                    total = total + sum(
                        (p - q).square().sum() for p, q in zip(*weights, strict=True)
                    )
        return total

    def path(self, language: str) -> dict[str, nn.Module]:
        """What a frame of ``language`` goes through, by depth: the same names in every network.

        ``norm``, ``layer1``, ``layer2``, ..., ``output``.
        """
        lower, upper = _of(self.lower, language), _of(self.upper, language)
        modules = [*lower, *upper]
        layers = {f"layer{i}": module for i, module in enumerate(modules[1:-1], start=1)}
        return {"norm": modules[0], **layers, "output": modules[-1]}

    def path_of(self, language: str) -> dict[str, Tensor]:
        """The tensors that ``language`` needs, named by depth; nothing of other languages."""
        return {
            f"{place}.{name}": tensor
            for place, module in self.path(language).items()
            for name, tensor in module.state_dict().items()
        }

    def load_path(self, language: str, tensors: Mapping[str, Tensor]) -> None:
        """Loads what `path_of` gave; raises `RuntimeError` where they do not belong together."""
        places: dict[str, dict[str, Tensor]] = {}
        for name, tensor in tensors.items():
            place, _, rest = name.partition(".")
            places.setdefault(place, {})[rest] = tensor
        path = self.path(language)
        if places.keys() != path.keys():
            raise RuntimeError(f"it has {', '.join(places)}, not {', '.join(path)}")
        for place, module in path.items():
            module.load_state_dict(places[place])


def _of(parts: nn.ModuleDict, language: str) -> nn.Module:
    """The part that ``language`` has of its own, or the shared one."""
    return parts[language if language in parts else SHARED]


def _through(parts: nn.ModuleDict, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Each language's (N, T, C) through its own part, or all of them through the shared one.

    For the shared one the batches are joined along the batch axis and run at once, but for
    batches so unlike in length that more than `PADDING` of the joined one would be padding:
    they run one after the other, with the same result.
    """
    batches = list(inputs.values())
    longest = max(batch.shape[1] for batch in batches)
    rows = [batch.shape[0] for batch in batches]
    frames = sum(batch.shape[0] * batch.shape[1] for batch in batches)
    if SHARED not in parts or 1 - frames / (longest * sum(rows)) > PADDING:
        return {name: _of(parts, name)(batch) for name, batch in inputs.items()}
    padded = [nn.functional.pad(b, (0, 0, 0, longest - b.shape[1])) for b in batches]
    whole = parts[SHARED](torch.cat(padded))  # (sum of N, longest T, C)
    pieces = zip(inputs, whole.split(rows), batches, strict=True)
    return {name: piece[:, : batch.shape[1]] for name, piece, batch in pieces}
