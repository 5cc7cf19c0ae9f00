"""The machine's microphone, by ALSA through FFmpeg; and 16-bit samples from a pipe."""

from collections.abc import Iterator
from contextlib import closing
from typing import BinaryIO

import av
import numpy as np

from cascade.runtime.errors import UserError

BLOCK = 0.1  # seconds


def microphone(device: str, rate: int) -> Iterator[np.ndarray]:
    """Yield samples (N,) float32 at ``rate`` Hz, until the device ends.

    ``device`` is a name of ALSA, such as ``default`` or ``plughw:1,0``. Raises `UserError` where
    there is no such microphone.
    """
    options = {"channels": "1", "sample_rate": str(rate)}
    try:
        container = av.open(device, format="alsa", options=options)
    except (av.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(
            f"no microphone: the ALSA device '{device}' cannot be opened ({reason})."
            " `arecord -L` lists devices; choose one with --device. Or pipe 16-bit mono samples in:"
            f" arecord -t raw -f S16_LE -r {rate} | cascade listen --bundle BUNDLE -"
        ) from None
    with closing(container):
        mono = av.AudioResampler(format="s16", layout="mono", rate=rate)
        try:
            for frame in container.decode(audio=0):
                for part in mono.resample(frame):
                    yield samples_of(part.to_ndarray().tobytes())
        except av.FFmpegError as error:
            raise UserError(f"the microphone '{device}' was lost ({error}).") from None


def piped(stream: BinaryIO, rate: int) -> Iterator[np.ndarray]:
    """Yield samples (N,) float32 of 16-bit samples at ``rate`` Hz, to the end of a pipe."""
    size = 2 * round(BLOCK * rate)
    rest = b""
    while data := stream.read(size):
        data = rest + data
        even = len(data) - len(data) % 2
        yield samples_of(data[:even])
        rest = data[even:]


def samples_of(data: bytes) -> np.ndarray:
    """Return samples (N,) float32 of 16-bit little-endian ones.

    >>> samples_of(bytes([0, 64, 0, 128])).tolist()
    [0.5, -1.0]
    """
    return np.frombuffer(data, "<i2").astype(np.float32) / 32768
