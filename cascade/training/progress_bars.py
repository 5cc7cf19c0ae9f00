"""Progress of trainings side by side: bars on a terminal, lines elsewhere."""

import logging
import sys
import time
from collections.abc import Sequence

from tqdm import tqdm

from cascade.runtime.progress import LINE_EVERY, time_left
from cascade.training.progress import Done, Progress

log = logging.getLogger("cascade")


class ProgressBars:
    """One bar a system: epoch, loss of each language, PER on valid, time left."""

    def __init__(self, names: Sequence[str]):
        self.width = max(len(name) for name in names)
        self.places = {name: place for place, name in enumerate(names)}
        self.bars: dict[str, tqdm] = {}
        self.started: dict[str, tuple[float, int]] = {}
        self.logged: dict[str, float] = {}
        self.terminal = sys.stderr.isatty()

    def show(self, name: str, progress: Progress) -> None:
        """Draw the progress of one training, or log it every `LINE_EVERY` seconds."""
        now = time.monotonic()
        if name not in self.started:
            self.started[name] = (now, progress.step)
            if progress.step > 1:
                log.info("%s continues at step %d.", name, progress.step)
        if progress.message:
            tqdm.write(f"{name}: {progress.message}.", file=sys.stderr)
        text = f"epoch {progress.epoch}, loss " + " ".join(
            f"{language} {loss:.2f}" for language, loss in progress.losses.items()
        )
        if progress.per is not None:
            text += f", valid PER {progress.per:.1f} % (best {progress.best:.1f})"
        if self.terminal:
            if name not in self.bars:
                self.bars[name] = tqdm(
                    total=progress.steps,
                    initial=progress.step,
                    desc=f"{name:{self.width}}",
                    position=self.places[name],
                    unit="step",
                    leave=True,
                )
            bar = self.bars[name]
            bar.set_postfix_str(text, refresh=False)
            bar.update(progress.step - bar.n)
        elif now - self.logged.get(name, 0.0) >= LINE_EVERY or progress.step == progress.steps:
            self.logged[name] = now
            started, first = self.started[name]
            left = ""
            if progress.step > first:
                done, total = progress.step - first, progress.steps - first
                left = f", {time_left(now - started, done, total)}"
            title = f"{name:{self.width}}"
            log.info("%s: step %d of %d, %s%s", title, progress.step, progress.steps, text, left)

    def done(self, name: str, result: Done) -> None:
        """Report the result of a finished training."""
        text = f"{name}: PER {result.per:.2f} % on valid at step {result.step}, model"
        tqdm.write(f"{text} of {result.model_bytes / 1024:.0f} KB", file=sys.stderr)

    def close(self) -> None:
        """Remove the bars."""
        for bar in self.bars.values():
            bar.close()
