"""Training on planted speech: every phone is a pattern of its own, so it must be learnt."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from planted import PHONES, SETTINGS, planted

from cascade.config.layout import Layout
from cascade.config.systems import Augment, Train
from cascade.features.batches import UtteranceSet
from cascade.features.streams import StreamIterator
from cascade.model.network import Network
from cascade.model.precision import computes_bfloat16
from cascade.runtime.errors import UserError
from cascade.training.losses import divergence
from cascade.training.trainer import Interrupted, Trainer
from cascade.training.validation import validate

SHORT = pytest.mark.skipif(
    not computes_bfloat16(torch.device("cpu")), reason="this processor has no LSTM in bfloat16"
)
PRECISIONS = ["float32", pytest.param("bfloat16", marks=SHORT)]
STILL = Augment(stretch=0, warp=0, channel=0, time_masks=0, filter_masks=0)
TRAIN = Train(steps=150, batch_seconds=4, dropout=0.0, learning_rate=0.01, augment=STILL)


@pytest.fixture(scope="module")
def layout(tmp_path_factory):
    layout = Layout(tmp_path_factory.mktemp("exp"), None, None)
    for seed, (key, count) in enumerate({"train": 12, "ext": 30, "valid": 6}.items()):
        planted(layout, key, seed, count)
    return layout


def trainer(layout, folder, languages=("ru",), settings=TRAIN, seed=0, encoder="lstm") -> Trainer:
    def read(key):
        return UtteranceSet(layout, [key], PHONES, SETTINGS, np.zeros(SETTINGS.filters))

    keys = dict(zip(("ru", "en"), ("train", "ext"), strict=True))
    iterators = [
        StreamIterator(
            read(keys[name]),
            name,
            settings.batch_seconds,
            settings.augment,
            seed,
            copies=2 if settings.consistency else 1,
        )
        for name in languages
    ]
    torch.manual_seed(seed)
    layers = (1, 1) if len(languages) > 1 else (2,)
    network = Network(
        {name: range(len(PHONES)) for name in languages},
        24,
        len(PHONES),
        layers,
        32,
        settings.dropout,
        encoder=encoder,
    )
    device = torch.device("cpu")
    return Trainer(network, iterators, read("valid"), settings, folder, device)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("languages", [("ru",), ("ru", "en")])
def test_planted_speech_is_learnt(layout, tmp_path, languages, precision):
    run = trainer(layout, tmp_path, languages, dataclasses.replace(TRAIN, precision=precision))
    run.run(lambda progress: None)
    assert run.best["per"] < 10
    assert {tensor.dtype for tensor in run.network.state_dict().values()} == {torch.float32}
    network = Network({"ru": range(len(PHONES))}, 24, len(PHONES), (2,), 32)
    network.load_path("ru", run.network.path_of("ru"))
    _, per = validate(network, "ru", run.valid, torch.device("cpu"))
    assert per == run.best["per"]


@pytest.mark.parametrize("encoder", ["blstm", "conformer"])
def test_other_encoders_learn_planted_speech_too(layout, tmp_path, encoder):
    """And an interrupted training ends with the same bytes as one that is not interrupted."""
    settings = dataclasses.replace(TRAIN, learning_rate=0.003, dropout=0.05, valid_every=50)
    run = trainer(layout, tmp_path / "whole", ("ru", "en"), settings, encoder=encoder)
    run.run(lambda progress: None)
    assert run.best["per"] < 10
    first, last = (
        trainer(layout, tmp_path / "broken", ("ru", "en"), settings, encoder=encoder)
        for _ in range(2)
    )

    def watch(progress):
        first.stop_asked = progress.step == 70

    with pytest.raises(Interrupted):
        first.run(watch)
    assert last.resume()
    last.run(lambda progress: None)
    expected = run.network.state_dict()
    assert all(torch.equal(expected[k], t) for k, t in last.network.state_dict().items())


@pytest.mark.parametrize(("every", "saved"), [("3600s", [9]), ("0.000001s", [*range(1, 10)])])
def test_checkpoints_come_by_the_clock_and_at_the_end(layout, tmp_path, every, saved):
    settings = dataclasses.replace(TRAIN, steps=9, checkpoint_every=every)
    run = trainer(layout, tmp_path, settings=settings)
    steps, run.checkpoints.save = [], lambda state: steps.append(state["step"])
    run.run(lambda progress: None)
    assert run.iterators[0].epoch > 1
    assert steps == saved


def test_the_history_has_the_losses_of_both_languages(layout, tmp_path):
    settings = dataclasses.replace(TRAIN, steps=6, valid_every=4)
    trainer(layout, tmp_path, ("ru", "en"), settings).run(lambda progress: None)
    rows = [json.loads(line) for line in (tmp_path / "train.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [4, 6]
    assert set(rows[0]["loss"]) == {"ru", "en"}


def test_a_language_takes_part_while_it_is_active(layout, tmp_path):
    settings = dataclasses.replace(
        TRAIN, steps=12, valid_every=4, active={"ru": (0.25, 1.0), "en": (0.0, 0.5)}
    )
    run = trainer(layout, tmp_path, ("ru", "en"), settings)
    seen = []
    run.run(lambda progress: seen.append("".join(progress.losses)))
    assert seen == ["en"] * 3 + ["ruen"] * 3 + ["ru"] * 6
    rows = [json.loads(line) for line in (tmp_path / "train.jsonl").read_text().splitlines()]
    assert [row["loss"]["en"] is None for row in rows] == [False, False, True]


def test_consistency_brings_the_outputs_of_two_copies_together(layout, tmp_path):
    """Of other augmentations of valid, after the same training with and without."""
    apart = {}
    augment = dataclasses.replace(STILL, warp=1.0, channel=0.3)
    for consistency in (1e-9, 0.2):
        settings = dataclasses.replace(TRAIN, consistency=consistency, augment=augment)
        run = trainer(layout, tmp_path / str(consistency), ("ru",), settings)
        run.run(lambda progress: None)
        assert run.best["per"] < 30
        batch = run.valid.batch(range(len(run.valid)), augment, 1, copies=2)
        run.network.eval()
        outputs = run.network({"ru": batch.inputs})[0]
        apart[consistency] = divergence(outputs.detach(), batch).item()
    assert apart[0.2] < 0.7 * apart[1e-9]


def test_automatic_weights_make_gradients_as_long_as_the_target_s(layout, tmp_path):
    settings = dataclasses.replace(TRAIN, steps=30, valid_every=30, weights={"en": "auto"})
    run = trainer(layout, tmp_path, ("ru", "en"), settings)
    run.run(lambda progress: None)
    row = json.loads((tmp_path / "train.jsonl").read_text())
    assert row["auto_weight"] == run.updater.auto
    measured = trainer(layout, tmp_path / "m", ("ru", "en"), settings).updater
    w = measured.network.upper["shared"][-1].weight
    own = measured.network.lower["ru"][0].weight  # not in common: does not count
    measured._measure({"ru": w.sum() + 100 * own.sum(), "en": 10 * w.sum()})
    assert measured.auto == pytest.approx(0.1) and measured._weight("en") == measured.auto
    measured._measure({"ru": w.sum(), "en": 5 * w.sum()})  # then a tenth of the way to 0.2
    assert measured.auto == pytest.approx(0.11)
    assert measured._weight("ru") == 1.0


def test_a_tie_keeps_languages_near_each_other(layout, tmp_path):
    far = {}
    for tie in (0.0, 0.01, 1.0):
        settings = dataclasses.replace(TRAIN, steps=60, tie=tie)
        run = trainer(layout, tmp_path / str(tie), ("ru", "en"), settings)
        run.run(lambda progress: None)
        far[tie] = run.network.distance("ru").item()
    assert far[1.0] < 0.1 * far[0.01] < 0.1 * far[0.0]


def test_epochs_take_the_place_of_steps(layout, tmp_path):
    run = trainer(layout, tmp_path, settings=dataclasses.replace(TRAIN, epochs=2))
    assert run.steps == 2 * run.iterators[0].batches


@pytest.mark.parametrize("precision", PRECISIONS)
def test_an_interrupted_training_goes_on_to_the_same_bytes(layout, tmp_path, precision):
    settings = dataclasses.replace(
        TRAIN,
        steps=24,
        valid_every=5,
        dropout=0.3,
        augment=Augment(),
        batch_seconds=2,
        precision=precision,
    )
    whole = trainer(layout, tmp_path / "whole", ("ru", "en"), settings)
    whole.run(lambda progress: None)
    expected = whole.network.state_dict()

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
    last.run(lambda progress: None)
    weights = last.network.state_dict()
    assert all(torch.equal(weights[name], expected[name]) for name in expected)
    files = [(tmp_path / name / "train.jsonl").read_bytes() for name in ("whole", "broken")]
    assert files[0] == files[1]


def test_a_lost_history_is_written_again(layout, tmp_path):
    settings = dataclasses.replace(TRAIN, steps=6, valid_every=3)
    history = tmp_path / "train.jsonl"
    trainer(layout, tmp_path, settings=settings).run(lambda progress: None)
    expected = history.read_bytes()
    for damage in (history.unlink, lambda: history.write_text("{")):
        damage()
        again = trainer(layout, tmp_path, settings=settings)
        assert again.resume()
        again.run(lambda progress: None)
        assert history.read_bytes() == expected


@pytest.mark.parametrize(("steps", "warmup"), [(1, 0.5), (9, 0.1), (19, 0.05), (5, 0.0)])
def test_a_warmup_of_one_step_or_none(layout, tmp_path, steps, warmup):
    settings = dataclasses.replace(TRAIN, steps=steps, warmup=warmup)
    run = trainer(layout, tmp_path, settings=settings)
    rates = []
    run.run(lambda progress: rates.append(run.schedule.get_last_lr()[0]))
    assert len(rates) == steps and rates == sorted(rates, reverse=True)  # downhill at once


def test_the_same_seed_gives_the_same_model_and_another_one_another(layout, tmp_path):
    settings = dataclasses.replace(TRAIN, steps=5, dropout=0.3, augment=Augment())
    weights = []
    for n, seed in enumerate((0, 0, 1)):
        run = trainer(layout, tmp_path / str(n), ("ru", "en"), settings, seed)
        run.run(lambda progress: None)
        weights.append(run.network.state_dict())
    assert all(torch.equal(weights[0][k], weights[1][k]) for k in weights[0])
    assert not all(torch.equal(weights[0][k], weights[2][k]) for k in weights[0])


@SHORT
def test_sixteen_bits_are_near_to_thirty_two(layout, tmp_path):
    results = []
    for precision in ("float32", "bfloat16"):
        settings = dataclasses.replace(TRAIN, steps=1, precision=precision)
        run = trainer(layout, tmp_path / precision, ("ru", "en"), settings)
        run.run(lambda progress: None)
        grads = {name: p.grad for name, p in run.network.named_parameters()}
        results.append((run.history[0]["loss"], grads))
    (losses, grads), (near, short) = results
    assert near != losses and near == pytest.approx(losses, rel=0.01)
    for name, grad in grads.items():
        cosine = torch.nn.functional.cosine_similarity(grad.ravel(), short[name].ravel(), dim=0)
        assert cosine > 0.98, name


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_layers_compute_in_the_precision_asked_for(layout, tmp_path, precision):
    """On a processor without an LSTM in bfloat16, too: only the forward pass is looked at."""
    run = trainer(layout, tmp_path, settings=dataclasses.replace(TRAIN, precision=precision))
    computed = []

    def look(*_):
        computed.append(torch.mm(torch.ones(1, 1), torch.ones(1, 1)).dtype)
        raise InterruptedError

    run.network.forward = look
    with pytest.raises(InterruptedError):
        run.run(lambda progress: None)
    assert computed == [getattr(torch, precision)]


def test_a_loss_that_stays_infinite_stops_the_training(layout, tmp_path):
    run = trainer(layout, tmp_path, settings=dataclasses.replace(TRAIN, steps=40))
    with torch.no_grad():
        run.network.upper["shared"][-1].bias.fill_(float("nan"))
    with pytest.raises(UserError, match="not finite for 20 steps"):
        run.run(lambda progress: None)
    ledger = (tmp_path / "excluded.tsv").read_text()
    assert "train-" in ledger and "left out of step 3: the loss is not finite" in ledger


def test_a_valid_utterance_that_is_too_short_is_listed(tmp_path):
    layout = Layout(tmp_path, None, None)
    for seed, key in enumerate(("train", "valid")):
        planted(layout, key, seed, 6)
    table = layout.text("valid", "phones")
    name, *labels = (lines := table.read_text().splitlines())[0].split()
    table.write_text("\n".join([" ".join([name, *labels * 99]), *lines[1:]]) + "\n")
    run = trainer(layout, tmp_path, settings=dataclasses.replace(TRAIN, steps=2, valid_every=2))
    run.run(lambda progress: None)
    row = f"{name}\t"
    ledger = (tmp_path / "excluded.tsv").read_text()
    assert row in ledger and "frames are too few for" in ledger


def test_workers_change_no_byte(layout, tmp_path):
    """Nor do they after an interruption: the position is that of the step, not of what is read."""
    settings = dataclasses.replace(
        TRAIN,
        steps=24,
        valid_every=5,
        dropout=0.3,
        augment=Augment(ramp=0.5),
        batch_seconds=2,
        active={"en": (0.2, 0.9)},
    )
    results = {}
    for workers, stop in ((0, None), (1, None), (2, None), (2, 7), (2, 24)):
        own = dataclasses.replace(settings, workers=workers)
        folder = tmp_path / f"{workers}.{stop}"
        if stop:
            first = trainer(layout, folder, ("ru", "en"), own)

            def watch(progress, first=first, stop=stop):
                first.stop_asked = progress.step == stop

            with pytest.raises(Interrupted):
                first.run(watch)
        run = trainer(layout, folder, ("ru", "en"), own)
        assert run.resume() == bool(stop)
        run.run(lambda progress: None)
        tensors = b"".join(t.numpy().tobytes() for t in run.network.state_dict().values())
        results[workers, stop] = tensors, (folder / "train.jsonl").read_bytes()
    assert len(set(results.values())) == 1
