"""The training loop: a step takes one batch of each language. One loop for every network."""

import json
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from cascade.config.systems import Train
from cascade.corpora.corpus import Excluded
from cascade.data.ledger import write_ledger
from cascade.features.batches import Batch, LanguageIterator, UtteranceSet
from cascade.model.network import Network
from cascade.runtime.errors import UserError
from cascade.runtime.files import write_text
from cascade.training.checkpoint import Checkpoints
from cascade.training.curve_warnings import hint
from cascade.training.validation import ctc, evaluate

log = logging.getLogger("cascade")
BAD_STEPS = 20  # batches in a row whose loss or gradient is not finite, before giving up


@dataclass
class Progress:
    """What a run tells its watcher after a step."""

    step: int
    steps: int
    epoch: int
    losses: dict[str, float]
    per: float | None
    best: float | None
    hint: str | None = None


@dataclass(frozen=True)
class Done:
    """What a run tells its watcher at the end: the step and PER of the model it keeps."""

    step: int
    per: float
    model_bytes: int


class Interrupted(Exception):
    """Training was asked to stop; everything is saved."""


class Trainer:
    """Trains a network on an iterator for each language, the target's first.

    A second language is one more entry of ``iterators``; without any, the same code
    trains the plain network. ``valid`` is the target's, and chooses the model: the one
    with the lowest phone error rate is kept.
    """

    def __init__(
        self,
        network: Network,
        iterators: Sequence[LanguageIterator],
        valid: UtteranceSet,
        settings: Train,
        folder: Path,
        device: torch.device,
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
        learning = [p for p in network.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(
            learning, lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
        )
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer,
            max_lr=settings.learning_rate,
            total_steps=self.steps + 1,
            pct_start=_warmup(settings.warmup, self.steps + 1),
            cycle_momentum=False,
        )
        self.checkpoints = Checkpoints(folder / "checkpoint")
        self.fingerprint = ""  # of all that the result depends on; kept in checkpoints
        self.step = 0
        self.ledger = [row for iterator in iterators for row in iterator.data.excluded]
        self.losses = {iterator.name: [] for iterator in iterators}  # since the last validation
        self.history: list[dict[str, Any]] = []
        self.best: dict[str, Any] | None = None
        self.hint: str | None = None  # for the next report
        self.stop_asked = False

    def resume(self) -> bool:
        """Goes on from the newest sound checkpoint, if there is one of this very training."""
        state = self.checkpoints.load()
        if state is None or state.get("fingerprint") != self.fingerprint:
            return False  # none, or one of another recipe, other data or other code
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        for iterator, saved in zip(self.iterators, state["iterators"], strict=True):
            iterator.restore(saved)
        torch.set_rng_state(state["random"])
        if self._on_gpu and state["device_random"] is not None:  # else saved without a GPU
            torch.cuda.set_rng_state(state["device_random"], self.device)
        self.step, self.history, self.best = state["step"], state["history"], state["best"]
        self.losses = state["losses"]
        self.ledger = [(key, Excluded(**item)) for key, item in state["ledger"]]
        return True

    def run(self, watch: Callable[[Progress], None]) -> None:
        """Trains to the end, and leaves the network as it was when it was best on ``valid``.

        Raises `Interrupted` after saving when ``stop_asked`` was set, and `UserError`
        when the loss is not finite for many steps in a row.
        """
        settings = self.settings
        write_ledger(self.folder / "excluded.tsv", self.ledger)
        if self.history:  # of a training that goes on, whatever has become of the file
            self._write_history()
        saved_at = time.monotonic()
        bad = 0
        ramp = settings.augment.ramp * self.steps
        while self.step < self.steps:
            batches = {}
            for iterator in self.iterators:
                if self._active(iterator.name):
                    iterator.strength = min(1.0, self.step / ramp) if ramp else 1.0
                    batches[iterator.name] = next(iterator)
            losses = self._train_step(batches)
            bad = 0 if losses else bad + 1
            if bad == BAD_STEPS:
                raise UserError(
                    f"The loss was not finite for {bad} steps in a row: lower"
                    f" train.learning_rate, or look at the recordings for silence and noise."
                )
            for name, value in losses.items():
                self.losses[name].append(value)
            self.schedule.step()
            self.step += 1
            if self.step % settings.valid_every == 0 or self.step == self.steps:
                self._validate()
            watch(self._progress(losses))
            due = time.monotonic() - saved_at >= settings.checkpoint_seconds
            due |= self.iterators[0].at_end or self.step == self.steps
            if due or self.stop_asked:
                self.checkpoints.save(self._state())
                saved_at = time.monotonic()
            if self.stop_asked:
                self.checkpoints.wait()
                raise Interrupted
        self.checkpoints.wait()
        assert self.best is not None
        self.network.load_state_dict(self.best["network"])

    def _active(self, language: str) -> bool:
        """Whether a language takes part in the coming step."""
        first, last = self.settings.active.get(language, (0.0, 1.0))
        return first * self.steps <= self.step < last * self.steps

    def _train_step(self, batches: dict[str, Batch]) -> dict[str, float]:
        """One update; returns the loss of each language in nats a phone, {} where it failed."""
        self.network.train()
        inputs = {
            name: torch.from_numpy(batch.inputs).to(self.device) for name, batch in batches.items()
        }
        short = self.settings.precision == "bfloat16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=short):
            found = self.network(inputs)
        outputs = zip(batches.items(), found, strict=True)
        losses = {name: ctc(log_probs, batch) for (name, batch), log_probs in outputs}
        weights = self.settings.weights
        loss = sum(weights.get(name, 1.0) * value for name, value in losses.items())
        if self.settings.tie:
            loss = loss + self.settings.tie * self.network.distance(self.target)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.clip)
        if not (torch.isfinite(loss) and torch.isfinite(norm)):
            self._leave_out(batches)
            return {}
        self.optimizer.step()
        return {name: value.item() for name, value in losses.items()}

    def _leave_out(self, batches: dict[str, Batch]) -> None:
        """Notes the utterances of a step that gives no number to go by."""
        reason = f"left out of step {self.step + 1}: the loss is not finite"
        for language, batch in batches.items():
            self.ledger += [(language, Excluded(name, reason)) for name in batch.ids]
        write_ledger(self.folder / "excluded.tsv", self.ledger)

    def _validate(self) -> None:
        """Measures the target's ``valid`` set; keeps the model where it is the best so far."""
        means = {name: sum(x) / len(x) if x else None for name, x in self.losses.items()}
        self.losses = {name: [] for name in self.losses}
        loss, per = evaluate(self.network, self.target, self.valid, self.device)
        row = {
            "step": self.step,
            "epoch": self.iterators[0].epoch,
            "learning_rate": self.schedule.get_last_lr()[0],
            "loss": means,
            "valid_loss": loss,
            "valid_per": per,
        }
        self.history.append(row)
        self._write_history()
        self.hint = hint(self.history, self.steps) or self.hint
        if self.best is None or per < self.best["per"]:
            tensors = {k: v.cpu().clone() for k, v in self.network.state_dict().items()}
            self.best = {"per": per, "step": self.step, "network": tensors}

    def _write_history(self) -> None:
        lines = (json.dumps(row) + "\n" for row in self.history)
        write_text(self.folder / "train.jsonl", "".join(lines))

    def _state(self) -> dict[str, Any]:
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
            "ledger": [(key, asdict(item)) for key, item in self.ledger],
            "best": self.best,
        }

    def _progress(self, losses: dict[str, float]) -> Progress:
        said, self.hint = self.hint, None
        return Progress(
            step=self.step,
            steps=self.steps,
            epoch=self.iterators[0].epoch,
            losses=losses,
            per=self.history[-1]["valid_per"] if self.history else None,
            best=self.best["per"] if self.best else None,
            hint=said,
        )


def _warmup(share: float, steps: int) -> float:
    """``share`` of the steps, or next to it: torch divides by nothing where it is one step."""
    return share + 1e-9 if share * steps == 1 else share
