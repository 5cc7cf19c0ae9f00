"""What shows a training while it runs: event files for TensorBoard, and its speed.

Nothing reads them but people and the report, and no result depends on them.
``tensorboard --logdir exp`` shows all trainings of all experiments.
"""

import json
import math
import time
from pathlib import Path

from tensorboardX import SummaryWriter

from cascade.runtime.files import write_text
from cascade.training.progress import Progress

EVERY = 10  # steps between two points of a curve
EVENTS = "events.out.tfevents.*"
FLUSH = 10  # seconds after which a point is in the file


class Monitor:
    """Writes event files, and ``speed.jsonl``, into the folder of a system.

    ``step`` is 0 for a new training, and else the one at which it continues: later points of an
    interrupted run are not shown, as it takes these steps again.
    """

    def __init__(self, folder: Path, step: int):
        self._speed = folder / "speed.jsonl"
        self._rows: list[str] = []
        if step:
            self._rows = _rows_until(self._speed, step)
        else:
            for path in folder.glob(EVENTS):
                path.unlink()
        self._writer = SummaryWriter(
            str(folder), purge_step=step or None, flush_secs=FLUSH, filename_suffix=f".{step}"
        )
        self._started = self._since = time.monotonic()
        self._utterances = self._rate_utterances = 0
        self._waited = 0.0
        self._rate_since = self._started

    def show(self, progress: Progress) -> None:
        """Add a point for every tenth step, and one for every validation."""
        self._utterances += progress.utterances
        self._rate_utterances += progress.utterances
        self._waited += progress.waited
        if progress.step % EVERY == 0 or progress.row:
            now = time.monotonic()
            scalars = {f"loss/{stream}": loss for stream, loss in progress.losses.items()}
            scalars["training/learning_rate"] = progress.learning_rate
            scalars["training/gradient_norm"] = progress.norm
            seconds = max(now - self._rate_since, 1e-9)
            scalars["training/utterances_per_s"] = self._rate_utterances / seconds
            scalars["training/waiting"] = self._waited / seconds  # for batches: a share of the time
            if progress.row:
                scalars["valid/PER"] = progress.row["valid_per"]
                scalars["valid/loss"] = progress.row["valid_loss"]
            for name, value in scalars.items():
                if math.isfinite(value):
                    self._writer.add_scalar(name, value, progress.step)
            self._rate_since, self._rate_utterances, self._waited = now, 0, 0.0
        if progress.row:
            self._add_speed(progress.step)

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()

    def _add_speed(self, step: int) -> None:
        """Write the utterances a second since the last validation, which is part of the time."""
        now = time.monotonic()
        rate = self._utterances / max(now - self._since, 1e-9)
        row = {
            "step": step,
            "seconds": round(now - self._started, 2),
            "utterances_per_s": round(rate, 2),
        }
        self._rows.append(json.dumps(row) + "\n")
        write_text(self._speed, "".join(self._rows))
        self._since, self._utterances = now, 0


def _rows_until(path: Path, step: int) -> list[str]:
    """Return the rows of an interrupted training up to a step; none of a damaged file."""
    try:
        rows = path.read_text(encoding="utf-8").splitlines(keepends=True)
        return [row for row in rows if json.loads(row)["step"] <= step]
    except (OSError, ValueError, KeyError, TypeError):
        return []
