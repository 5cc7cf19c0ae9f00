"""The features of `cascade.features.filterbank` without torch, for recognition with a bundle.

The values differ from those in the last digits, as the sums are rounded in another order.
"""

import numpy as np

from cascade.features.mel import FRAME, HIGH, LOW, fft_size

SHIFT = 0.01  # seconds
PREEMPHASIS = 0.97
LEAST = np.float32(np.finfo(np.float32).eps)  # of an energy, before the logarithm
POVEY = 0.85  # the power of Hann's window that makes Kaldi's


class NumpyFilterbank:
    """Computes log-mel energies (T, C) float32: T frames of 10 ms, C ``filters``.

    ``rate`` is in Hz. Source: Kaldi's compute-fbank-feats without dither and with
    ``snip-edges=false``.
    """

    def __init__(self, rate: int, filters: int):
        self.rate = rate
        self.length, self.shift = int(FRAME * rate), int(SHIFT * rate)
        self.left = (self.length - self.shift) // 2  # samples of the first frame before the start
        self.size = fft_size(rate)
        angle = 2 * np.pi * np.arange(self.length) / (self.length - 1)
        self._window = ((0.5 - 0.5 * np.cos(angle)) ** POVEY).astype(np.float32)
        self._mel = _mel_filters(rate, self.size, filters)

    def energies(self, samples: np.ndarray) -> np.ndarray:
        """Log-mel energies (T, C) of samples (N,) float32, at least one frame long.

        >>> NumpyFilterbank(16000, 40).energies(np.zeros(8000, np.float32)).shape
        (50, 40)
        """
        right = self.missing(len(samples))
        mirrored = [samples[: self.left][::-1], samples, samples[len(samples) - right :][::-1]]
        return self.of_padded(np.concatenate(mirrored), self.count(len(samples)))

    def count(self, samples: int) -> int:
        """Return how many frames so many samples have."""
        return (samples + self.shift // 2) // self.shift

    def missing(self, samples: int) -> int:
        """Return how many samples the last frame lacks at its end; they are mirrored there."""
        end = (self.count(samples) - 1) * self.shift + self.length - self.left
        return max(0, end - samples)

    def of_padded(self, padded: np.ndarray, count: int) -> np.ndarray:
        """Log-mel energies (T, C) of the first ``count`` frames in samples with mirrored ends."""
        padded = np.ascontiguousarray(padded, dtype=np.float32)
        windows = np.lib.stride_tricks.sliding_window_view(padded, self.length)
        frames = windows[:: self.shift][:count]  # (N,) -> (T, length)
        frames = frames - frames.mean(axis=1, keepdims=True)
        before = np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
        frames = (frames - np.float32(PREEMPHASIS) * before) * self._window
        spectra = np.fft.rfft(frames, self.size)  # (T, length) -> (T, F), complex64
        power = np.square(spectra.real) + np.square(spectra.imag)
        return np.log(np.maximum(power @ self._mel, LEAST))  # (T, F) -> (T, C)


def _mel_filters(rate: int, size: int, filters: int) -> np.ndarray:
    """Return triangular filters (F, C), of equal width in mel, for F bins of a spectrum."""
    low, high = _mel(np.array([LOW, rate / 2 + HIGH]))
    edges = low + (high - low) / (filters + 1) * np.arange(filters + 2)  # (C + 2,)
    left, centre, right = edges[:-2], edges[1:-1], edges[2:]
    bins = _mel(np.arange(size // 2 + 1) * rate / size)[:, None]  # (F, 1)
    rising, falling = (bins - left) / (centre - left), (right - bins) / (right - centre)
    weights = np.maximum(0.0, np.minimum(rising, falling))  # (F, C)
    weights[-1] = 0.0  # half the sampling rate has no filter
    return weights.astype(np.float32)


def _mel(hertz: np.ndarray) -> np.ndarray:
    """Return frequencies in mel."""
    mel: np.ndarray = 1127.0 * np.log(1.0 + hertz / 700.0)
    return mel
