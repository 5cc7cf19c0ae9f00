"""The command `score`: a trained model on recordings with their text."""

import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from support import ROOT

from cascade.config.sections import Features, Language, Limits
from cascade.decoding.decoder import Decoded
from cascade.recognition.recordings import Recogniser
from cascade.recognition.scoring import Request, score_folder
from cascade.runtime.errors import UserError
from cascade.runtime.files import jsonl_gz, read_jsonl_gz, read_text_table
from cascade.scoring.speechbox import read_log

CUTS = 12


class Decoder:
    """Hears да in whatever it gets."""

    seconds = 0.03
    words = ("да", "нет", "ёж")

    def __call__(self, name, log_probs):
        return Decoded(name, [], [], [], ["да"], [], [])


@pytest.fixture
def model():
    """A model without a network; ``loads`` counts how often it is loaded."""
    loads = []

    def load():
        loads.append(1)
        return Recogniser(
            lambda samples: np.zeros((len(samples) // 160, 40)),
            lambda matrix: np.zeros((len(matrix) // 3, 5)),
            Decoder(),
        )

    return SimpleNamespace(
        features=Features(stack=3, rate=16000),
        limits=Limits(max_seconds=2.0),
        language="ru",
        rule=Language("абвгдеёжзиклмнопрстуф", "ru", fold={"ё": "е"}),
        training=(),
        load=load,
        loads=loads,
    )


@pytest.fixture
def speech(tmp_path, wav):
    """Recordings of two speakers with their text beside them."""
    texts = {"anna/1": "Да!", "anna/2": "да, нет", "boris/1": "дом", "boris/2": "hello"}
    for seed, (name, text) in enumerate(texts.items()):
        wav(tmp_path / f"mine/{name}.wav", 1.0, seed=seed)
        (tmp_path / f"mine/{name}.txt").write_text(text, encoding="utf-8")
    return Request(str(tmp_path / "mine"), tmp_path / "out", None, False, 1)


def test_every_utterance_is_scored_or_named(model, speech):
    lines = score_folder(model, speech).splitlines()
    assert lines[0] == "3 utterances of 2 speakers, 0.1 min, 4 words"
    # Three utterances are too few for an interval.
    assert lines[1] == "WER 50.00 %: 25.0 % substituted, 25.0 % deleted, 0.0 % inserted"
    assert lines[2] == "25.0 % of the words are not in the vocabulary of the model"
    assert lines[3] == "1 are left out:" and lines[4].startswith("  boris-2: the transcript has")
    counts = read_log(speech.out / "speechbox.log")
    assert (counts.errors, counts.terrors, counts.all_words) == (2, 2, 4)
    assert counts.all_phones is None
    rows = [line.split() for line in (speech.out / "per_utt").read_text().splitlines()]
    assert rows[8:10] == [["boris-1", "ref", "дом"], ["boris-1", "hyp", "да"]]
    assert (speech.out / "excluded.tsv").read_text().splitlines()[1].startswith("boris-2\tthe")
    assert not list(speech.out.glob("*phones*")) and not (speech.out / "per").exists()
    with pytest.raises(UserError, match="out exists already"):
        score_folder(model, speech)


def test_words_are_compared_as_in_stage_5(model, speech, tmp_path):
    (tmp_path / "mine/anna/1.txt").write_text("Ёж", encoding="utf-8")
    model.load = lambda load=model.load: replace(load(), decoder=Hears("еж"))
    assert "boris-1: " not in score_folder(model, speech)
    rows = (speech.out / "per_utt").read_text().splitlines()
    assert rows[0].split() == ["anna-1", "ref", "еж"] and rows[3] == "anna-1 #csid 1 0 0 0"


class Hears(Decoder):
    def __init__(self, word):
        self.word = word

    def __call__(self, name, log_probs):
        return Decoded(name, [], [], [], [self.word], [], [])


def test_each_speaker_has_a_model_that_adapted_to_this_speaker(model, speech, tmp_path):
    heard = []
    path = SimpleNamespace(labels=[])
    Decoder.search = SimpleNamespace(path=lambda log_probs: path)
    Decoder.phones = []
    load = model.load
    model.load = lambda: replace(load(), adapt=lambda parts: heard.append(len(parts)))
    score_folder(model, replace(speech, adapt=True))
    assert heard == [2, 1] and len(model.loads) == 2
    table = tmp_path / "mine" / "table.tsv"
    table.write_text("path\ttext\nanna/1.wav\tда\n", encoding="utf-8")
    unnamed = replace(speech, where=str(table), out=tmp_path / "other", adapt=True)
    with pytest.raises(UserError, match="does not name the speakers"):
        score_folder(model, unnamed)


def test_what_cannot_be_used_leaves_no_folder(model, speech, tmp_path):
    with pytest.raises(UserError, match="There is no folder"):
        score_folder(model, replace(speech, where=str(tmp_path / "nothing")))
    with pytest.raises(UserError, match="the corpus 'voices' is made for a recipe"):
        score_folder(model, replace(speech, where="voices"))
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="Not a directory"):
        score_folder(model, replace(speech, out=tmp_path / "file" / "out"))
    assert not speech.out.exists() and not model.loads


def test_speech_of_the_training_is_named(model, speech, tmp_path, caplog):
    def cut(name, start):
        source = {"source": str(tmp_path / f"mine/{name}.wav")}
        return {"start": start, "duration": 0.5, "recording": {"sources": [source]}}

    model.training = [tmp_path / "train.jsonl.gz"]
    with jsonl_gz(model.training[0]) as write:
        for row in (cut("anna/1", 0.2), cut("anna/2", 1.0), cut("other", 0.0), {"start": 0.0}):
            write(row)
    score_folder(model, speech)
    assert "1 of the 3 utterances are in the training or valid speech of the model" in caplog.text


def test_several_channels_are_named(model, speech, wav, tmp_path):
    wav(tmp_path / "mine/anna/1.wav", 1.0, channels=2)
    lines = score_folder(model, speech).splitlines()
    assert "1 with several channels: their mean. --channel 0 takes the first one" in lines
    first = replace(speech, channel=0, out=tmp_path / "first")
    assert "several channels" not in score_folder(model, first)


def test_two_texts_of_one_recording_are_not_joined(model, speech, tmp_path):
    folder, wavs = tmp_path / "kaldi", tmp_path / "mine/anna"
    folder.mkdir()
    (folder / "wav.scp").write_text(f"u {wavs}/1.wav\nu {wavs}/1.wav\nv {wavs}/2.wav\n")
    (folder / "text").write_text("u да\nu нет\nv да\n", encoding="utf-8")
    lines = score_folder(model, replace(speech, where=str(folder))).splitlines()
    assert lines[0].startswith("2 utterances")
    assert "  u: another utterance has this id" in lines


def test_the_figures_are_those_of_stage_5(mini, tmp_path):
    cuts = sorted(read_jsonl_gz(mini / "manifests" / "test_ru.jsonl.gz"), key=lambda c: c["id"])
    words = read_text_table(mini / "lang" / "text" / "test_ru.words")
    rows = [
        (c["id"], str(ROOT / c["recording"]["sources"][0]["source"]), " ".join(words[c["id"]]))
        for c in cuts[:CUTS]
    ]
    lines = ["id\tpath\ttext\n", *("\t".join(row) + "\n" for row in rows)]
    (tmp_path / "table.tsv").write_text("".join(lines), encoding="utf-8")
    command = [sys.executable, "-m", "cascade", "score", "--recipe", "mini", "--exp", mini.parent]
    command += ["--system", "plain", tmp_path / "table.tsv"]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{CUTS} utterances, ")
    assert " (95 % interval " in done.stdout
    assert "in the training" not in done.stderr
    scored = (tmp_path / "table_scored" / "per_utt").read_text().splitlines()
    expected = (mini / "plain/score_festvox_ru/per_utt").read_text().splitlines()
    assert scored == expected[: len(scored)] and len(scored) == 4 * CUTS
