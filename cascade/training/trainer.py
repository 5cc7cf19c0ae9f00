"""The training loop, one for every network: a step takes one batch of each stream."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from cascade.config.systems import Train
from cascade.corpora.corpus import Excluded
from cascade.data.ledger import write_ledger
from cascade.features.batches import Request, UtteranceSet
from cascade.features.streams import StreamIterator
from cascade.model.network import Network
from cascade.runtime.errors import UserError
from cascade.runtime.files import write_text
from cascade.training.checkpoint import Checkpoints
from cascade.training.loading import Parts, batches_ahead
from cascade.training.plan import Plan
from cascade.training.progress import Progress
from cascade.training.ranks import ALONE, Ranks
from cascade.training.step import Outcome, Updater
from cascade.training.validation import curve_warning, validate

BAD_STEPS = 20  # steps in a row whose loss or gradient is not finite, before training stops
LOOK_EVERY = {"cpu": 1, "cuda": 10}  # steps; to look at losses is to wait for the device


class Interrupted(Exception):
    """The training was asked to stop; its checkpoint is saved."""


class Trainer:
    """Trains a network with AdamW (`Updater`) and one cycle of the rate.

    ``iterators`` has one for each stream, the target's first; with the target's only, this
    trains the plain network. ``valid`` is the target's and chooses the model: the one with
    the lowest phone error rate. ``fingerprint`` stands for all that the result depends on: a
    checkpoint with another one is not used. ``message`` is reported with the first step.

    All ``ranks`` make the same calls, each with its share of every batch.

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
        ranks: Ranks = ALONE,
        seed: int = 0,
    ):
        self.network = network.to(device)
        self.iterators = list(iterators)
        self.valid = valid
        self.settings = settings
        self.folder = folder
        self.device = device
        self.ranks = ranks
        self._on_gpu = device.type == "cuda"
        self.target = self.iterators[0].name
        self.updater = Updater(network, settings, self.target, device, ranks, seed)
        self.plan = Plan(iterators, settings, ranks)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.updater.optimizer,
            max_lr=settings.learning_rate,
            total_steps=self.plan.steps + 1,
            pct_start=_warmup(settings.warmup, self.plan.steps + 1),
            cycle_momentum=False,
        )
        self.checkpoints = Checkpoints(folder / "checkpoint")
        self.fingerprint = fingerprint
        self.message = message  # for the next report
        self.step = 0
        speech = [*(iterator.data for iterator in iterators), valid]
        self.ledger = [row for data in speech for row in data.excluded]
        # Since the last validation.
        self.losses: dict[str, list[float]] = {iterator.name: [] for iterator in iterators}
        self.history: list[dict[str, Any]] = []
        self.best: dict[str, Any] | None = None
        self.stop_asked = False
        self._bad = 0  # steps in a row without an update

    def resume(self) -> bool:
        """Continue from the newest good checkpoint with this fingerprint; return whether."""
        state = self.ranks.of_first(self.checkpoints.load() if self.ranks.first else None)
        if state is None or state.get("fingerprint") != self.fingerprint:
            return False  # none, or one of another recipe, other data or other code
        self.message = None
        self.network.load_state_dict(state["network"])
        self.updater.optimizer.load_state_dict(state["optimizer"])
        self.plan.divide(state["shares"])
        self.schedule.load_state_dict(state["schedule"])
        for iterator, saved in zip(self.iterators, state["iterators"], strict=True):
            iterator.restore(saved)
        torch.set_rng_state(state["random"])
        if self._on_gpu and state["device_random"] is not None:  # else saved without a GPU
            torch.cuda.set_rng_state(state["device_random"], self.device)
        self.step, self.history, self.best = state["step"], state["history"], state["best"]
        self.losses, self.updater.auto = state["losses"], state["auto"]
        self.ledger = [(key, Excluded(**item)) for key, item in state["ledger"]]
        return True

    def run(self, watch: Callable[[Progress], None]) -> dict[str, Any] | None:
        """Train to the end; return the best validation: its ``step`` and ``per``.

        ``watch`` is called for every step. In the end the network has the weights that were best
        on ``valid``. Only the first rank has them, and the result; others return None. Raises
        `Interrupted`, after a checkpoint, when ``stop_asked`` was set, and `UserError` when the
        loss is not finite for `BAD_STEPS` steps in a row.
        """
        self._write_ledger()
        if self.history and self.ranks.first:  # resumed: the file may be damaged or deleted
            self._write_history()
        data = {iterator.name: iterator.data for iterator in self.iterators}
        steps, workers = self.plan.ahead(self.step), self.settings.workers or 0
        with batches_ahead(data, steps, workers, self._on_gpu) as batches:
            self._loop(batches, watch)
        self.checkpoints.wait()
        if not self.ranks.first:
            return None
        assert self.best is not None
        self.network.load_state_dict(self.best["network"])
        return self.best

    @property
    def steps(self) -> int:
        """The length of the training."""
        return self.plan.steps

    def _loop(self, steps: Iterator[Parts], watch: Callable[[Progress], None]) -> None:
        """Take all steps that are left."""
        settings = self.settings
        saved_at = time.monotonic()
        taken: list[_Taken] = []  # steps whose losses are still on the device
        while self.step < self.steps:
            asked = time.monotonic()
            parts = next(steps)
            waited = time.monotonic() - asked
            requests = self.plan.requests(self.step)  # the iterators are now where the step is
            outcome = self.updater.step(self.step, parts)
            self.schedule.step()
            self.step += 1
            rate, epoch = float(self.schedule.get_last_lr()[0]), self.iterators[0].epoch
            taken.append(_Taken(self.step, epoch, rate, requests, waited, outcome))
            at_end = self.step == self.steps
            due = self.step % settings.valid_every == 0 or at_end
            if not (due or self.step % LOOK_EVERY[self.device.type] == 0):
                continue
            reports, stop = self._look(taken)
            taken = []
            if due and self.ranks.first:
                self._validate()
                reports[-1].row = self.history[-1]
            elif due:
                self.losses = {name: [] for name in self.losses}
            for report in reports:
                watch(self._with_valid(report))
            stop |= self.ranks.world == 1 and self.stop_asked
            late = time.monotonic() - saved_at >= settings.checkpoint_seconds
            if self.ranks.first and (late or at_end or stop):
                self.checkpoints.save(self._state())
                saved_at = time.monotonic()
            if stop:
                self.checkpoints.wait()
                raise Interrupted

    def _look(self, taken: Sequence["_Taken"]) -> tuple[list[Progress], bool]:
        """Fetch what steps gave from the device; return reports, and whether a rank should stop."""
        own = [value for one in taken for value in one.outcome.losses.values()]
        stop = torch.tensor(float(self.stop_asked), device=self.device)
        losses = self.ranks.sum(torch.stack([*own, stop]))
        both = torch.stack(
            [value for one in taken for value in (one.outcome.norm, one.outcome.bad)]
        )
        *values, stop_asked = losses.tolist()
        fetched, pairs, reports = iter(values), iter(both.tolist()), []
        for one in taken:
            each = {name: next(fetched) for name in one.outcome.losses}
            norm, bad = next(pairs), next(pairs)
            self._bad = self._bad + 1 if bad else 0
            if bad:
                each = {}
                self._exclude(one)
            for name, value in each.items():
                self.losses[name].append(value)
            reports.append(
                Progress(
                    step=one.step,
                    steps=self.steps,
                    epoch=one.epoch,
                    losses=each,
                    per=None,
                    best=None,
                    learning_rate=one.rate,
                    norm=norm,
                    utterances=sum(r.copies * len(r.indices) for r in one.requests.values()),
                    waited=one.waited,
                )
            )
            if self._bad == BAD_STEPS:
                raise UserError(
                    f"The loss was not finite for {BAD_STEPS} steps in a row. Lower"
                    " train.learning_rate, or check the recordings for silence and noise. The"
                    f" utterances of these steps are in {self.folder / 'excluded.tsv'}."
                )
        return reports, stop_asked > 0

    def _exclude(self, taken: "_Taken") -> None:
        """Write the utterances of a step without an update to ``excluded.tsv``."""
        reason = f"left out of step {taken.step}: the loss is not finite"
        ids = {iterator.name: iterator.data.ids for iterator in self.iterators}
        for stream, request in taken.requests.items():
            self.ledger += [(stream, Excluded(ids[stream][i], reason)) for i in request.indices]
        self._write_ledger()

    def _write_ledger(self) -> None:
        if self.ranks.first:
            write_ledger(self.folder / "excluded.tsv", self.ledger)

    def _validate(self) -> None:
        """Measure the target on ``valid``; keep the weights if they are the best so far."""
        means = {name: sum(x) / len(x) if x else None for name, x in self.losses.items()}
        self.losses = {name: [] for name in self.losses}
        loss, per = validate(self.network, self.target, self.valid, self.device, self.updater.exact)
        row = {
            "step": self.step,
            "epoch": self.iterators[0].epoch,
            "learning_rate": self.schedule.get_last_lr()[0],
            "loss": means,
            "valid_loss": loss,
            "valid_per": per,
        }
        if self.updater.auto is not None:
            row["auto_weight"] = self.updater.auto
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
            "optimizer": self.updater.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "iterators": [iterator.state() for iterator in self.iterators],
            "random": torch.get_rng_state(),
            "device_random": torch.cuda.get_rng_state(self.device) if self._on_gpu else None,
            "step": self.step,
            "shares": self.plan.shares,
            "fingerprint": self.fingerprint,
            "history": self.history,
            "losses": self.losses,
            "auto": self.updater.auto,
            "ledger": [(key, asdict(item)) for key, item in self.ledger],
            "best": self.best,
        }

    def _with_valid(self, report: Progress) -> Progress:
        """Add to a report what validations gave, and the message, if there is one."""
        report.per = self.history[-1]["valid_per"] if self.history else None
        report.best = self.best["per"] if self.best else None
        report.message, self.message = self.message, None
        return report


@dataclass(frozen=True)
class _Taken:
    """A step that was taken, and what it gave, which is still on the device."""

    step: int
    epoch: int
    rate: float
    requests: Mapping[str, Request]
    waited: float
    outcome: Outcome


def _warmup(share: float, steps: int) -> float:
    """Return ``share``, a little more where it is one step: `OneCycleLR` would divide by 0."""
    return share + 1e-9 if share * steps == 1 else share
