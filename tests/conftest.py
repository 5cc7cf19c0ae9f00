"""Fixtures of several test files: small recordings, a small recipe, a run of recipes/mini."""

import copy as copying
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from dask_workers import Dask
from filelock import FileLock
from support import SMALL, run

from cascade.config.layout import Layout
from cascade.config.recipe import Recipe, read_recipe
from cascade.runtime import workers
from local.helpers import debian


@pytest.fixture
def raw() -> dict:
    """A small, good recipe as parsed YAML, to change at will."""
    return copying.deepcopy(SMALL)


@pytest.fixture
def read(tmp_path) -> Callable[..., Recipe]:
    """Writes a recipe, parsed or YAML text, to a file, and reads that as a user's."""

    def read(raw, overrides: Mapping[str, str] | None = None) -> Recipe:
        path = tmp_path / ("recipe.yaml" if isinstance(raw, str) else "recipe.json")
        text = raw if isinstance(raw, str) else json.dumps(raw)  # JSON is read much faster
        path.write_text(text, encoding="utf-8")
        return read_recipe(path, overrides)

    return read


@pytest.fixture
def wav() -> Callable[..., Path]:
    """Writes a short 16-bit recording: a tone in noise, another one for each seed."""

    def wav(path: Path, seconds=0.5, rate=16000, channels=1, seed=0) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        random = np.random.default_rng(seed)
        samples = 0.05 * random.standard_normal((round(seconds * rate), channels))
        tone = np.sin(2 * np.pi * (200 + 50 * seed) * np.arange(len(samples)) / rate)
        soundfile.write(path, samples + 0.2 * tone[:, None], rate)
        return path

    return wav


@pytest.fixture
def encode() -> Callable[..., Path]:
    """Writes samples (N,) or (N, channels) with one of FFmpeg's encoders."""

    def encode(path: Path, samples, rate: int, codec: str, container: str | None = None) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        samples = np.asarray(samples).reshape(len(samples), -1)
        layout = "mono" if samples.shape[1] == 1 else "stereo"
        pcm = np.round(samples * 32767).astype(np.int16).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(pcm, format="s16", layout=layout)
        frame.sample_rate = rate
        with av.open(str(path), "w", format=container) as out:
            stream = out.add_stream(codec, rate=rate, layout=layout)
            context = stream.codec_context
            context.open()
            parts = av.AudioResampler(
                format=context.format, layout=layout, rate=rate, frame_size=context.frame_size
            )
            for part in [*parts.resample(frame), *parts.resample(None)]:
                out.mux(stream.encode(part))
            out.mux(stream.encode(None))
        return path

    return encode


@pytest.fixture
def listed(tmp_path, wav) -> Callable[..., Path]:
    """Records texts, and lists them in a table as a user would; ids are NAME0, NAME1 ..."""

    def listed(name: str, texts: Sequence[str], seconds: Sequence[float] | float = 0.5) -> Path:
        folder = tmp_path / name
        each = seconds if isinstance(seconds, Sequence) else [seconds] * len(texts)
        lines = ["path\ttext\tspeaker\tstart\tend\n"]
        for i, (text, length) in enumerate(zip(texts, each, strict=True)):
            wav(folder / f"{name}{i}.wav", seconds=length, seed=i)
            lines.append(f"{name}{i}.wav\t{text}\ts{i % 2}\t\t\n")
        (folder / "table.tsv").write_text("".join(lines), encoding="utf-8")
        return folder

    return listed


@pytest.fixture
def small(tmp_path, raw, listed) -> tuple[dict, Layout]:
    """A recipe with three recordings a data set, not yet prepared, and its layout."""
    for dataset in raw["datasets"]:
        texts = ["yes", "oh no", "it's"] if dataset["language"] == "en" else ["да", "о нет", "ёж"]
        dataset["path"] = str(listed(dataset["role"], texts))
    exp = tmp_path / "exp"
    return raw, Layout(exp / "small", exp / "downloads", exp / "data")


@pytest.fixture
def unpacked(tmp_path, monkeypatch):
    """A folder that stands for whatever package is unpacked."""
    folder = tmp_path / "unpacked"
    folder.mkdir()
    monkeypatch.setattr(debian, "unpack", lambda *args: folder)
    return folder


@pytest.fixture(scope="session")
def dask(tmp_path_factory) -> Iterator[Dask]:
    """A Dask scheduler with two workers, which start again when they die."""
    pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")
    from distributed import Client

    dask = Dask(tmp_path_factory.mktemp("dask"))
    for name in ("first", "second"):
        dask.worker(name)
    with Client(dask.address, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=300)  # on a busy machine
    yield dask
    dask.close()


@pytest.fixture
def on_workers(dask, tmp_path) -> Callable[[], AbstractContextManager[None]]:
    """Lets the two workers train, within a ``with``."""
    from cascade.cluster.pool import DaskCluster

    return lambda: workers.on(DaskCluster(dask.address, tmp_path / "parts", trains=True))


@pytest.fixture(scope="session")
def mini(tmp_path_factory) -> Path:
    """The folder of one complete run of recipes/mini, which all test processes share."""
    base = tmp_path_factory.getbasetemp()
    exp = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "mini_exp"
    with FileLock(f"{exp}.lock"):
        if not exp.with_suffix(".complete").exists():
            done = run("--recipe", "mini", "--exp", exp)
            assert "| plain " in done.stdout and "| cascade " in done.stdout
            exp.with_suffix(".complete").touch()
    return exp / "mini"


@pytest.fixture
def copy(mini, tmp_path) -> Path:
    """A copy of that run, to spoil."""
    return shutil.copytree(mini, tmp_path / "exp" / "mini")
