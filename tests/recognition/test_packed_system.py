"""A bundle recognises what the experiment does, without torch."""

import hashlib
import json
import subprocess
import sys

import numpy as np
import onnx
import pytest
from bundle_files import FILTERS, WITHOUT, trained
from support import ROOT

from cascade.bundle.manifest import NAME
from cascade.bundle.reader import opened
from cascade.export import int8
from cascade.export.pack import pack
from cascade.lm.const_fst import ARC, HEADER, KIND
from cascade.recognition.packed_system import PackedSystem
from cascade.recognition.recordings import transcribe
from cascade.recognition.trained_system import TrainedSystem
from cascade.runtime.errors import UserError


@pytest.fixture(params=[{"cmn": "utterance"}, {"cmn": "online", "cmn_window": 80}])
def experiment(tmp_path, raw, read, request):
    raw["limits"] = {"max_seconds": 2.0}
    return trained(tmp_path, raw, read, **request.param)


@pytest.fixture
def recordings(tmp_path, wav):
    lengths = {0: 0.7, 1: 1.6, 2: 5.0}  # the last one is cut
    return [wav(tmp_path / f"{seed}.wav", seconds, seed=seed) for seed, seconds in lengths.items()]


def test_it_recognises_what_the_experiment_does(experiment, recordings):
    pack(experiment, "plain")
    expected = list(transcribe(TrainedSystem(experiment, "plain", 5), recordings))
    assert any(recording.phones for recording in expected)  # the untrained network says something
    assert len(expected[-1].parts) > 2
    for path in (experiment.layout.bundle("plain"), experiment.layout.bundle_zip("plain")):
        with opened(path) as bundle:
            ours = list(transcribe(PackedSystem(bundle, 5), recordings))
        for one, other in zip(ours, expected, strict=True):
            assert (one.words, one.phones, one.seconds) == (
                other.words,
                other.phones,
                other.seconds,
            )
            for part, reference in zip(one.parts, other.parts, strict=True):
                assert (part.begin, part.end) == (reference.begin, reference.end)
                assert part.decoded.phones == reference.decoded.phones
                words = [h.words for h in part.decoded.hypotheses]
                assert words == [h.words for h in reference.decoded.hypotheses]
            for a, b in zip(one.timed, other.timed, strict=True):
                assert a == pytest.approx(b, abs=1e-3)


def run(
    *options: object, expect: int = 0, command: str = "transcribe"
) -> subprocess.CompletedProcess:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, command, *map(str, options)],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == expect, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


@pytest.mark.parametrize("experiment", [{}], indirect=True)
@pytest.mark.parametrize("most", [100.0, -100.0])
def test_weights_of_8_bits_are_an_option(experiment, recordings, monkeypatch, most):
    monkeypatch.setattr(int8, "MOST", most)  # more errors than the test's network can have, or none
    pack(experiment, "plain")
    folder = experiment.layout.bundle("plain")
    if most < 0:
        done = run("--bundle", folder, "--int8", recordings[0], expect=1)
        assert f"{folder} has no model.int8.onnx: it had more errors. Omit --int8." in done.stderr
        return
    with opened(folder) as bundle:
        (expected,) = transcribe(PackedSystem(bundle, 0, "model.int8.onnx"), recordings[:1])
    done = run("--bundle", folder, "--int8", "--phones", recordings[0])
    assert done.stdout == f"{recordings[0]}\t{' '.join(expected.phones)}\n"


@pytest.mark.parametrize("experiment", [{}], indirect=True)
def test_the_command_needs_no_torch(experiment, recordings, tmp_path):
    pack(experiment, "plain")
    zipped = experiment.layout.bundle_zip("plain")
    (expected,) = transcribe(TrainedSystem(experiment, "plain", 0), recordings[:1])
    done = run("--bundle", zipped, "--phones", recordings[0])
    assert done.stdout == f"{recordings[0]}\t{' '.join(expected.phones)}\n"
    assert done.stderr == ""
    done = run("--bundle", zipped, "--json", *recordings)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["file"] for row in rows] == [str(path) for path in recordings]
    assert run("--bundle", zipped, "--vtt", recordings[0]).stdout.startswith("WEBVTT\n")
    for options, message in {
        ("--recipe", "mini"): "--bundle excludes --recipe: a bundle has its own.",
        ("--system", "plain"): "--bundle excludes --system",
        ("--features.rate", "8000"): "--bundle excludes --features.rate",
        ("--nbest", "0"): "--nbest must be at least 1.",
        ("--srt", recordings[1]): "--srt and --vtt take one recording.",
    }.items():
        assert message in run("--bundle", zipped, *options, recordings[0], expect=1).stderr
    missing = run("--bundle", tmp_path / "no.zip", recordings[0], expect=1).stderr
    assert missing == f"cascade: {tmp_path}/no.zip: no bundle is there. Stage 7 packs one:" + (
        " SYSTEM/bundle.zip.\n"
    )


@pytest.mark.parametrize("experiment", [{}], indirect=True)
def test_a_bundle_is_scored_without_torch(experiment, recordings, tmp_path):
    pack(experiment, "plain")
    zipped = experiment.layout.bundle_zip("plain")
    with opened(zipped) as bundle:
        heard = list(transcribe(PackedSystem(bundle, 0), recordings))
    speech = tmp_path / "mine"
    speech.mkdir()
    for path in recordings:
        path.rename(speech / path.name)
        (speech / path.with_suffix(".txt").name).write_text("Кот, сок!", encoding="utf-8")
    done = run("--bundle", zipped, speech, command="score")
    assert done.stdout.startswith("3 utterances, 0.1 min, 6 words\nWER ")
    rows = (tmp_path / "mine_scored" / "hyp.trn").read_text(encoding="utf-8").splitlines()
    words = [row.split()[:-1] for row in rows]
    assert words == [recording.words for recording in heard]


def replace(folder, name: str, content: bytes) -> None:
    """Change a file and its digest, as somebody with bad intentions would."""
    (folder / name).write_bytes(content)
    raw = json.loads((folder / NAME).read_text())
    raw["files"][name] = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    (folder / NAME).write_text(json.dumps(raw))


def refusal(folder) -> str:
    with pytest.raises(UserError) as error, opened(folder) as bundle:
        PackedSystem(bundle, 0).load()
    assert str(error.value).startswith(f"{folder} is refused: ")
    return str(error.value)


@pytest.mark.parametrize("experiment", [{}], indirect=True)
def test_graphs_that_would_crash_the_search_are_refused(experiment):
    pack(experiment, "plain")
    folder = experiment.layout.bundle("plain")
    good = (folder / "graph.fst").read_bytes()
    states = int.from_bytes(good[HEADER - 16 : HEADER - 8], "little")
    at = HEADER + 20 * states

    def changed(column: str, value: int) -> bytes:
        content = bytearray(good)
        np.frombuffer(content, ARC, offset=at)[column][3] = value
        return bytes(content)

    for column, value in {"target": states, "input": 9, "output": 4}.items():
        for wrong in (value, -1):
            replace(folder, "graph.fst", changed(column, wrong))
            assert f"graph.fst: it has arcs with the {column}" in refusal(folder)
    content = bytearray(good)
    content[HEADER + 4 : HEADER + 12] = b"\xff\xff\xff\x7f\x01\0\0\0"
    replace(folder, "graph.fst", bytes(content))
    assert "it has states beyond its end" in refusal(folder)
    aligned = bytearray(good)
    aligned[len(KIND) - 12] = 4  # a flag: other places in the file
    for bad in (b"", good[:30], good[:-1], b"x" * len(good), bytes(aligned)):
        replace(folder, "graph.fst", bad)
        assert "it is not a decoding graph" in refusal(folder)


@pytest.mark.parametrize("experiment", [{}], indirect=True)
def test_networks_of_other_sizes_are_refused(experiment):
    pack(experiment, "plain")
    folder = experiment.layout.bundle("plain")
    replace(folder, "model.onnx", b"no network")
    assert "model.onnx is no network" in refusal(folder)
    for filters, phones in ((23, 7), (FILTERS, 9)):
        x = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["N", "T", filters])
        names = ("x_lens", "log_probs_len")
        lens, ends = (
            onnx.helper.make_tensor_value_info(name, onnx.TensorProto.INT64, ["N"])
            for name in names
        )
        y = onnx.helper.make_tensor_value_info(
            "log_probs", onnx.TensorProto.FLOAT, ["N", "T", phones]
        )
        wide = onnx.numpy_helper.from_array(np.zeros((filters, phones), np.float32), "w")
        nodes = [
            onnx.helper.make_node("MatMul", ["x", "w"], ["log_probs"]),
            onnx.helper.make_node("Identity", ["x_lens"], ["log_probs_len"]),
        ]
        graph = onnx.helper.make_graph(nodes, "other", [x, lens], [y, ends], [wide])
        model = onnx.helper.make_model(
            graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8
        )
        replace(folder, "model.onnx", model.SerializeToString())
        message = f"model.onnx takes {filters} filters and gives {phones} phones; the bundle has 40"
        assert message in refusal(folder)
