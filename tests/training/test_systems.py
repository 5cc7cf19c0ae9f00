"""Stage 3 on planted speech: systems side by side, and one that starts from another."""

import multiprocessing
import os
import shutil
import signal
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
import safetensors.torch
import torch
from planted import PHONES, SETTINGS, planted
from support import ctrl_c_when, when

from cascade.config.experiment import Experiment
from cascade.config.layout import Layout
from cascade.features.cmn import write_cms_init
from cascade.runtime.errors import UserError
from cascade.runtime.files import read_text_table, write_text_table
from cascade.training import systems as training
from cascade.training.setup import build_trainer
from cascade.training.systems import train_systems, with_readers, work

STILL = {"stretch": 0, "warp": 0, "channel": 0, "time_masks": 0, "filter_masks": 0}
CASCADE = {"layers": [1, 1], "neurons": 16}


@pytest.fixture
def layout(tmp_path):
    layout = Layout(tmp_path / "small", None, None)
    for seed, (key, count) in enumerate(
        {"train_ru": 8, "train_ext_en": 12, "valid_ru": 4, "test_ru": 2}.items()
    ):
        planted(layout, key, seed, count)
    layout.phones.write_text("".join(f"{p} {i}\n" for i, p in enumerate(PHONES)), encoding="utf-8")
    write_cms_init(layout.cms_init, np.zeros(SETTINGS.filters))
    return layout


@pytest.fixture
def recipe(raw, read):
    raw["features"] = {"filters": SETTINGS.filters, "stack": SETTINGS.stack}
    raw["train"] = {"steps": 8, "valid_every": 4, "batch_seconds": 4, "augment": STILL}
    raw["systems"] = {
        "both": CASCADE,
        "below": {**CASCADE, "share": "lower", "layers": [2, 0]},  # outputs apart, no layers
        "one": {**CASCADE, "share": "all", "layers": [2]},
        "more": {"layers": [2], "neurons": 16, "start": "both"},
        "still": {**CASCADE, "start": "both", "freeze": ["norm", "layer1"]},
    }
    return lambda: read(raw)


def tensors(layout, system):
    return safetensors.torch.load_file(layout.model(system))


def test_a_system_goes_on_from_another_and_keeps_what_is_frozen(recipe, layout):
    experiment = Experiment(recipe(), layout)
    first = {"both", "below", "one"}
    assert set(train_systems(experiment, dict.fromkeys(first, "1"), 2)) == first
    list(train_systems(experiment, {"more": "1", "still": "1"}, 2))
    first, more, still = (tensors(layout, name) for name in ("both", "more", "still"))
    assert first.keys() == more.keys() == still.keys() == tensors(layout, "one").keys()
    same = {name.partition(".")[0] for name in first if torch.equal(first[name], still[name])}
    assert same == {"norm", "layer1"}
    assert not torch.equal(first["layer1.lstm.weight_hh_l0"], more["layer1.lstm.weight_hh_l0"])
    rows = (layout.system("still") / "start.tsv").read_text().splitlines()
    assert "lower.en.1.lstm.weight_hh_l0\t64x16\tloaded\tyes" in rows
    assert "upper.shared.1.bias\t6\tloaded\tno" in rows
    for name in ("both", "below", "one", "more"):
        assert (layout.system(name) / "ablation.json").exists()


def test_one_training_that_is_asked_to_stop_stops_all(recipe, layout, raw):
    raw["train"]["steps"] = 100_000

    def stop():  # when its handler is set: it writes its ledger after that
        while not (layout.system("both") / "excluded.tsv").is_file():
            time.sleep(0.05)
        for process in multiprocessing.active_children():
            process.terminate()

    stopper = threading.Thread(target=stop)
    stopper.start()
    with pytest.raises(KeyboardInterrupt):
        list(train_systems(Experiment(recipe(), layout), {"both": "1", "one": "1"}, 1))
    stopper.join()
    assert list((layout.system("both") / "checkpoint").glob("*.pt"))
    assert not layout.system("one").exists()


def test_seconds_and_languages_shape_the_iterators(recipe, layout, raw):
    raw["train"]["seconds"] = {"en": 2}
    trainer, _ = build_trainer(Experiment(recipe(), layout), "both")
    assert [(i.name, i.seconds) for i in trainer.iterators] == [("ru", 4), ("en", 2)]


def test_a_stream_of_the_target_trains_beside_it_or_pooled_with_it(recipe, layout, raw):
    borrowed = {"role": "train_ext", "language": "ru", "corpus": "table", "stream": "borrowed"}
    raw["datasets"].append(borrowed)
    raw["systems"] = {
        "both": {**CASCADE, "languages": ["borrowed"]},
        "outputs": {**CASCADE, "share": "lower", "layers": [2, 0]},
        "pooled": {"layers": [2], "neurons": 16, "pool": ["borrowed"]},
    }
    planted(layout, "train_ext_ru", 5, 6)
    experiment = Experiment(recipe(), layout)
    sizes = {}
    for name in raw["systems"]:
        trainer, _ = build_trainer(experiment, name)
        sizes[name] = {i.name: len(i.data) for i in trainer.iterators}
    assert sizes == {
        "both": {"ru": 8, "borrowed": 6},
        "outputs": {"ru": 8, "en": 12, "borrowed": 6},
        "pooled": {"ru": 14},
    }
    assert set(train_systems(experiment, dict.fromkeys(sizes, "1"), 2)) == set(sizes)
    shapes = {
        name: {key: t.shape for key, t in tensors(layout, name).items()} for name in raw["systems"]
    }
    assert shapes["both"] == shapes["outputs"] == shapes["pooled"]


def test_the_order_of_the_speech_is_that_of_the_recipe(recipe, layout, raw):
    name = next(iter(raw["systems"]))
    for shards in (0, 3):
        raw["train"] = {**raw.get("train", {}), "shuffled_shards": shards}
        trainer, _ = build_trainer(Experiment(recipe(), layout), name)
        assert {iterator.shuffled_shards for iterator in trainer.iterators} == {shards}


def test_a_start_that_fits_nothing_is_an_error(recipe, layout, raw):
    raw["systems"]["more"] = {**raw["systems"]["more"], "start": f"{layout.root}/other"}
    other = layout.root / "other"
    other.mkdir()
    (other / "phones.txt").write_text("<blk> 0\nz 1\n", encoding="utf-8")
    blob = {"layer1.lstm.weight_hh_l0": torch.zeros(400, 100)}
    safetensors.torch.save_file(blob, other / "model.safetensors")
    with pytest.raises(UserError, match=r"systems\.more: no tensor of the model in \S+/other has"):
        build_trainer(Experiment(recipe(), layout), "more")
    (other / "model.safetensors").write_bytes(b"stranger")
    with pytest.raises(UserError, match="safetensors is damaged"):
        build_trainer(Experiment(recipe(), layout), "more")


def test_what_is_frozen_must_be_loaded(recipe, layout, raw):
    experiment = Experiment(recipe(), layout)
    list(train_systems(experiment, {"both": "1"}, 1))
    raw["systems"]["still"]["neurons"] = 24
    with pytest.raises(UserError, match=r"systems\.still: 'freeze' .*: lower\.\S+weight_ih_l0, "):
        build_trainer(Experiment(recipe(), layout), "still")


def test_trainings_save_checkpoints_when_the_caller_fails(recipe, layout, raw):
    raw["train"]["steps"] = 100_000
    raw["systems"]["one"]["train"] = {"steps": 2}
    done = train_systems(Experiment(recipe(), layout), {"both": "1", "one": "1"}, 2)
    assert next(done) == "one"
    done.close()
    assert list((layout.system("both") / "checkpoint").glob("*.pt"))
    assert not multiprocessing.active_children()


def test_what_a_teacher_recognised_is_trained_on_as_transcripts(recipe, layout, raw):
    heard = {"role": "train_untranscribed", "language": "ru", "corpus": "table"}
    raw["datasets"].append(heard)
    raw["systems"] = {
        "plain": {"layers": [2], "neurons": 16},
        "student": {"layers": [2], "neurons": 16, "share": "all", "teacher": "plain"},
        "pooled": {"layers": [2], "neurons": 16, "teacher": "plain", "pool": ["untranscribed"]},
    }
    key = planted(layout, "train_untranscribed_ru", 5, 6)
    phones = read_text_table(layout.text(key, "phones"))
    write_text_table(layout.text(key, "phones"), dict.fromkeys(phones, ()))  # as stage 1 has it
    some = dict(list(phones.items())[1:4])
    for name in ("student", "pooled"):
        write_text_table(layout.transcript(name, key, "phones"), some)
    experiment = Experiment(recipe(), layout)
    iterators = {name: build_trainer(experiment, name)[0].iterators for name in raw["systems"]}
    sizes = {name: {i.name: len(i.data) for i in several} for name, several in iterators.items()}
    assert sizes == {
        "plain": {"ru": 8},
        "student": {"ru": 8, "en": 12, "untranscribed": 3},
        "pooled": {"ru": 11},
    }
    data = iterators["student"][2].data
    assert list(data.ids) == list(some)
    assert [[PHONES[i] for i in labels] for labels in data.labels] == list(some.values())
    assert set(train_systems(experiment, dict.fromkeys(sizes, "1"), 2)) == set(sizes)
    assert tensors(layout, "student").keys() == tensors(layout, "plain").keys()


def test_the_longest_training_starts_first(recipe, layout, raw):
    raw["train"]["seconds"] = {"en": 12}
    raw["systems"] |= {
        "plain": {"layers": [2], "neurons": 16},
        "large": {"layers": [2], "neurons": 64},
        "wide": {"layers": [2], "neurons": 16, "encoder": "blstm"},
        "brief": {**CASCADE, "train": {"active": {"en": [0.0, 0.5]}}},
    }
    works = {name: work(recipe(), name) for name in raw["systems"]}
    assert works["large"] == 16 * works["plain"]
    assert works["wide"] == 3 * works["plain"]
    assert works["both"] == 4 * works["plain"]  # 4 s of ru, 12 of en
    assert works["brief"] == 2.5 * works["plain"]
    done = list(
        train_systems(Experiment(recipe(), layout), dict.fromkeys(("plain", "both"), ""), 1)
    )
    assert done == ["both", "plain"]


@pytest.mark.parametrize(
    ("systems", "room", "jobs", "gpus", "readers"),
    [
        (3, 2, 2, None, 0),  # both processes train
        (1, 2, 2, None, 1),
        (3, 16, 16, None, 4),  # never more than four each
        (3, 8, 8, None, 1),
        (2, 2, 16, 4, 1),  # eight processes train, and eight read for them
        (1, 1, 1, 2, 0),
    ],
)
def test_processes_without_a_training_read_for_a_gpu(
    recipe, layout, raw, monkeypatch, systems, room, jobs, gpus, readers
):
    def workers(device="cuda"):
        monkeypatch.setattr(training, "training_device", lambda: torch.device(device))
        experiment = with_readers(Experiment(recipe(), layout), systems, room, jobs, gpus)
        return experiment.recipe.train_of("both").workers

    assert workers() == readers
    assert workers("cpu") is None
    raw["train"]["workers"] = 3
    assert workers() == workers("cpu") == 3
    raw["systems"]["both"] = {**CASCADE, "train": {"workers": 0}}
    assert workers() == 0


def test_a_system_trains_in_several_processes_and_one_that_dies_ends_them(recipe, layout, raw):
    experiment = Experiment(recipe(), layout)
    assert list(train_systems(experiment, {"both": "1"}, 2, gpus=2)) == ["both"]
    assert layout.model("both").exists()
    checkpoint = layout.system("one") / "checkpoint" / "last.pt"
    raw["train"] |= {"steps": 100_000, "checkpoint_every": "0.1s"}
    killed = []

    def kill():
        while not checkpoint.is_file():
            time.sleep(0.05)
        killed.append(multiprocessing.active_children()[-1])
        killed[0].kill()

    killer = threading.Thread(target=kill)
    killer.start()
    message = r"^Training of 'one' failed: one of its processes ended with status -9$"
    with pytest.raises(UserError, match=message):
        list(train_systems(Experiment(recipe(), layout), {"one": "1"}, 2, gpus=2))
    killer.join()
    assert killed and not multiprocessing.active_children()


def holder(layout, system):
    """The worker that trains a system, by its lock."""
    return int((layout.system(system) / ".lock").read_text().split()[1].rstrip(","))


def test_a_system_trains_on_a_worker_and_that_it_dies_changes_no_byte(
    recipe, layout, raw, on_workers
):
    raw["train"] |= {"steps": 200, "valid_every": 100, "checkpoint_every": "0.1s"}
    here = replace(layout, root=layout.root.with_name("here"))
    shutil.copytree(layout.root, here.root)
    assert list(train_systems(Experiment(recipe(), here), {"one": "1"}, 1)) == ["one"]
    checkpoint = layout.system("one") / "checkpoint" / "last.pt"
    killed = []

    def kill():
        killed.append(holder(layout, "one"))
        os.kill(killed[0], signal.SIGKILL)

    killer = when(checkpoint.is_file, kill)
    with on_workers():
        assert list(train_systems(Experiment(recipe(), layout), {"one": "1"}, 1)) == ["one"]
    killer.join()
    assert holder(layout, "one") != killed[0], "it was done before its worker died"
    for name in ("model.safetensors", "model.json", "ablation.json"):
        assert (layout.system("one") / name).read_bytes() == (
            here.system("one") / name
        ).read_bytes()


def test_ctrl_c_has_workers_save_checkpoints(recipe, layout, raw, on_workers):
    raw["train"]["steps"] = 100_000
    systems = {"both": "1", "one": "1"}
    stopper = ctrl_c_when(
        lambda: all((layout.system(name) / "speed.jsonl").is_file() for name in systems)
    )
    with on_workers(), pytest.raises(KeyboardInterrupt):
        list(train_systems(Experiment(recipe(), layout), systems, 1))
    stopper.join()
    for name in systems:
        assert list((layout.system(name) / "checkpoint").glob("*.pt"))
        assert not layout.model(name).exists()


def test_a_training_that_fails_on_a_worker_is_named(recipe, layout, raw, on_workers):
    (layout.root / "other").mkdir()
    (layout.root / "other" / "model.safetensors").write_bytes(b"stranger")
    shutil.copy(layout.phones, layout.root / "other" / "phones.txt")
    raw["systems"]["more"]["start"] = f"{layout.root}/other"
    message = r"^Training of 'more' failed: .*safetensors is damaged"
    with on_workers(), pytest.raises(UserError, match=message):
        list(train_systems(Experiment(recipe(), layout), {"more": "1"}, 1))


def test_too_little_memory_of_a_gpu_is_said_in_a_sentence(recipe, layout, monkeypatch):
    def fail(*_):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")

    monkeypatch.setattr(training, "build_trainer", fail)
    monkeypatch.setattr(training, "die_with_parent", lambda: None)
    receiver, sender = multiprocessing.Pipe(duplex=False)
    training._train_system(Experiment(recipe(), layout), "both", "", 0, None, sender)
    assert receiver.recv().startswith("the GPU has too little memory. Lower train.batch_seconds;")
