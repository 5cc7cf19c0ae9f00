import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support import ROOT, run

from cascade.config.experiment import Experiment
from cascade.config.layout import Layout
from cascade.config.recipe import read_recipe
from cascade.recognition import recordings as module
from cascade.recognition.trained_system import TrainedSystem
from cascade.runtime.files import read_jsonl_gz, read_text_table

CUTS = 6  # of the test set


def transcribe(exp: Path, *options: object, expect: int = 0) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "cascade", "transcribe", "--recipe", "mini", "--exp", exp]
    done = subprocess.run(
        [*map(str, command), *map(str, options)], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == expect, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture(scope="module")
def recordings(mini) -> dict[str, Path]:
    """Some recordings of the test set by utterance, the shortest first."""
    cuts = read_jsonl_gz(mini / "manifests" / "test_ru.jsonl.gz")
    shortest = sorted(cuts, key=lambda cut: cut["duration"])[:CUTS]
    return {cut["id"]: ROOT / cut["recording"]["sources"][0]["source"] for cut in shortest}


@pytest.mark.parametrize("system", ["plain", "cascade"])
def test_words_and_phones_are_those_of_stage_4(mini, recordings, system):
    folder = mini / system / "decode_festvox_ru"
    for option, file in ([], "words.txt"), (["--phones"], "phones_ngram.txt"):
        done = transcribe(mini.parent, "--system", system, *option, *recordings.values())
        assert "warning" not in done.stderr
        decoded = read_text_table(folder / file)
        rows = [line.split("\t") for line in done.stdout.splitlines()]
        assert [row[0] for row in rows] == [str(path) for path in recordings.values()]
        assert [row[1].split() for row in rows] == [list(decoded[name]) for name in recordings]


def test_times_and_confidences_are_those_of_stage_4(mini, recordings):
    name, path = next(iter(recordings.items()))
    done = transcribe(mini.parent, "--system", "cascade", "--times", path)
    ctm = (mini / "cascade" / "decode_festvox_ru" / "words.ctm").read_text().splitlines()
    expected = [line.split()[2:] for line in ctm if line.split()[0] == name]
    rows = [line.split("\t")[1:] for line in done.stdout.splitlines()]
    assert [[row[0], row[1], row[3]] for row in rows] == [row[:3] for row in expected]
    for row, (*_, confidence) in zip(rows, expected, strict=True):
        assert float(row[2]) == pytest.approx(float(confidence), abs=0.0051)


def test_the_system_that_is_best_on_valid_is_taken(copy, recordings, tmp_path):
    path = recordings[next(iter(recordings))]
    history = '{"step": 1, "loss": {}, "valid_loss": 1.0, "valid_per": %s}\n'
    for best, other in ("plain", "cascade"), ("cascade", "plain"):
        (copy / best / "train.jsonl").write_text(history % 10)
        (copy / other / "train.jsonl").write_text(history % 11)
        done = transcribe(copy.parent, path)
        assert f"{best} has the fewest phone errors on valid" in done.stderr
        assert "Stage 3 (training) is not up to date" in done.stderr  # the history was changed


def test_rate_format_and_channel_of_the_recording_are_its_own(mini, recordings, tmp_path):
    name, path = next(iter(recordings.items()))
    samples, rate = soundfile.read(path, dtype="float32")
    noise = np.random.default_rng(0).normal(0, 0.1, len(samples)).astype("float32")
    soundfile.write(tmp_path / "two.flac", np.stack([noise, samples], 1), rate)
    silent = np.zeros((2 * len(samples), 1), dtype="float32")
    soundfile.write(tmp_path / "long.wav", silent, 48000)
    both = tmp_path / "two.flac", tmp_path / "long.wav"
    mixed = transcribe(mini.parent, "--system", "plain", *both)
    assert f"warning: {both[0]}: using the mean of its 2 channels." in mixed.stderr
    assert len(mixed.stdout.splitlines()) == 2  # silence has a line, too
    chosen = transcribe(mini.parent, "--system", "plain", "--channel", 1, both[0])
    decoded = read_text_table(mini / "plain" / "decode_festvox_ru" / "words.txt")
    assert chosen.stdout.split("\t")[1].split() == list(decoded[name])
    assert "warning" not in chosen.stderr


def test_what_cannot_be_read_is_said_before_anything_is_decoded(mini, recordings, tmp_path):
    good = next(iter(recordings.values()))
    soundfile.write(tmp_path / "click.wav", np.ones(160), 16000)
    (tmp_path / "text.wav").write_text("no sound")
    wrong = [tmp_path / name for name in ("click.wav", "text.wav", "missing.wav")]
    done = transcribe(mini.parent, "--system", "plain", good, *wrong, expect=1)
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("cascade: nothing was transcribed: ")
    assert f"{wrong[0]} lasts 0.01 s, less than 0.2 s" in line
    assert all(str(path) in line for path in wrong)
    done = transcribe(mini.parent, "--system", "plain", "--channel", 1, good, expect=1)
    assert f"{good} has no channel 1, only 0 to 0" in done.stderr
    done = transcribe(mini.parent, "--channel", -1, good, expect=1)
    assert "--channel must be at least 0." in done.stderr


def test_what_has_not_run_is_said(copy, recordings):
    good = next(iter(recordings.values()))
    done = transcribe(copy.parent, "--system", "lower", good, expect=1)
    assert "mini: unknown system 'lower'. Known: plain, cascade." in done.stderr
    (copy / "plain" / "decode.json").unlink()
    done = transcribe(copy.parent, "--system", "plain", good, expect=1)
    assert "plain/decode.json is missing. Stages 0 to 4 of mini have not run in" in done.stderr
    shutil.rmtree(copy)
    done = transcribe(copy.parent, good, expect=1)
    assert "Stages 0 to 4 of mini have not run in" in done.stderr


def test_a_model_of_other_features_is_refused(mini, recordings):
    good = next(iter(recordings.values()))
    options = ("--system", "plain", good, "--features.filters=23")
    done = transcribe(mini.parent, *options, expect=1)
    assert "takes 120 values in a step, but 3 frames of 23 filters" in done.stderr


def test_a_model_of_other_phones_is_refused(copy, recordings):
    phones = copy / "lang" / "phones.txt"
    lines = phones.read_text(encoding="utf-8").splitlines()
    symbols = sorted([*(line.split()[0] for line in lines[1:]), "ʘ"])
    text = "".join(f"{symbol} {i}\n" for i, symbol in enumerate([lines[0].split()[0], *symbols]))
    phones.write_text(text, encoding="utf-8")
    done = transcribe(copy.parent, "--system", "plain", next(iter(recordings.values())), expect=1)
    message = f"plain was trained on other phones than those of {phones}"
    assert message in done.stderr
    done = run("--recipe", "mini", "--exp", copy.parent, "--stage", 4, "--force", expect=1)
    assert message in done.stderr


def test_stage_4_refuses_a_model_of_other_features(copy):
    options = ("--exp", copy.parent, "--features.stack", 2)
    done = run("--recipe", "mini", *options, "--stage", 4, expect=1)
    assert "plain takes 120 values in a step, and the features have 80" in done.stderr


def test_long_recordings_are_cut_in_pauses(mini, recordings, tmp_path, monkeypatch):
    rate, gap = 16000, np.zeros(8000, dtype="float32")
    speech = [soundfile.read(path, dtype="float32")[0] for path in recordings.values()]
    samples = np.concatenate([part for one in speech for part in (one, gap)])
    soundfile.write(tmp_path / "long.wav", samples, rate)
    limit = f"{len(samples) / rate / 3:.2f}"
    options = ("--system", "plain", "--times", tmp_path / "long.wav")
    done = transcribe(mini.parent, *options, f"--limits.max_seconds={limit}")
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    starts = [float(row[1]) for row in rows]
    assert starts == sorted(starts)
    assert starts[0] < len(speech[0]) / rate  # in the first utterance
    last = float(rows[-1][1]) + float(rows[-1][2])
    assert (len(samples) - len(gap) - len(speech[-1])) / rate < last < len(samples) / rate
    words = transcribe(mini.parent, *options[:2], options[3], *done.args[-1:]).stdout
    assert words.split("\t")[1].split() == [row[4] for row in rows]

    monkeypatch.chdir(ROOT)
    recipe = read_recipe(ROOT / "recipes/mini/recipe.yaml", {"limits.max_seconds": limit})
    experiment = Experiment(recipe, Layout(mini, Path("downloads"), Path("data")))
    model = TrainedSystem(experiment, "plain", 0)
    (recording,) = module.transcribe(model, [tmp_path / "long.wav"])
    assert len(recording.parts) >= 3
    edges = [0.0, *(part.end for part in recording.parts)]
    assert [part.begin for part in recording.parts] == edges[:-1]
    assert edges[-1] == recording.seconds == pytest.approx(len(samples) / rate)


def test_adapted_recordings_are_recognised_twice_and_the_model_stays(mini, recordings):
    options = ["--system", "plain", "--phones", "--adapt.epochs", "3"]
    model = mini / "plain" / "model.safetensors"
    before = model.read_bytes()
    plain = transcribe(mini.parent, *options, *recordings.values())
    adapted = transcribe(mini.parent, "--adapt", *options, *recordings.values())
    again = transcribe(mini.parent, "--adapt", *options, *recordings.values())
    assert "plain adapts to" in adapted.stderr and "adapts to" not in plain.stderr
    paths = [line.split("\t")[0] for line in adapted.stdout.splitlines()]
    assert paths == [*map(str, recordings.values())]
    assert adapted.stdout == again.stdout != plain.stdout
    assert model.read_bytes() == before


def test_too_little_speech_changes_nothing(mini, recordings):
    options = ["--system", "plain", "--adapt.min_seconds", "1000"]
    path = next(iter(recordings.values()))
    done = transcribe(mini.parent, "--adapt", *options, path)
    assert "recognised, less than adapt.min_seconds: 1000. The network stays" in done.stderr
    assert done.stdout == transcribe(mini.parent, *options, path).stdout


def test_a_bundle_cannot_adapt(mini, recordings):
    path = next(iter(recordings.values()))
    command = ["transcribe", "--bundle", mini / "cascade" / "bundle.zip", "--adapt", path]
    done = subprocess.run(
        [sys.executable, "-m", "cascade", *map(str, command)],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == 1
    assert "--adapt needs --recipe: the network of a bundle cannot train." in done.stderr
