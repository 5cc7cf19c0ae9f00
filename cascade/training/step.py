"""One training step: losses of a batch of each stream, their gradient, an update of the weights."""

import contextlib
import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from cascade.config.systems import AUTO, Train
from cascade.features.batches import Batch
from cascade.model.network import Network
from cascade.training.losses import batch_loss, gradient_ratio, is_exact
from cascade.training.ranks import Ranks

AUTO_EVERY = 25  # steps between two measurements of the weight of streams with `AUTO`
AUTO_CHANGE = 0.1  # the share of the newest measurement in it


@dataclass(frozen=True)
class Outcome:
    """What a step gave, on the device: to read it is to wait for the device.

    Attributes:
        losses: For each stream, in nats a phone: this rank's part of the loss.
        norm: The length of the gradient before it was clipped.
        bad: 1 where loss or gradient was not finite, so that no weight has changed; else 0.
    """

    losses: dict[str, Tensor]
    norm: Tensor
    bad: Tensor


class _Objective(nn.Module):
    """The network and the penalty of ``train.tie`` in one module, as `Ranks.together` needs it."""

    def __init__(self, network: Network, tied: str | None):
        super().__init__()
        self.network = network
        self.tied = tied

    def forward(
        self, inputs: Mapping[str, Tensor], lengths: Mapping[str, Tensor]
    ) -> tuple[list[Tensor], Tensor | None]:
        """Return the outputs of each stream, (N, T, phones), and the penalty."""
        outputs = self.network(inputs, lengths)
        return outputs, self.network.distance(self.tied) if self.tied else None


class Updater:
    """Updates a network with AdamW (Loshchilov and Hutter 2019), one step after the other.

    ``target`` is the target's stream. ``auto`` is the weight of streams with `AUTO`, once
    measured; a checkpoint has it. ``seed`` decides the dropout of several ranks.
    """

    def __init__(
        self,
        network: Network,
        settings: Train,
        target: str,
        device: torch.device,
        ranks: Ranks,
        seed: int,
    ):
        self.network = network
        self.settings = settings
        self.target = target
        self.device = device
        self.ranks = ranks
        self.seed = seed
        self.exact = is_exact(settings.loss, device)
        self.auto: float | None = None
        trained = [p for p in network.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(
            trained, lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
        )
        objective = _Objective(network, target if settings.tie else None)
        self._objective = ranks.together(objective, some_unused=bool(settings.active))

    def step(self, number: int, parts: Sequence[Mapping[str, Batch]]) -> Outcome:
        """Update the weights by the gradient of all ``parts`` of the batches of this rank.

        Where the loss or the gradient is not finite there is no update. Nothing here waits for
        the device, but the measurement of weights with `AUTO`.
        """
        if self.ranks.world > 1:  # dropout differs by rank, and is that of the step
            torch.manual_seed(zlib.crc32(f"{self.seed} {number} {self.ranks.rank}".encode()))
        self.network.train()
        self.optimizer.zero_grad(set_to_none=True)
        losses: dict[str, Tensor] = {}
        total = torch.zeros((), device=self.device)
        for index, batches in enumerate(parts):
            last = index == len(parts) - 1
            with contextlib.nullcontext() if last else self._gradients_of_this_rank():
                values, penalty = self._losses(batches)
                if not (index or number % AUTO_EVERY):
                    self._measure(values)
                weighted = (self._weight(name) * value for name, value in values.items())
                loss = sum(weighted, start=torch.zeros((), device=self.device))
                if self.ranks.world > 1:  # of whose gradients the mean is taken
                    loss = loss * self.ranks.world
                if last and penalty is not None:
                    loss = loss + self.settings.tie * penalty
                loss.backward()
            total = total + loss.detach()
            for name, value in values.items():
                losses[name] = losses[name] + value.detach() if index else value.detach()
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.clip)
        bad = 1.0 - (torch.isfinite(total) & torch.isfinite(norm)).float()
        bad = self.ranks.sum(bad).clamp(max=1.0)
        # As torch's GradScaler tells the optimizer: the update is left out on the device itself.
        setattr(self.optimizer, "found_inf", bad)  # noqa: B010
        self.optimizer.step()
        return Outcome(losses, norm, bad)

    def _losses(self, batches: Mapping[str, Batch]) -> tuple[dict[str, Tensor], Tensor | None]:
        """Return the loss of each stream in nats a phone, and the penalty of ``train.tie``."""
        inputs, lengths = (  # (N, T, C) and (N,) each
            {
                name: getattr(batch, what).to(self.device, non_blocking=True)
                for name, batch in batches.items()
            }
            for what in ("inputs", "lengths")
        )
        bfloat16 = self.settings.precision == "bfloat16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=bfloat16):
            outputs, penalty = self._objective(inputs, lengths)  # (N, T, phones) each
        pairs = zip(batches.items(), outputs, strict=True)
        consistency, exact = self.settings.consistency, self.exact
        losses = {name: batch_loss(out, batch, consistency, exact) for (name, batch), out in pairs}
        return losses, penalty

    def _gradients_of_this_rank(self) -> contextlib.AbstractContextManager:
        """Return a context in which gradients add up, without those of other ranks."""
        if isinstance(self._objective, DistributedDataParallel):
            return self._objective.no_sync()
        return contextlib.nullcontext()

    def _weight(self, stream: str) -> float:
        """Return the factor of a stream's loss."""
        weight = self.settings.weights.get(stream, 1.0)
        return self.auto or 1.0 if isinstance(weight, str) else weight

    def _measure(self, losses: Mapping[str, Tensor]) -> None:
        """Measure the weight of streams with `AUTO`, if they and the target take part."""
        auto = [name for name in losses if self.settings.weights.get(name) == AUTO]
        if not auto or self.target not in losses:
            return
        others = torch.stack([losses[name] for name in auto]).sum()
        parameters = self.network.parameters()
        ratio = gradient_ratio(losses[self.target], others, parameters)
        if math.isfinite(ratio):
            old = ratio if self.auto is None else self.auto
            self.auto = old + AUTO_CHANGE * (ratio - old)
