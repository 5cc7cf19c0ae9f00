"""Two recipes of the same corpora, the roles swapped: through stages 0 to 2."""

import shutil
from dataclasses import replace

import pytest
from support import ROOT

from cascade.config.experiment import Experiment
from cascade.config.layout import Layout
from cascade.pipeline import stages

TEXTS = {
    "ru": ["да", "нет", "кот", "дом", "лес", "река", "поле", "море", "луг"],
    "en": ["yes", "no", "cat", "house", "wood", "river", "field", "sea", "lawn"],
}
ROLES = ("train", "valid", "test")


@pytest.fixture
def swapped(raw, read, listed, tmp_path, monkeypatch):
    """Two recipes by their targets, each with its layout."""
    folders = {}
    for language, words in TEXTS.items():
        for role, first in zip(ROLES, words, strict=False):  # no sentence is in two of them
            name = f"{role}_{language}"
            folders[name] = str(listed(name, [f"{first} {word}" for word in words]))
    monkeypatch.chdir(ROOT)

    def recipe(target, other, **overrides):
        raw["name"], raw["target"] = f"{target}_{other}", target
        raw["datasets"] = [
            {"role": role, "language": language, "corpus": "table"}
            | {"path": folders[f"{role.removesuffix('_ext')}_{language}"]}
            for role, language in (
                ("train", target),
                ("train_ext", other),
                ("valid", target),
                ("test", target),
            )
        ]
        raw["language_model"] = {"order": 2}
        layout = Layout(tmp_path / "exp" / raw["name"], tmp_path / "dl", tmp_path / "data")
        return read(raw, overrides), layout

    return recipe


def store(layout):
    """What is in the store, and of when."""
    files = sorted(layout.feature_store.glob("*/[!.]*"))
    return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in files}


def arks(scp):
    return {line.split()[1].rsplit(":", 1)[0] for line in scp.read_text().splitlines()}


def test_the_second_recipe_has_the_files_of_the_first(swapped, caplog):
    caplog.set_level("INFO", "cascade")
    recipe, first = swapped("ru", "en")
    stages.run(Experiment(recipe, first), range(3), 1)
    before = store(first)
    assert len({path.parent for path in before}) == 4  # train, train_ext, valid, test
    recipe, second = swapped("en", "ru")
    stages.run(Experiment(recipe, second), range(3), 1)
    after = store(second)
    assert before.items() <= after.items()  # not one was touched
    assert len({path.parent for path in after}) == 6  # and valid and test of the other
    for language in TEXTS:
        a, b = f"train_{language}", f"train_ext_{language}"
        a, b = (a, b) if language == "ru" else (b, a)
        for kind in (Layout.cuts, Layout.scp, Layout.feature_cuts, Layout.feature_digests):
            assert kind(first, a).read_bytes() == kind(second, b).read_bytes()
        assert arks(first.scp(a)) == arks(second.scp(b)) <= {str(path) for path in before}
    recipe, first = swapped("ru", "en")
    assert stages.due(Experiment(recipe, first), range(3)) is None

    caplog.clear()  # a part of the speech asks for no features
    recipe, some = swapped("ru", "en", target_minutes="0.03")
    some = replace(some, root=some.root / "some")
    stages.run(Experiment(recipe, some), (0, 2), 1)
    assert store(some) == after and "computed now" not in caplog.text
    assert 0 < len(some.scp("train_ru").read_text().splitlines()) < len(TEXTS["ru"])

    shutil.rmtree(first.feature_store)
    recipe, first = swapped("ru", "en")
    assert "1.ark is missing" in stages.due(Experiment(recipe, first), [2])
    stages.run(Experiment(recipe, first), range(3), 1)
    assert set(store(first)) == set(before)
    assert stages.due(Experiment(recipe, first), range(3)) is None


def test_a_recording_that_changes_is_heard_again(swapped, wav, tmp_path, caplog):
    recipe, layout = swapped("ru", "en")
    stages.run(Experiment(recipe, layout), (0, 2), 1)
    before, was = store(layout), layout.scp("train_ru").read_text()
    inputs = stages.stage(3, Experiment(recipe, layout), 1).jobs[0].inputs
    assert layout.feature_digests("train_ru") in inputs
    digests = layout.feature_digests("train_ru").read_text().splitlines()
    wav(tmp_path / "train_ru" / "train_ru4.wav", seed=99)
    caplog.clear()
    caplog.set_level("INFO", "cascade")
    stages.run(Experiment(recipe, layout), (0, 2), 1)
    assert "train_ru4.wav changed" in caplog.text and "features_train_ru runs" in caplog.text
    assert "features_valid_ru" not in caplog.text
    assert arks(layout.scp("train_ru")).isdisjoint({line.split()[1] for line in was.splitlines()})
    assert before.items() <= store(layout).items()  # another recipe may have them
    now = layout.feature_digests("train_ru").read_text().splitlines()
    assert [a == b for a, b in zip(digests, now, strict=True)] == [n != 4 for n in range(9)]
