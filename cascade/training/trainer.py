"""The training loop, one for every network: a step takes one batch of each stream."""

import copy
import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from cascade.config.systems import AUTO, Train
from cascade.corpora.corpus import Excluded
from cascade.data.ledger import write_ledger
from cascade.features.batches import Batch, Request, UtteranceSet
from cascade.features.streams import StreamIterator
from cascade.model.network import Network
from cascade.runtime.errors import UserError
from cascade.runtime.files import write_text
from cascade.training.checkpoint import Checkpoints
from cascade.training.loading import batches_ahead
from cascade.training.losses import batch_loss, gradient_ratio
from cascade.training.progress import Progress
from cascade.training.validation import curve_warning, validate

AUTO_EVERY = 25  # steps between two measurements of the weight of streams with `AUTO`
AUTO_CHANGE = 0.1  # the share of the newest measurement in it
BAD_STEPS = 20  # steps in a row whose loss or gradient is not finite, before training stops


class Interrupted(Exception):
    """The training was asked to stop; its checkpoint is saved."""


class Trainer:
    """Trains a network with AdamW (Loshchilov and Hutter 2019) and one cycle of the rate.

    ``iterators`` has one for each stream, the target's first; with the target's only, this
    trains the plain network. ``valid`` is the target's and chooses the model: the one with
    the lowest phone error rate. ``fingerprint`` stands for all that the result depends on: a
    checkpoint with another one is not used. ``message`` is reported with the first step.

    Call `resume`, if a checkpoint may be there, then `run`. Set ``stop_asked`` to stop.
    """

    def __init__(
        self,
        network: Network,
        iterators: Sequence[StreamIterator],
        valid: UtteranceSet,
        settings: Train,
        folder: Path,
        device: torch.device,
        fingerprint: str = "",
        message: str | None = None,
    ):
        self.network = network.to(device)
        self.iterators = list(iterators)
        self.valid = valid
        self.settings = settings
        self.folder = folder
        self.device = device
        self._on_gpu = device.type == "cuda"
        self.target = self.iterators[0].name
        self.steps = settings.steps
        if settings.epochs is not None:
            self.steps = settings.epochs * self.iterators[0].batches
        trained = [p for p in network.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(
            trained, lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
        )
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer,
            max_lr=settings.learning_rate,
            total_steps=self.steps + 1,
            pct_start=_warmup(settings.warmup, self.steps + 1),
            cycle_momentum=False,
        )
        self.checkpoints = Checkpoints(folder / "checkpoint")
        self.fingerprint = fingerprint
        self.message = message  # for the next report
        self.step = 0
        self.ledger = [row for iterator in iterators for row in iterator.data.excluded]
        # Since the last validation.
        self.losses: dict[str, list[float]] = {iterator.name: [] for iterator in iterators}
        self.history: list[dict[str, Any]] = []
        self.best: dict[str, Any] | None = None
        self.auto: float | None = None  # the weight of streams with `AUTO`, once measured
        self.stop_asked = False
        self.norm = math.nan  # of the gradient of the last step, before it is clipped
        self.utterances = 0  # of the last step
        self.waited = 0.0  # seconds that the last step waited for its batches

    def resume(self) -> bool:
        """Continue from the newest good checkpoint with this fingerprint; return whether."""
        state = self.checkpoints.load()
        if state is None or state.get("fingerprint") != self.fingerprint:
            return False  # none, or one of another recipe, other data or other code
        self.message = None
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        for iterator, saved in zip(self.iterators, state["iterators"], strict=True):
            iterator.restore(saved)
        torch.set_rng_state(state["random"])
        if self._on_gpu and state["device_random"] is not None:  # else saved without a GPU
            torch.cuda.set_rng_state(state["device_random"], self.device)
        self.step, self.history, self.best = state["step"], state["history"], state["best"]
        self.losses, self.auto = state["losses"], state["auto"]
        self.ledger = [(key, Excluded(**item)) for key, item in state["ledger"]]
        return True

    def run(self, watch: Callable[[Progress], None]) -> dict[str, Any]:
        """Train to the end; return the best validation: its ``step`` and ``per``.

        ``watch`` is called after every step. In the end the network has the weights that were
        best on ``valid``. Raises `Interrupted`, after a checkpoint, when ``stop_asked`` was
        set, and `UserError` when the loss is not finite for `BAD_STEPS` steps in a row.
        """
        write_ledger(self.folder / "excluded.tsv", self.ledger)
        if self.history:  # of a resumed training: the file may be damaged or deleted
            self._write_history()
        data = {iterator.name: iterator.data for iterator in self.iterators}
        with batches_ahead(data, self._requests(), self.settings.workers, self._on_gpu) as batches:
            self._loop(batches, watch)
        self.checkpoints.wait()
        assert self.best is not None
        self.network.load_state_dict(self.best["network"])
        return self.best

    def _loop(self, steps: Iterator[dict[str, Batch]], watch: Callable[[Progress], None]) -> None:
        """Take all steps that are left."""
        saved_at = time.monotonic()
        bad = 0
        while self.step < self.steps:
            asked = time.monotonic()
            batches = next(steps)
            self.waited = time.monotonic() - asked
            self._request(self.iterators, self.step)  # the iterators are now where the step is
            losses = self._train_step(batches)
            bad = 0 if losses else bad + 1
            if bad == BAD_STEPS:
                raise UserError(
                    f"The loss was not finite for {bad} steps in a row. Lower"
                    " train.learning_rate, or check the recordings for silence and noise. The"
                    f" utterances of these steps are in {self.folder / 'excluded.tsv'}."
                )
            for name, value in losses.items():
                self.losses[name].append(value)
            self.schedule.step()
            self.step += 1
            if self.step % self.settings.valid_every == 0 or self.step == self.steps:
                self._validate()
            watch(self._progress(losses))
            due = time.monotonic() - saved_at >= self.settings.checkpoint_seconds
            due |= self.iterators[0].at_end or self.step == self.steps
            if due or self.stop_asked:
                self.checkpoints.save(self._state())
                saved_at = time.monotonic()
            if self.stop_asked:
                self.checkpoints.wait()
                raise Interrupted

    def _requests(self) -> Iterator[dict[str, Request]]:
        """Yield what all steps that are left read; it may run ahead, as it changes no state."""
        ahead = [copy.copy(iterator) for iterator in self.iterators]
        for step in range(self.step, self.steps):
            yield self._request(ahead, step)

    def _request(self, iterators: Sequence[StreamIterator], step: int) -> dict[str, Request]:
        """Return what a step reads, a batch of each active stream; move the iterators on."""
        requests = {}
        for iterator in iterators:
            first, last = self.settings.active.get(iterator.name, (0.0, 1.0))
            if first * self.steps <= step < last * self.steps:
                ramp = iterator.augment.ramp * self.steps
                iterator.strength = min(1.0, step / ramp) if ramp else 1.0
                requests[iterator.name] = next(iterator)
        return requests

    def _train_step(self, batches: dict[str, Batch]) -> dict[str, float]:
        """Update the weights; return the loss of each stream in nats a phone.

        Where the loss or the gradient is not finite there is no update: returns {}.
        """
        self.network.train()
        inputs = {  # (N, T, C) each
            name: batch.inputs.to(self.device, non_blocking=True) for name, batch in batches.items()
        }
        bfloat16 = self.settings.precision == "bfloat16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=bfloat16):
            outputs = self.network(inputs)  # (N, T, phones) each
        pairs = zip(batches.items(), outputs, strict=True)
        consistency = self.settings.consistency
        losses = {name: batch_loss(out, batch, consistency) for (name, batch), out in pairs}
        auto = [name for name in losses if self.settings.weights.get(name) == AUTO]
        if auto and self.target in losses and self.step % AUTO_EVERY == 0:
            self._measure(losses[self.target], torch.stack([losses[name] for name in auto]).sum())
        weighted = (self._weight(name) * value for name, value in losses.items())
        loss = sum(weighted, start=torch.zeros((), device=self.device))
        if self.settings.tie:
            loss = loss + self.settings.tie * self.network.distance(self.target)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.clip)
        self.norm, self.utterances = norm.item(), sum(len(b.ids) for b in batches.values())
        if not (torch.isfinite(loss) and torch.isfinite(norm)):
            self._exclude(batches)
            return {}
        self.optimizer.step()
        return {name: value.item() for name, value in losses.items()}

    def _weight(self, stream: str) -> float:
        """Return the factor of a stream's loss."""
        weight = self.settings.weights.get(stream, 1.0)
        return self.auto or 1.0 if isinstance(weight, str) else weight

    def _measure(self, target: Tensor, others: Tensor) -> None:
        """Measure the weight of streams with `AUTO`, of which ``others`` is the sum of losses."""
        ratio = gradient_ratio(target, others, self.network.parameters())
        if math.isfinite(ratio):
            old = ratio if self.auto is None else self.auto
            self.auto = old + AUTO_CHANGE * (ratio - old)

    def _exclude(self, batches: dict[str, Batch]) -> None:
        """Write the utterances of a step without an update to ``excluded.tsv``."""
        reason = f"left out of step {self.step + 1}: the loss is not finite"
        for stream, batch in batches.items():
            self.ledger += [(stream, Excluded(name, reason)) for name in dict.fromkeys(batch.ids)]
        write_ledger(self.folder / "excluded.tsv", self.ledger)

    def _validate(self) -> None:
        """Measure the target on ``valid``; keep the weights if they are the best so far."""
        means = {name: sum(x) / len(x) if x else None for name, x in self.losses.items()}
        self.losses = {name: [] for name in self.losses}
        loss, per = validate(self.network, self.target, self.valid, self.device)
        row = {
            "step": self.step,
            "epoch": self.iterators[0].epoch,
            "learning_rate": self.schedule.get_last_lr()[0],
            "loss": means,
            "valid_loss": loss,
            "valid_per": per,
        }
        if self.auto is not None:
            row["auto_weight"] = self.auto
        self.history.append(row)
        self._write_history()
        self.message = curve_warning(self.history, self.steps) or self.message
        if self.best is None or per < self.best["per"]:
            tensors = {k: v.cpu().clone() for k, v in self.network.state_dict().items()}
            self.best = {"per": per, "step": self.step, "network": tensors}

    def _write_history(self) -> None:
        """Write ``train.jsonl``: a row for each validation."""
        lines = (json.dumps(row) + "\n" for row in self.history)
        write_text(self.folder / "train.jsonl", "".join(lines))

    def _state(self) -> dict[str, Any]:
        """Return all that a checkpoint needs to continue to the same bytes."""
        return {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "iterators": [iterator.state() for iterator in self.iterators],
            "random": torch.get_rng_state(),
            "device_random": torch.cuda.get_rng_state(self.device) if self._on_gpu else None,
            "step": self.step,
            "fingerprint": self.fingerprint,
            "history": self.history,
            "losses": self.losses,
            "auto": self.auto,
            "ledger": [(key, asdict(item)) for key, item in self.ledger],
            "best": self.best,
        }

    def _progress(self, losses: dict[str, float]) -> Progress:
        message, self.message = self.message, None
        return Progress(
            step=self.step,
            steps=self.steps,
            epoch=self.iterators[0].epoch,
            losses=losses,
            per=self.history[-1]["valid_per"] if self.history else None,
            best=self.best["per"] if self.best else None,
            message=message,
            learning_rate=float(self.schedule.get_last_lr()[0]),
            norm=self.norm,
            utterances=self.utterances,
            waited=self.waited,
            row=next((row for row in self.history[-1:] if row["step"] == self.step), None),
        )


def _warmup(share: float, steps: int) -> float:
    """Return ``share``, a little more where it is one step: `OneCycleLR` would divide by 0."""
    return share + 1e-9 if share * steps == 1 else share
