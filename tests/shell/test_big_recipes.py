"""The recipes for large corpora, on small ones of the layouts that those are published in."""

import dataclasses
import json
from itertools import product

import numpy as np
import pytest
from support import ROOT

from cascade.config.experiment import Experiment
from cascade.config.layout import Layout
from cascade.config.recipe import read_recipe
from cascade.pipeline import stages
from cascade.runtime.errors import UserError

RU = ["да", "нет", "кот", "дом", "лес", "река", "поле", "море", "луг"]
EN = ["yes", "no", "cat", "house", "wood", "river", "field", "sea", "lawn"]
COLUMNS = (  # of Common Voice 17.0
    "client_id\tpath\tsentence_id\tsentence\tsentence_domain\tup_votes\tdown_votes\tage\t"
    "gender\taccents\tvariant\tlocale\tsegment"
)
SHORT = {  # nothing is fetched
    "languages.ru.texts": "[]",
    "languages.ru.dictionaries": "[]",
    "language_model.order": "2",
}


@pytest.fixture
def speak(encode):
    """Makes a recording of noise, another one each time."""
    random = np.random.default_rng(0)

    def speak(path, rate=16000, codec="flac"):
        encode(path, random.normal(0, 0.1, rate), rate, codec)

    return speak


def sentences(words, count, first=0):
    pairs = [f"{a} {b}" for a, b in product(words, words)]
    return [pairs[n % len(pairs)] for n in range(first, first + count)]


@pytest.fixture
def commonvoice(tmp_path, speak):
    root = tmp_path / "cv-corpus-17.0-2024-03-15"
    for language, words, parts in (
        ("ru", RU, {"train": 9, "dev": 30, "test": 3}),
        ("en", EN, {"train": 30, "dev": 1, "test": 1}),
    ):
        at = 0
        for part, count in parts.items():
            rows = [COLUMNS]
            for n, text in enumerate(sentences(words, count, at), at):
                name = f"common_voice_{language}_{n}.mp3"
                speak(root / language / "clips" / name, 32000, "libmp3lame")
                values = {"client_id": f"{n:0128x}", "path": name, "sentence": text.capitalize()}
                rows.append("\t".join(values.get(c, "") for c in COLUMNS.split("\t")))
            (root / language / f"{part}.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
            at += count
    return {"commonvoice": root}


@pytest.fixture
def golos_librispeech(tmp_path, speak):
    golos, libri = tmp_path / "golos_opus", tmp_path / "LibriSpeech"
    for manifest, count in (
        ("train_opus/manifest.jsonl", 600),
        ("test_opus/crowd/manifest.jsonl", 2),
        ("test_opus/farfield/manifest.jsonl", 2),
    ):
        rows = []
        folder = (golos / manifest).parent
        speak(folder / "files/0.opus", 16000, "libopus")
        for n, text in enumerate(sentences(RU, count)):
            name = f"{manifest.split('/')[-2]}{n}"
            path = folder / f"files/{name}.opus"
            path.hardlink_to(folder / "files/0.opus")
            row = {"id": name, "audio_filepath": f"files/{name}.opus", "text": text}
            rows.append(json.dumps(row | {"duration": 1.0}, ensure_ascii=False))
        (golos / manifest).write_text("\n".join(rows) + "\n", encoding="utf-8")
    for n, part in enumerate(("train-clean-100", "train-clean-360", "train-other-500")):
        stem, folder = f"10{n}-1240", libri / part / f"10{n}" / "1240"
        lines = []
        for i, text in enumerate(sentences(EN, 3)):
            speak(folder / f"{stem}-{i:04d}.flac")
            lines.append(f"{stem}-{i:04d} {text.upper()}\n")
        (folder / f"{stem}.trans.txt").write_text("".join(lines))
    return {"golos": golos, "librispeech": libri}


def experiment(name, folders, tmp_path, monkeypatch):
    """Return an experiment with a recipe of the project and the corpora in ``folders``."""
    monkeypatch.chdir(ROOT)
    full = read_recipe(ROOT / "recipes" / name / "recipe.yaml", SHORT)
    here = [dataclasses.replace(d, path=str(folders[d.corpus])) for d in full.datasets]
    layout = Layout(tmp_path / "exp" / name, tmp_path / "downloads", tmp_path / "data")
    return Experiment(dataclasses.replace(full, datasets=tuple(here)), layout)


def ids(layout, key):
    return [line.split()[0] for line in layout.scp(key).read_text().splitlines()]


def test_commonvoice_ru_en(commonvoice, tmp_path, monkeypatch):
    small = experiment("commonvoice_ru_en", commonvoice, tmp_path, monkeypatch)
    stages.run(small, range(3), 1)
    assert ids(small.layout, "train_ru") == [f"common_voice_ru_{n}" for n in range(9)]
    assert ids(small.layout, "test_ru") == [f"common_voice_ru_{n}" for n in range(39, 42)]
    assert 2 <= len(ids(small.layout, "train_ext_en")) <= 15  # a quarter of the speakers
    assert 1 <= len(ids(small.layout, "valid_ru")) <= 12
    assert small.layout.graph.stat().st_size > 0


def test_golos_librispeech(golos_librispeech, tmp_path, monkeypatch):
    small = experiment("golos_librispeech", golos_librispeech, tmp_path, monkeypatch)
    stages.run(small, range(3), 1)
    train, valid = (ids(small.layout, key) for key in ("train_ru", "valid_ru"))
    assert 1 <= len(valid) <= 8 and len(train) + len(valid) == 600
    assert set(train).isdisjoint(valid)
    for part, speaker in (("clean_100", 100), ("clean_360", 101), ("other_500", 102)):
        assert ids(small.layout, f"train_ext_en_{part}")[0] == f"{speaker}-1240-0000"
    for test in ("crowd", "farfield"):
        assert ids(small.layout, f"test_ru_{test}") == [f"{test}0", f"{test}1"]


@pytest.mark.parametrize(
    ("name", "corpus", "source"),
    [
        ("commonvoice_ru_en", "commonvoice", "https://datacollective.mozillafoundation.org"),
        ("golos_librispeech", "golos", "https://www.openslr.org/114"),
    ],
)
def test_without_the_folder_it_says_where_to_get_it(name, corpus, source, tmp_path, monkeypatch):
    nowhere = dict.fromkeys(("commonvoice", "golos", "librispeech"), tmp_path / "none")
    small = experiment(name, nowhere, tmp_path, monkeypatch)
    with pytest.raises(UserError) as caught:
        stages.run(small, [0], 1)
    assert f"There is no folder {tmp_path / 'none'}. Corpus '{corpus}'" in str(caught.value)
    assert f"Download it from {source}, unpack it, and name its folder" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name, size", [("commonvoice_ru_en", 320), ("golos_librispeech", 512)])
def test_they_take_all_there_is_by_epochs(name, size):
    recipe = read_recipe(ROOT / "recipes" / name / "recipe.yaml")
    assert recipe.target_minutes == "all" and recipe.train.epochs
    assert {"plain", "cascade", f"plain_{size}", f"cascade_{size}"} <= set(recipe.systems)
    text = (ROOT / "recipes" / name / "recipe.yaml").read_text(encoding="utf-8")
    assert "It has not been run at full size" in text
