"""Audio files: what their headers say, whether that is true, and their samples.

libsndfile decodes wav, flac, mp3, ogg, opus, sph and more. FFmpeg, through PyAV, decodes the
rest: m4a, g722, webm, shortened sph.
"""

import functools
import math
import os
import re
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
import soundfile
import soxr

from cascade.corpora.unfinished import Corrected, corrections
from cascade.runtime.errors import UserError

STDERR = 2  # its file descriptor
BLOCK = 1 << 16  # samples decoded at once
PIPED = 0x7FFFF000  # the smallest length that sox, arecord and FFmpeg write into a pipe
NIST = 1024  # bytes of the header of an sph file
# What FFmpeg may open. It knows playlists by their content, and reads the files that they name.
CONTAINERS = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,eac3,flac,g722,matroska,mov,mp3,mpeg,mpegts,nistsphere,ogg,"
    "shn,tta,voc,w64,wav,webm,wv"
)
NIST_SIZES = ("sample_count", "channel_count", "sample_n_bytes")
# Recordings in a folder have these suffixes; files that a list names may have any.
SUFFIXES = frozenset(
    (".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".sph", ".g722", ".webm", ".aiff", ".au")
)


@dataclass(frozen=True)
class AudioInfo:
    """A readable audio file: sampling rate in Hz, channels, and samples of one channel.

    ``unfinished``: its header says that there are no samples, so it is read to its end.
    """

    rate: int
    channels: int
    samples: int
    unfinished: bool = False

    @property
    def seconds(self) -> float:
        return self.samples / self.rate


def inspect(path: Path) -> AudioInfo:
    """Read the header of an audio file, and its last sample.

    Raises `UserError` if the file is missing, cannot be read, is empty, or is shorter than
    its header says, and if its name is not UTF-8: libsndfile and the manifests cannot have it.
    """
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise UserError(f"the name of the audio file {path} is not UTF-8: rename it") from None
    if not path.is_file():
        raise UserError(f"the audio file {path} is missing")
    try:
        with _quiet(), _sound(path) as audio:
            unfinished = bool(corrections(path))
            info = AudioInfo(audio.samplerate, audio.channels, audio.frames, unfinished)
            if info.samples <= 0:
                raise UserError(f"the audio file {path} has no samples")
            audio.seek(info.samples - 1)
            if len(audio.read(1)) != 1:
                raise UserError(f"the audio file {path} ends before its header says: truncated")
    except (soundfile.SoundFileError, OSError) as error:
        info = _inspect_by_ffmpeg(path, error)
    _check_length(path)
    return info


def _sound(path: Path) -> soundfile.SoundFile:
    """Open a file; raise soundfile's errors, also for samples without a header."""
    try:
        audio = soundfile.SoundFile(path)
    except TypeError:  # its name ends in .raw
        raise soundfile.SoundFileRuntimeError("it has no header: convert it to wav") from None
    if audio.frames or not (replacements := corrections(path)):
        return audio
    audio.close()
    return soundfile.SoundFile(Corrected(path, replacements))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep off the screen what the decoder of MP3 writes there: it does not name the file."""
    sys.stderr.flush()
    screen = os.dup(STDERR)
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), STDERR)
        yield
    finally:
        os.dup2(screen, STDERR)
        os.close(screen)


def _inspect_by_ffmpeg(path: Path, refusal: Exception) -> AudioInfo:
    """Decode what libsndfile refuses to its end; its length is not known before."""
    try:
        with _opened(path) as container:
            stream = container.streams.audio[0]
            rate, channels = stream.codec_context.sample_rate, stream.codec_context.channels
            samples = sum(frame.samples for frame in container.decode(audio=0))
    except (av.FFmpegError, OSError, IndexError):
        raise UserError(f"the audio file {path} cannot be read ({refusal})") from None
    if not samples:
        raise UserError(f"the audio file {path} has no samples")
    return AudioInfo(rate, channels, samples)


def read(
    path: Path, rate: int, start: float, seconds: float, channel: int | None = None
) -> np.ndarray:
    """Return samples (N,) float32 at ``rate`` Hz, from ``start`` for ``seconds``.

    ``channel`` counts from 0; None is the mean of all channels. Raises `UserError` if the file
    cannot be read, is shorter than that, or lacks the channel.
    """
    try:
        samples, native = _native(path, start, seconds)
    except (soundfile.SoundFileError, av.FFmpegError, OSError, IndexError) as error:
        raise UserError(f"{path} cannot be read ({error}).") from None
    # ``seconds`` was rounded to samples at ``rate``, which are longer than those at 48 kHz.
    if abs(len(samples) - round(seconds * native)) > 1 + native / rate:
        raise UserError(f"{path} has {len(samples) / native:.2f} s there, not {seconds:.2f} s.")
    if channel is None:
        chosen = samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1)
    elif channel < samples.shape[1]:
        chosen = np.ascontiguousarray(samples[:, channel])
    else:
        raise UserError(f"{path} has no channel {channel}.")
    return chosen if native == rate else soxr.resample(chosen, native, rate)


def _native(path: Path, start: float, seconds: float) -> tuple[np.ndarray, int]:
    """Return samples (N, channels) float32 as they are in the file, and their rate in Hz."""
    try:
        with _quiet(), _sound(path) as audio:
            rate = audio.samplerate
            begin, count = round(start * rate), round(seconds * rate)
            if audio.subtype != "OPUS" and (begin == 0 or audio.format != "MP3"):
                audio.seek(begin)
                return audio.read(count, dtype="float32", always_2d=True), rate
    except soundfile.LibsndfileError:
        if not path.is_file():
            raise
    stat = path.stat()
    forward = _forward(path, stat.st_size, stat.st_mtime_ns)
    return forward.read(round(start * forward.rate), round(seconds * forward.rate)), forward.rate


class _Forward:
    """A file that is read from its beginning, without seeking.

    After a seek, decoders of lossy formats may give other samples. The parts of a long
    recording would then depend on the order in which they are read.
    """

    def __init__(self, path: Path):
        self.path = path
        self.block: np.ndarray
        self._restart()

    def _restart(self) -> None:
        self.blocks = _blocks(self.path)
        self.rate, self.block = next(self.blocks, (1, np.zeros((0, 1), np.float32)))
        self.at = 0  # position of the block's first sample

    def read(self, begin: int, count: int) -> np.ndarray:
        """Return samples (at most ``count``, channels) from ``begin``; forget those before."""
        if begin < self.at:
            self._restart()
        parts = []
        while count > 0:
            inside = self.block[max(0, begin - self.at) :][:count]
            parts.append(inside)
            begin, count = begin + len(inside), count - len(inside)
            if count > 0:
                self.at += len(self.block)
                following = next(self.blocks, None)
                if following is None:
                    self._restart()
                    break
                self.block = following[1]
        return np.concatenate(parts)


@functools.lru_cache(maxsize=1)  # segments of one recording come one after the other
def _forward(path: Path, size: int, mtime_ns: int) -> _Forward:
    return _Forward(path)


def _blocks(path: Path) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the rate in Hz and samples (N, channels) float32, block after block."""
    try:
        with _quiet():
            audio = _sound(path)
    except soundfile.LibsndfileError:
        audio = None
    with audio or nullcontext():
        # libsndfile 1.2 gives wrong samples of Opus unless it is read at once.
        if audio is None or audio.subtype == "OPUS":
            yield from _ffmpeg_blocks(path)
            return
        while len(block := _block(audio)):
            yield audio.samplerate, block


def _block(audio: soundfile.SoundFile) -> np.ndarray:
    """Return the next samples (N, channels) float32."""
    with _quiet():
        return audio.read(BLOCK, dtype="float32", always_2d=True)


def _ffmpeg_blocks(path: Path) -> Iterator[tuple[int, np.ndarray]]:
    with _opened(path) as container:
        planar = av.AudioResampler(format="fltp")
        frames = (part for frame in container.decode(audio=0) for part in planar.resample(frame))
        for frame in frames:
            yield frame.sample_rate, frame.to_ndarray().T  # (channels, N) -> (N, channels)


def _opened(path: Path) -> av.container.InputContainer:
    """Open a container. G.722 is a bare stream: only the file name tells the format.

    A playlist in place of audio must not make FFmpeg read the files that it names.
    """
    bare = "g722" if path.suffix.lower() == ".g722" else None
    options = {"protocol_whitelist": "file", "format_whitelist": CONTAINERS}
    return av.open(f"file:{path}", format=bare, options=options)


def _check_length(path: Path) -> None:
    """Raise `UserError` for a truncated file: libsndfile shortens it silently."""
    with path.open("rb") as stream:
        missing = _expected_bytes(stream) - path.stat().st_size
    if missing > 0:
        raise UserError(f"the audio file {path} is truncated: {missing} bytes are missing")


def _expected_bytes(stream: BinaryIO) -> int:
    """Return the bytes of an uncompressed file by its header; 0 if the header does not say."""
    head = stream.read(12)
    if head[:4] == b"RIFF" and head[8:] == b"WAVE":
        while len(chunk := stream.read(8)) == 8:
            name, length = chunk[:4], struct.unpack("<I", chunk[4:])[0]
            if name == b"data":
                return stream.tell() + length if length < PIPED else 0
            stream.seek(length + length % 2, 1)
    elif head[:4] == b"FORM" and head[8:] in (b"AIFF", b"AIFC"):
        length = struct.unpack(">I", head[4:8])[0]
        return 8 + length if length < PIPED else 0
    elif head[:4] == b".snd" and len(head) == 12:
        begin, length = struct.unpack(">II", head[4:])
        return begin + length if length < PIPED else 0
    elif head[:7] == b"NIST_1A":
        header = (head + stream.read(NIST - len(head))).decode("latin-1")
        fields = dict(re.findall(r"^(\w+) -\S+ (.*)$", header, re.M))
        sizes = [fields.get(name, "0") for name in NIST_SIZES]
        # pcm,embedded-shorten-v2.00 and its like are shorter than their samples.
        if header[8:16].split() == [str(NIST)] and "," not in fields.get("sample_coding", ""):
            return NIST + math.prod(int(size) if size.isdigit() else 0 for size in sizes)
    return 0
