"""The network: stacks of layers, of one stream or shared, and a softmax over phones.

Shapes: N utterances, T frames, C inputs of a frame (filters times stacked frames).
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import torch
from torch import Tensor, nn

from cascade.model.encoders import ENCODERS, Layer

PADDING = 0.1  # of a joined batch: layers compute padded frames, too
NEVER = -1e4  # added to the output of a phone that a language does not have
SHARED = "shared"  # the name of a part that all share, so no stream has this name


class Part(nn.ModuleList):
    """Modules that a batch passes one after the other."""

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Map (N, T, C) and (N,), the frames of each utterance, to (N, T, outputs)."""
        for module in self:
            x = module(x, lengths) if isinstance(module, Layer) else module(x)
        return x


class Lower(Part):
    """Layer normalisation of the input, and the layers next to it: (N, T, C) to (N, T, outputs)."""

    def __init__(self, inputs: int, layers: int, neurons: int, dropout: float, encoder: str):
        super().__init__([nn.LayerNorm(inputs)])
        self.outputs = _stack(self, inputs, layers, neurons, dropout, encoder)


class Upper(Part):
    """The layers next to the output, and the output: (N, T, C) to (N, T, phones), logits."""

    def __init__(
        self, phones: int, inputs: int, layers: int, neurons: int, dropout: float, encoder: str
    ):
        super().__init__()
        outputs = _stack(self, inputs, layers, neurons, dropout, encoder)
        self.append(nn.Linear(outputs, phones))


def _stack(part: Part, inputs: int, layers: int, neurons: int, dropout: float, encoder: str) -> int:
    """Add layers to a part; return the size of their outputs."""
    for _ in range(layers):
        layer = ENCODERS[encoder](inputs, neurons, dropout)
        part.append(layer)
        inputs = layer.outputs
    return inputs


class Network(nn.Module):
    """A lower and an upper part for each stream, its own or shared, and a log-softmax.

    ``layers`` is ``[lower, upper]``, or ``[all]`` for one stack. ``share`` says which part
    all streams share: ``upper`` (the cascade), ``lower`` (as in Kaldi's multilingual
    recipes, ``babel_multilang``: each language has its own output), or ``all`` (one
    network). With one stream the three are the same. ``phones`` counts the blank.

    A stream is the speech of one data iterator, and has one language. ``languages`` maps
    streams to languages; by default each is its own. Where the upper parts are separate,
    there is one for each language. Where the lower parts are, there is one for each stream.
    ``encoder`` is the kind of the layers, one of `ENCODERS`.

    ``outputs`` maps each stream to the outputs that its language has, the blank included.
    The softmax of a stream is over these only, in training and in decoding. So a phone that
    languages share is one unit, and the phones of one language do not compete with the
    other's. That competition would teach the network to separate the languages, if need be
    by the microphone.
    """

    masks: Tensor  # (streams, phones): 0 for the outputs of a stream, else `NEVER`

    def __init__(
        self,
        outputs: Mapping[str, Sequence[int]],
        inputs: int,
        phones: int,
        layers: Sequence[int],
        neurons: int,
        dropout: float = 0.0,
        share: str = "upper",
        languages: Mapping[str, str] = MappingProxyType({}),
        encoder: str = "lstm",
    ):
        super().__init__()
        below, above = (*layers, 0)[:2]
        # The names of each stream's parts.
        self.lower_of = {name: name if share == "upper" else SHARED for name in outputs}
        self.upper_of = {
            name: languages.get(name, name) if share == "lower" else SHARED for name in outputs
        }
        lower = dict.fromkeys(self.lower_of.values())
        upper = dict.fromkeys(self.upper_of.values())
        settings = neurons, dropout, encoder
        lowers = {k: Lower(inputs, below, *settings) for k in lower}
        between = next(iter(lowers.values())).outputs
        self.lower = nn.ModuleDict(lowers)
        self.upper = nn.ModuleDict({k: Upper(phones, between, above, *settings) for k in upper})
        self.rows = {stream: row for row, stream in enumerate(outputs)}
        masks = torch.full((len(outputs), phones), NEVER)
        for row, allowed in zip(masks, outputs.values(), strict=True):
            row[list(allowed)] = 0.0
        self.register_buffer("masks", masks, persistent=False)

    def forward(
        self, inputs: Mapping[str, Tensor], lengths: Mapping[str, Tensor] | None = None
    ) -> list[Tensor]:
        """Return log-probabilities for a batch of each stream.

        ``inputs`` maps streams to (N, T, C); each has its own N and T. The result is a
        list of (N, T, phones) in the order of ``inputs``. Shorter utterances are padded at
        their end. ``lengths`` maps streams to (N,), the frames of each utterance; without it all
        frames belong to the utterances. Padding changes no output before it.
        """
        if lengths is None:
            lengths = {
                name: torch.full((len(x),), x.shape[1], device=x.device)
                for name, x in inputs.items()
            }
        hidden = _outputs(self.lower, self.lower_of, inputs, lengths)
        outputs = _outputs(self.upper, self.upper_of, hidden, lengths)
        added = {name: self.masks[self.rows[name]] for name in inputs}  # (phones,) each
        # In float32 also where the layers are in bfloat16: CTC adds up hundreds of these.
        return [(outputs[name].float() + added[name]).log_softmax(dim=-1) for name in inputs]

    def distance(self, stream: str) -> Tensor:
        """Return the sum of squared differences of the weights of ``stream`` and of others.

        It compares each part that the stream does not share with the same part of every
        other stream. The result is a scalar, the penalty of ``train.tie``.
        """
        total = self.masks.new_zeros(())
        for parts, own in self._parts(stream):
            for name in parts:
                if own not in (SHARED, name):
                    weights = (parts[own].parameters(), parts[name].parameters())
                    total = total + sum(
                        (p - q).square().sum() for p, q in zip(*weights, strict=True)
                    )
        return total

    def _parts(self, stream: str) -> tuple[tuple[nn.ModuleDict, str], ...]:
        """Return the lower and the upper parts, each with the name of the one of ``stream``."""
        return (self.lower, self.lower_of[stream]), (self.upper, self.upper_of[stream])

    def path(self, stream: str) -> dict[str, nn.Module]:
        """Return the modules that a frame of ``stream`` passes, named by depth.

        The names are ``norm``, ``layer1``, ``layer2``, ..., ``output``, whatever is shared.
        """
        modules = [layer for parts, own in self._parts(stream) for layer in _part(parts, own)]
        layers = {f"layer{i}": module for i, module in enumerate(modules[1:-1], start=1)}
        return {"norm": modules[0], **layers, "output": modules[-1]}

    def path_of(self, stream: str) -> dict[str, Tensor]:
        """Return the tensors that ``stream`` needs, named by depth, none of other streams."""
        return {
            f"{place}.{name}": tensor
            for place, module in self.path(stream).items()
            for name, tensor in module.state_dict().items()
        }

    def load_path(self, stream: str, tensors: Mapping[str, Tensor]) -> None:
        """Load what `path_of` gave; raise `RuntimeError` where names or shapes do not fit."""
        places: dict[str, dict[str, Tensor]] = {}
        for name, tensor in tensors.items():
            place, _, rest = name.partition(".")
            places.setdefault(place, {})[rest] = tensor
        path = self.path(stream)
        if places.keys() != path.keys():
            raise RuntimeError(f"it has {', '.join(places)} instead of {', '.join(path)}")
        for place, module in path.items():
            module.load_state_dict(places[place])


def _part(parts: nn.ModuleDict, name: str) -> Part:
    part = parts[name]
    assert isinstance(part, Part)
    return part


def _outputs(
    parts: nn.ModuleDict,
    part_of: Mapping[str, str],
    inputs: Mapping[str, Tensor],
    lengths: Mapping[str, Tensor],
) -> dict[str, Tensor]:
    """Return each stream's batch (N, T, C), passed through its part.

    Streams of one part are passed through it together.
    """
    streams: dict[str, dict[str, Tensor]] = {}
    for stream, batch in inputs.items():
        streams.setdefault(part_of[stream], {})[stream] = batch
    outputs: dict[str, Tensor] = {}
    for name, batches in streams.items():
        outputs |= _together(_part(parts, name), batches, lengths)
    return outputs


def _together(
    part: Part, inputs: Mapping[str, Tensor], lengths: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Pass each stream's batch (N, T, C) with its lengths (N,) through ``part``.

    It runs once, on the batches joined along the batch axis. If their lengths are so
    different that more than `PADDING` of the joined batch would be padding, it runs once for
    each batch, with the same result.
    """
    batches = list(inputs.values())
    longest = max(batch.shape[1] for batch in batches)
    rows = [batch.shape[0] for batch in batches]
    frames = sum(batch.shape[0] * batch.shape[1] for batch in batches)
    if len(batches) == 1 or 1 - frames / (longest * sum(rows)) > PADDING:
        return {name: part(batch, lengths[name]) for name, batch in inputs.items()}
    # (N, T, C) -> (N, longest T, C) each
    padded = [nn.functional.pad(b, (0, 0, 0, longest - b.shape[1])) for b in batches]
    of_all = torch.cat([lengths[name] for name in inputs])  # (sum of N,)
    joined = part(torch.cat(padded), of_all)  # (sum of N, longest T, C)
    pieces = zip(inputs, joined.split(rows), batches, strict=True)
    return {name: piece[:, : batch.shape[1]] for name, piece, batch in pieces}  # (N, T, C) each
