import json
import zipfile

import numpy as np
import pytest
from bundle_files import LEXICON, SCALES, trained

from cascade.bundle.manifest import INT8, MOST, NAME, OPTIONAL, STREAM
from cascade.bundle.reader import opened
from cascade.decoding.decoder import word_search_of
from cascade.export import int8
from cascade.export.pack import pack
from cascade.lm.const_fst import ARC, STATE, read_graph
from cascade.lm.graph import read_words
from cascade.pipeline import stages
from cascade.runtime.errors import UserError


@pytest.fixture(autouse=True)
def with_int8(monkeypatch):
    """The network has learnt nothing: how many more errors it makes with 8 bits is chance."""
    monkeypatch.setattr(int8, "MOST", 100.0)


@pytest.fixture
def experiment(tmp_path, raw, read):
    return trained(tmp_path, raw, read)


def test_folder_and_zip_file_have_all_files_and_are_the_same_again(experiment):
    layout = experiment.layout
    pack(experiment, "plain")
    folder, zipped = layout.bundle("plain"), layout.bundle_zip("plain")
    assert {path.name for path in folder.iterdir()} == {*MOST, *OPTIONAL, NAME}
    with zipfile.ZipFile(zipped) as packed:
        assert packed.namelist()[0] == NAME
        for name in packed.namelist():
            assert packed.read(name) == (folder / name).read_bytes(), name
        assert set(packed.namelist()) == {*MOST, *OPTIONAL, NAME}
    before = zipped.read_bytes()
    pack(experiment, "plain")
    assert zipped.read_bytes() == before
    assert not list(layout.system("plain").glob(".*"))


@pytest.mark.parametrize("encoder", ["blstm", "conformer"])
def test_other_encoders_have_all_but_the_network_step_by_step(tmp_path, raw, read, caplog, encoder):
    caplog.set_level("INFO", "cascade")
    raw["encoder"] = encoder
    experiment = trained(tmp_path, raw, read)
    pack(experiment, "plain")
    sentence = f"plain: the bundle has no stream.onnx: a {encoder} needs the complete recording"
    assert sentence in caplog.text
    with opened(experiment.layout.bundle_zip("plain")) as bundle:
        assert STREAM not in bundle.manifest.files
        assert {*MOST, INT8} <= bundle.manifest.files.keys()
        card = " ".join((bundle.folder / "README.md").read_text(encoding="utf-8").split())
    name = {"blstm": "a bidirectional LSTM network", "conformer": "a Conformer network"}[encoder]
    assert f"`ru`: {name} of 5 phones" in card
    assert f"while somebody speaks: {name} needs the complete recording." in card


def test_the_manifest_says_how_to_recognise(tmp_path, raw, read):
    raw["languages"]["ru"] |= {"fold": {"ё": "е"}, "dictionaries": ["dictionary_ru"]}
    experiment = trained(tmp_path, raw, read)
    pack(experiment, "plain")
    with opened(experiment.layout.bundle_zip("plain")) as bundle:
        manifest = bundle.manifest
        assert (manifest.recipe, manifest.system, manifest.language) == ("small", "plain", "ru")
        assert manifest.rule.letters == experiment.recipe.target_language.letters
        assert manifest.rule.voice == "ru" and manifest.rule.fold == {"ё": "е"}
        assert not (manifest.rule.texts or manifest.rule.dictionaries or manifest.rule.lexicon)
        assert manifest.features == experiment.recipe.features
        assert manifest.words.acoustic_scale == SCALES["acoustic_scale"]
        assert set(manifest.valid_per) == {"float32", "int8"}
        assert manifest.words.word_penalty == manifest.phones.word_penalty == 0
        assert read_words(bundle.folder / "words.txt") == ["<eps>", *sorted(LEXICON)]


def arcs(path) -> np.ndarray:
    content = path.read_bytes()
    states = int.from_bytes(content[49:57], "little")
    return np.frombuffer(content[65 + states * STATE.itemsize :], ARC)


def test_the_graph_has_the_penalty_of_words_in_it(experiment):
    pack(experiment, "plain")
    search = word_search_of(experiment, "plain")
    before, after = arcs(search.graph), arcs(experiment.layout.bundle("plain") / "graph.fst")
    words = before["output"] != 0
    assert 0 < words.sum() < len(words)
    added = after["cost"] / (16 / 12) - before["cost"]  # sherpa-onnx's beam, and ours
    assert np.allclose(added[words], 0.75) and np.allclose(added[~words], 0)
    assert read_graph(experiment.layout.bundle("plain") / "graph.fst")


def test_a_model_of_other_features_is_not_packed(experiment):
    layout = experiment.layout
    layout.cms_init.write_text(json.dumps([0.0] * 23))
    with pytest.raises(UserError, match="A bundle computes features from audio"):
        pack(experiment, "plain")
    assert not list(layout.system("plain").glob("*bundle*"))


def test_stage_7_packs_every_system_and_then_is_up_to_date(experiment, caplog):
    caplog.set_level("INFO", "cascade")
    stages.run(experiment, [7], 1)
    assert all(experiment.layout.bundle_zip(name).exists() for name in ("plain", "both"))
    caplog.clear()
    stages.run(experiment, [7], 1)
    assert "Stage 7 (bundle) is up to date." in caplog.text
    for name in ("words.onnx", STREAM):
        (experiment.layout.bundle("both") / name).rename(experiment.layout.root / name)
        assert "both.bundle" in stages.due(experiment, [7])
        (experiment.layout.root / name).rename(experiment.layout.bundle("both") / name)


def test_stage_7_is_not_run_unless_asked_for():
    assert max(stages.STAGES) == 7 > stages.LAST
