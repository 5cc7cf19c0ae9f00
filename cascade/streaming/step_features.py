"""The features of speech that comes in pieces: samples in, steps of the network out.

The result does not depend on the size of the pieces, to the last bit: filterbanks are computed in
blocks of ``features.stack`` frames, whatever comes. They differ from those of the complete
recording in the last digits, as sums are rounded in another order.
"""

from collections.abc import Iterator

import numpy as np

from cascade.config.sections import Features
from cascade.features.cmn import RunningMean
from cascade.features.inputs import smoothed, stacked
from cascade.features.numpy_filterbank import NumpyFilterbank
from cascade.streaming.stream_mean import StreamMean


class StepFeatures:
    """What the network takes of one stream: `cascade.features.inputs.network_inputs` in pieces.

    ``mean`` is the running mean of the stream.
    """

    def __init__(self, bank: NumpyFilterbank, settings: Features, mean: RunningMean | StreamMean):
        self._bank, self._settings, self._mean = bank, settings, mean
        self._begun = False  # the samples before the first ones are mirrored
        self._samples = np.zeros(0, np.float32)  # from the start of the next frame
        self._frames = np.zeros((0, settings.filters), np.float32)  # that wait for the next one
        self._rows = self._frames  # normalised, of the next step
        self._count = self._computed = 0  # samples that came, frames that were computed

    def accept(self, samples: np.ndarray) -> Iterator[np.ndarray]:
        """Yield the steps (C,) that samples (N,) float32 complete; C is filters times stack."""
        bank, stack = self._bank, self._settings.stack
        self._count += len(samples)
        self._samples = np.concatenate([self._samples, samples], dtype=np.float32)
        if not self._begun and self._count >= bank.left:
            self._samples = np.concatenate([self._samples[: bank.left][::-1], self._samples])
            self._begun = True
        block = (stack - 1) * bank.shift + bank.length
        while self._begun and len(self._samples) >= block:
            self._compute(stack)
            yield from self._steps(len(self._frames) - bool(self._settings.smooth))

    def finish(self) -> Iterator[np.ndarray]:
        """Yield the last steps (C,) of the stream."""
        count, stack = self._bank.count(self._count), self._settings.stack
        if not self._begun:
            return
        missing = self._bank.missing(self._count)
        end = self._samples[len(self._samples) - missing :][::-1]
        self._samples = np.concatenate([self._samples, end])
        while count > self._computed:
            self._compute(min(stack, count - self._computed))
        yield from self._steps(len(self._frames))
        self._rows = np.concatenate([self._rows, self._mean.finish()])
        yield from self._steps(0)

    def _compute(self, count: int) -> None:
        """Compute the next ``count`` frames."""
        frames = self._bank.of_padded(self._samples, count)
        self._frames = np.concatenate([self._frames, frames])
        self._samples = self._samples[count * self._bank.shift :]
        self._computed += count

    def _steps(self, count: int) -> Iterator[np.ndarray]:
        """Yield the steps (C,) that the first ``count`` frames complete.

        Smoothing moves a frame towards the next one, which must be there unless it is the last.
        """
        stack = self._settings.stack
        if count:
            frames = smoothed(self._frames[: count + 1], self._settings.smooth)[:count]
            self._frames = self._frames[count:]
            self._rows = np.concatenate([self._rows, self._mean(frames)])
        while len(self._rows) >= stack:
            yield stacked(self._rows[:stack], stack)[0]  # (stack, filters) -> (C,)
            self._rows = self._rows[stack:]
