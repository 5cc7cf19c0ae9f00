"""The running mean of a stream with pauses: it is that of speech, not of silence.

A running mean that goes on in silence becomes that of the noise. Then the network takes the noise
for speech, and gives words where nobody speaks. So the mean stays as it is in a pause. The level of
a frame, the mean of its log-mel energies, shows when the pause is over.
"""

from collections import deque

import numpy as np

from cascade.features.cmn import RunningMean

RISE = 2.0  # above the level of a pause: speech, or another noise (8.7 dB)
RISING = 3  # frames in a row with such a level end a pause
FLAT = 3.0  # between the lowest and the highest level of what is noise only (13 dB)
FIRST = 100  # frames at the start that are looked at, or more: ``start``
SLOW = 0.02  # the share of a frame in the level of a pause


class StreamMean:
    """`RunningMean` that pauses. Its arguments are those of `RunningMean`.

    In a pause before the first speech the mean is ``init``. The frames at the start, and those
    after the first pause, are the start of a running mean if their level changes as that of speech
    does.
    """

    def __init__(self, init: np.ndarray, window: int, global_frames: int, start: int = 0):
        self._arguments = init, window, global_frames, start
        self._held = init  # (C,), the mean in a pause
        self._pausing = False
        self._level, self._rising = 0.0, 0  # of a pause, and how many frames in a row are above it
        self._begin()

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Take the next frames (T, C); return those (T', C) float32 whose mean is known now."""
        rows = [row for frame in features for row in self._next(frame)]
        return np.array(rows, np.float32).reshape(-1, features.shape[1])

    def finish(self) -> np.ndarray:
        """Return the frames (T, C) that still wait, when no more come."""
        return self._running.finish()

    def pause(self) -> None:
        """Say that nobody has spoken for a while. At a start it is too early for that."""
        if self._pausing or self._start or not self._levels:
            return
        self._pausing, self._rising = True, 0
        self._level = min(self._levels)
        if self._known:
            self._held = self._running.mean

    def speech(self) -> None:
        """Say that somebody speaks."""
        if self._pausing:
            self._pausing = False
            if not self._known:
                self._begin()

    def _begin(self) -> None:
        """Begin a running mean."""
        self._running = RunningMean(*self._arguments)
        self._levels: deque[float] = deque(maxlen=max(FIRST, self._arguments[-1]))
        self._start: list[np.ndarray] = []
        self._known = False  # whether the mean is that of speech

    def _next(self, frame: np.ndarray) -> list[np.ndarray]:
        level = float(frame.mean())
        if self._pausing:
            self._rising = self._rising + 1 if level > self._level + RISE else 0
            if self._rising < RISING:
                self._level += SLOW * (level - self._level) * (not self._rising)
                return [frame - self._held]
            self.speech()
        self._levels.append(level)
        rows = list(self._running(frame[None]))
        if not self._known:
            self._start.append(frame)
            if len(self._levels) == self._levels.maxlen:
                begun, self._start = self._start, []
                self._known = max(self._levels) - min(self._levels) > FLAT
                if not self._known:
                    rows = [one - self._held for one in begun[len(begun) - len(rows) :]]
                    self.pause()
        return rows
