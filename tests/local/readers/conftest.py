"""Fixtures of the readers' tests: what a reader lists, and recordings that can be told by ear."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cascade.corpora import audio, corpus
from cascade.corpora.corpus import CorpusRequest, Excluded, Utterance


@pytest.fixture
def listing(tmp_path) -> Callable[..., list[Utterance | Excluded]]:
    """Lists what a reader finds in a folder; all files that it names as its lists exist."""

    def listing(
        name: str, path: Path, part: str | None = None, language: str = "ru", transcribed=True
    ):
        request = CorpusRequest(
            tmp_path / "dl",
            tmp_path / "data",
            part=part,
            path=path,
            language=language,
            transcribed=transcribed,
        )
        items = list(corpus.listing(name, request))
        files = corpus.lists(name, request)
        assert files and all(file.is_file() for file in files)
        return items

    return listing


@pytest.fixture
def put() -> Callable[[Path, str | bytes], Path]:
    """Writes a file and the folders above it."""

    def put(path: Path, content: str | bytes) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return put


@pytest.fixture
def tone() -> Callable[..., np.ndarray]:
    """Samples (N,) of a tone."""

    def tone(rate: int, seconds: float = 1.0, hz: float = 440) -> np.ndarray:
        return 0.3 * np.sin(2 * np.pi * hz * np.arange(int(seconds * rate)) / rate)

    return tone


@pytest.fixture
def heard() -> Callable[..., None]:
    """Asserts that the audio of an utterance is the tone, at 16 kHz."""

    def heard(utterance: Utterance, seconds: float = 1.0, hz: float = 440) -> None:
        audio.inspect(utterance.audio)
        samples = audio.read(
            utterance.audio, 16000, utterance.start, seconds - 0.02, utterance.channel
        )
        spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
        assert np.argmax(spectrum) * 16000 / len(samples) == pytest.approx(hz, abs=2)

    return heard
