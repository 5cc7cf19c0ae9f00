"""Audio files as they are on disk: what their headers say, and whether that is true."""

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from cascade.errors import UserError


@dataclass(frozen=True)
class AudioInfo:
    """A readable audio file: its sampling rate in Hz, its channels, its samples a channel."""

    rate: int
    channels: int
    samples: int

    @property
    def seconds(self) -> float:
        return self.samples / self.rate


def inspect(path: Path) -> AudioInfo:
    """Reads the header of ``path``, and tries its last sample.

    Raises `UserError` with the reason where the file is missing, cannot be read, is
    empty, or is shorter than its header says.
    """
    if not path.is_file():
        raise UserError(f"the audio file {path} is missing")
    try:
        with soundfile.SoundFile(path) as audio:
            info = AudioInfo(audio.samplerate, audio.channels, audio.frames)
            if info.samples <= 0:
                raise UserError(f"the audio file {path} holds no samples")
            audio.seek(info.samples - 1)
            if len(audio.read(1)) != 1:
                raise UserError(f"the audio file {path} ends before its header says: truncated")
    except (soundfile.SoundFileError, OSError) as error:
        raise UserError(f"the audio file {path} cannot be read ({error})") from None
    _check_riff_length(path)
    return info


def read(path: Path, rate: int, start: float, seconds: float) -> np.ndarray:
    """Samples (N,) float32 of one channel, from ``start`` for ``seconds``; checks the rate."""
    try:
        with soundfile.SoundFile(path) as audio:
            if audio.samplerate != rate or audio.channels != 1:
                raise UserError(
                    f"{path}: {audio.samplerate} Hz and {audio.channels} channels,"
                    f" but {rate} Hz and one are wanted. Run stage 0 again."
                )
            audio.seek(round(start * rate))
            samples = audio.read(round(seconds * rate), dtype="float32")
    except (soundfile.SoundFileError, OSError) as error:
        raise UserError(f"{path} cannot be read ({error}). Run stage 0 again.") from None
    if abs(len(samples) - round(seconds * rate)) > 1:
        raise UserError(f"{path} is shorter than stage 0 found it. Run stage 0 again.")
    return samples


def _check_riff_length(path: Path) -> None:
    """libsndfile shortens a truncated WAV without a word; the header still knows better."""
    with path.open("rb") as stream:
        head = stream.read(12)
        if head[:4] != b"RIFF" or head[8:] != b"WAVE":
            return
        size = path.stat().st_size
        while len(chunk := stream.read(8)) == 8:
            name, length = chunk[:4], struct.unpack("<I", chunk[4:])[0]
            if name == b"data":
                # 0 and 0xFFFFFFFF are what programs write into a pipe.
                if length not in (0, 0xFFFFFFFF) and stream.tell() + length > size:
                    missing = stream.tell() + length - size
                    raise UserError(
                        f"the audio file {path} is truncated: {missing} bytes are missing"
                    )
                return
            stream.seek(length + length % 2, 1)
