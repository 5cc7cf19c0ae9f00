"""A Kaldi folder with features and no audio: through all of the stages."""

import json

import kaldiio
import numpy as np
import pytest
from lhotse import CutSet
from support import run

WORDS = ["да", "нет", "кот", "дом", "лес", "река", "поле", "море", "луг"]
DIM = 13


@pytest.fixture
def folders(tmp_path):
    """Kaldi's data folders of MFCC-like features; gives the folder above them."""
    random = np.random.default_rng(0)
    for part, say in (("train", "раз {}"), ("valid", "два {}"), ("test", "три {}")):
        folder = tmp_path / "s5/data" / part
        folder.mkdir(parents=True)
        (tmp_path / "s5/mfcc").mkdir(exist_ok=True)
        ark = tmp_path / f"s5/mfcc/raw_{part}.1.ark"
        text, speakers = [], []
        with kaldiio.WriteHelper(f"ark,scp:{ark},{folder}/feats.scp") as writer:
            for n, word in enumerate(WORDS):
                matrix = random.normal(size=(150 + 7 * n, DIM)).astype(np.float32)
                writer(f"{part}-{n}", matrix)
                text.append(f"{part}-{n} {say.format(word)}\n")
                speakers.append(f"{part}-{n} {part}\n")
        scp = (folder / "feats.scp").read_text().replace(f"{tmp_path}/s5/", "")
        (folder / "feats.scp").write_text(scp)  # as Kaldi writes it: from where it runs
        (folder / "text").write_text("".join(text), encoding="utf-8")
        (folder / "utt2spk").write_text("".join(speakers))
    return tmp_path / "s5/data"


def write_recipe(recipe, folders):
    sets = "".join(
        f"  - {{role: {part}, language: ru, corpus: kaldi, path: {folders / part}}}\n"
        for part in ("train", "valid", "test")
    )
    recipe.write_text(
        f"name: ready\ntarget: ru\ndatasets:\n{sets}"
        "languages: {ru: {letters: абвгдежзиклмнопрстуфьюя, voice: ru}}\n"
        "systems: {plain: {layers: [1], neurons: 8}}\n"
        "train: {steps: 3, valid_every: 3}\nlanguage_model: {order: 2}\n",
        encoding="utf-8",
    )
    return recipe


def test_beside_audio_they_are_refused_at_once(tmp_path, folders, wav):
    wav(folders / "test/a.wav", seconds=2)
    (folders / "test/wav.scp").write_text("".join(f"test-{n} a.wav\n" for n in range(len(WORDS))))
    recipe = write_recipe(tmp_path / "recipe.yaml", folders)
    done = run("--recipe", recipe, "--exp", tmp_path / "exp", "--stop-stage", 0, expect=1)
    assert "train_ru have 13 values a frame, those of test_ru 40" in done.stderr


def test_it_trains_decodes_and_scores(tmp_path, folders):
    recipe = write_recipe(tmp_path / "recipe.yaml", folders)
    run("--recipe", recipe, "--exp", tmp_path / "exp")
    root = tmp_path / "exp/ready"
    taken = kaldiio.load_scp(str(root / "feats/test_ru.scp"))
    given = kaldiio.load_ark(str(tmp_path / "s5/mfcc/raw_test.1.ark"))
    for name, matrix in given:
        np.testing.assert_array_equal(taken[name], matrix)
    assert len(json.loads((root / "feats/cms_init.json").read_text())) == DIM
    assert json.loads((root / "plain/model.json").read_text())["inputs"] == 3 * DIM
    assert len((root / "plain/decode_kaldi/words.txt").read_text().splitlines()) == len(WORDS)
    assert "ALL WORDS" in (root / "plain/score_kaldi/speechbox.log").read_text()
    cut = next(iter(CutSet.from_file(root / "feats/test_ru.jsonl.gz")))
    assert cut.num_features == DIM and cut.load_features().shape == (150, DIM)
    before = next(iter(CutSet.from_file(root / "manifests/test_ru.jsonl.gz")))
    np.testing.assert_array_equal(before.load_features(), cut.load_features())
    done = run("--recipe", recipe, "--exp", tmp_path / "exp")
    assert "Stage 0 (corpora and cuts) is up to date" in done.stderr
    ark = tmp_path / "s5/mfcc/raw_test.1.ark"
    ark.write_bytes(ark.read_bytes()[:-4] + b"\0\0\0\0")
    done = run("--recipe", recipe, "--exp", tmp_path / "exp", "--stop-stage", 2)
    assert f"{ark} changed" in done.stderr and "features_test_ru runs" in done.stderr
