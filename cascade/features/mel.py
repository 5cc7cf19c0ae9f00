"""Where the mel filters are, without numpy: for checks before anything runs."""

import math

LOW, HIGH = 20.0, -400.0  # Hz: where the filters begin, and end below half the sampling rate
FRAME = 0.025  # seconds


def mel(hertz: float) -> float:
    """Return a frequency in mel."""
    return 1127.0 * math.log(1.0 + hertz / 700.0)


def fft_size(rate: int) -> int:
    """Return the size of the Fourier transform of a frame: the next power of 2."""
    return 1 << (int(FRAME * rate) - 1).bit_length()


def empty_filters(rate: int, filters: int) -> int:
    """Return how many of the filters are too narrow for a frequency of the spectrum.

    >>> empty_filters(16000, 40), empty_filters(16000, 128), empty_filters(16000, 256)
    (0, 1, 27)
    """
    size = fft_size(rate)
    bins = [mel(k * rate / size) for k in range(size // 2)]  # half the rate has no filter
    low, high = mel(LOW), mel(rate / 2 + HIGH)
    width = (high - low) / (filters + 1)
    edges = [low + width * number for number in range(filters + 2)]
    return sum(
        not any(left < one < right for one in bins)
        for left, right in zip(edges, edges[2:], strict=False)
    )
