"""Training on planted speech: every phone is a pattern of its own, so it must be learnt."""

import dataclasses
import json

import kaldiio
import numpy as np
import pytest
import torch

from cascade.batches import LanguageIterator, UtteranceSet
from cascade.errors import UserError
from cascade.files import write_text_table
from cascade.layout import Layout
from cascade.network import Network
from cascade.recipe import Augment, Features, Train
from cascade.trainer import Interrupted, Trainer, evaluate

PHONES = ["<blk>", "a", "b", "c", "d", "e"]
SETTINGS = Features(filters=8, stack=3)
STILL = Augment(stretch=0, warp=0, channel=0, time_masks=0, filter_masks=0)
TRAIN = Train(steps=150, batch_seconds=4, dropout=0.0, learning_rate=0.01, augment=STILL)


def planted(layout: Layout, key: str, seed: int, count: int) -> str:
    """Writes a data set of ``count`` utterances whose phones can be read off the features."""
    random = np.random.default_rng(seed)
    patterns = np.random.default_rng(99).normal(0, 3, (len(PHONES), SETTINGS.filters))
    features, texts = {}, {}
    for number in range(count):
        labels = random.integers(1, len(PHONES), random.integers(4, 9))
        rows = [np.repeat(patterns[[label]], random.integers(9, 15), axis=0) for label in labels]
        rows = np.concatenate([r for row in rows for r in (row, np.zeros((6, 8)))])
        name = f"{key}-{number}"
        features[name] = (rows + random.normal(0, 0.3, rows.shape)).astype(np.float32)
        texts[name] = [PHONES[label] for label in labels]
    layout.feats.mkdir(parents=True, exist_ok=True)
    ark, scp = layout.feats / f"{key}.1.ark", layout.scp(key)
    kaldiio.save_ark(str(ark), features, scp=str(scp))
    frames = {name: [str(len(rows))] for name, rows in features.items()}
    write_text_table(layout.num_frames(key), frames)
    write_text_table(layout.text(key, "phones"), texts)
    return key


@pytest.fixture(scope="module")
def layout(tmp_path_factory):
    layout = Layout(tmp_path_factory.mktemp("exp"), None, None)
    for seed, (key, count) in enumerate({"train": 12, "ext": 30, "valid": 6}.items()):
        planted(layout, key, seed, count)
    return layout


def trainer(layout, folder, languages=("ru",), settings=TRAIN, seed=0) -> Trainer:
    def read(key):
        return UtteranceSet(layout, [key], PHONES, SETTINGS, np.zeros(SETTINGS.filters))

    keys = dict(zip(("ru", "en"), ("train", "ext"), strict=True))
    iterators = [
        LanguageIterator(read(keys[name]), name, settings.batch_seconds, settings.augment, seed)
        for name in languages
    ]
    torch.manual_seed(seed)
    layers = (1, 1) if len(languages) > 1 else (2,)
    network = Network(languages, 24, len(PHONES), layers, 32, settings.dropout)
    mask = torch.zeros(len(PHONES))
    device = torch.device("cpu")
    return Trainer(network, iterators, read("valid"), mask, settings, folder, device)


@pytest.mark.parametrize("languages", [("ru",), ("ru", "en")])
def test_planted_speech_is_learnt(layout, tmp_path, languages):
    run = trainer(layout, tmp_path, languages)
    best = run.run(lambda progress: None)
    assert run.best["per"] < 10
    network = Network(["ru"], 24, len(PHONES), (1, 1) if "en" in languages else (2,), 32)
    network.load_state_dict(best)
    _, per = evaluate(network, "ru", run.valid, run.masked, torch.device("cpu"))
    assert per == run.best["per"]


def test_the_history_has_the_losses_of_both_languages(layout, tmp_path):
    settings = dataclasses.replace(TRAIN, steps=6, valid_every=4)
    trainer(layout, tmp_path, ("ru", "en"), settings).run(lambda progress: None)
    rows = [json.loads(line) for line in (tmp_path / "train.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [4, 6]
    assert set(rows[0]["loss"]) == {"ru", "en"}


def test_epochs_take_the_place_of_steps(layout, tmp_path):
    run = trainer(layout, tmp_path, settings=dataclasses.replace(TRAIN, epochs=2))
    assert run.steps == 2 * run.iterators[0].batches


def test_an_interrupted_training_goes_on_to_the_same_bytes(layout, tmp_path):
    settings = dataclasses.replace(
        TRAIN, steps=24, valid_every=5, dropout=0.3, augment=Augment(), batch_seconds=2
    )
    whole = trainer(layout, tmp_path / "whole", ("ru", "en"), settings)
    expected = whole.run(lambda progress: None)

    for stop in (7, 16):
        broken = trainer(layout, tmp_path / "broken", ("ru", "en"), settings, seed=0)
        broken.resume()

        def watch(progress, broken=broken, stop=stop):
            broken.stop_asked = progress.step == stop

        with pytest.raises(Interrupted):
            broken.run(watch)
        assert broken.step == stop
    last = trainer(layout, tmp_path / "broken", ("ru", "en"), settings)
    assert last.resume()
    found = last.run(lambda progress: None)
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    files = [(tmp_path / name / "train.jsonl").read_bytes() for name in ("whole", "broken")]
    assert files[0] == files[1]


def test_the_same_seed_gives_the_same_model_and_another_one_another(layout, tmp_path):
    settings = dataclasses.replace(TRAIN, steps=5, dropout=0.3, augment=Augment())
    found = [
        trainer(layout, tmp_path / str(n), ("ru", "en"), settings, seed).run(lambda p: None)
        for n, seed in enumerate((0, 0, 1))
    ]
    assert all(torch.equal(found[0][k], found[1][k]) for k in found[0])
    assert not all(torch.equal(found[0][k], found[2][k]) for k in found[0])


def test_a_loss_that_stays_infinite_stops_the_training(layout, tmp_path):
    run = trainer(layout, tmp_path, settings=dataclasses.replace(TRAIN, steps=40))
    with torch.no_grad():
        run.network.output.bias.fill_(float("nan"))
    with pytest.raises(UserError, match="not finite for 20 steps"):
        run.run(lambda progress: None)
    ledger = (tmp_path / "excluded.tsv").read_text()
    assert "train-" in ledger and "left out of step 3: the loss is not finite" in ledger
