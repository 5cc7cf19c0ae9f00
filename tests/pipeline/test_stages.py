"""Recipes that share corpora, or the target language: through stages 0 to 2."""

import gzip
import json
import shutil
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

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


@pytest.fixture
def with_other(raw, read, listed, tmp_path, monkeypatch):
    """Recipes of one target, each with another second language; ``data`` is what they share."""
    texts = {"ru": "да нет кот", "en": "yes no cat", "es": "sí no gato"}
    raw["languages"]["es"] = {"letters": "abcdefghijklmnopqrstuvwxyzíó", "voice": "es"}
    raw["languages"]["ru"]["texts"] = [str(tmp_path / "text.txt")]
    (tmp_path / "text.txt").write_text("кот и дом\nдом и лес\n", encoding="utf-8")
    folders = {name: str(listed(name, text.split())) for name, text in texts.items()}
    folders["valid"] = str(listed("valid", ["луг", "море"]))
    monkeypatch.chdir(ROOT)

    def with_other(language, data="data", **settings):
        raw["datasets"] = [
            {"role": role, "language": name, "corpus": "table", "path": folders[folder]}
            for role, name, folder in (
                ("train", "ru", "ru"),
                ("train_ext", language, language),
                ("valid", "ru", "valid"),
                ("test", "ru", "valid"),
            )
        ]
        raw["language_model"] = {"order": 2, **settings}
        root = tmp_path / f"exp_{data}" / language
        return Experiment(read(raw), Layout(root, tmp_path / "dl", tmp_path / data))

    return with_other


def lang_files(experiment):
    """The files of stage 1 and their content, without the time that a graph took."""
    files = sorted(path for path in experiment.layout.lang.rglob("*") if path.is_file())
    texts = {path.relative_to(experiment.layout.lang): path.read_bytes() for path in files}
    summary = json.loads(texts[Path("summary.json")])
    summary.pop("build_s")
    return texts | {Path("summary.json"): summary}


def test_versions_of_packages_that_make_the_bytes_count(with_other):
    jobs = {job.name: job for job in stages.stage(1, with_other("en", open=True), 1).jobs}
    for name in ("language_model", "spelling", "phone_model"):
        assert jobs[name].code()["kaldingram"] == version("kaldingram")
    assert {"espeakng-loader", "phonemizer-fork"} <= set(jobs["vocabulary"].code())
    assert [name for name, job in jobs.items() if not job.keep] == ["words"]


@pytest.mark.parametrize("opened", [False, True])
def test_another_second_language_builds_no_other_graph(with_other, caplog, opened):
    caplog.set_level("INFO", "cascade")
    first = with_other("en", open=opened)
    stages.run(first, (0, 1), 1)
    jobs = ["vocabulary", "language_model", "phone_model", "graph"] + ["spelling"] * opened
    assert [f"{job}: kept in " in caplog.text for job in jobs] == [True] * len(jobs)
    before = lang_files(first)

    second = with_other("es", open=opened)
    caplog.clear()
    stages.run(second, (0, 1), 1)
    assert [f"{job}: reused from " in caplog.text for job in jobs] == [True] * len(jobs)
    assert "kept in" not in caplog.text
    alone = with_other("es", data="elsewhere", open=opened)
    stages.run(alone, (0, 1), 1)
    assert lang_files(second) == lang_files(alone)
    # Another second language gives the same phones other numbers.
    assert lang_files(second)[Path("graph.fst")] != before[Path("graph.fst")]
    assert lang_files(first) == before
    for one in (first, second):
        recipe = with_other("en" if one is first else "es", open=opened)
        assert stages.due(recipe, (0, 1)) is None

    caplog.clear()
    stages.run(with_other("es", open=opened), (1,), 1, force=True)
    assert caplog.text.count(": it was requested") > len(jobs) and "reused" not in caplog.text
    assert lang_files(second) == lang_files(alone)


@pytest.fixture
def taught(raw, read, listed, tmp_path, monkeypatch):
    """An experiment with speech without transcripts, and two generations of students."""
    folders = {role: str(listed(role, TEXTS["ru"][:6], 1.0)) for role in ("train", "valid")}
    heard = str(listed("heard", ["это слово никто не прочтёт"] * 5, 1.1))
    raw["datasets"] = [
        {"role": role, "language": "ru", "corpus": "table", "path": path}
        for role, path in (
            ("train_untranscribed", heard),
            ("train", folders["train"]),
            ("valid", folders["valid"]),
            ("test", folders["valid"]),
        )
    ]
    del raw["languages"]["en"]
    one = {"layers": [1], "neurons": 8}
    raw["systems"] = {
        "third": {**one, "pool": ["untranscribed"], "teacher": "second"},
        "second": {**one, "share": "all", "teacher": "plain"},
        "plain": one,
    }
    raw["features"] = {"cmn": "utterance"}
    raw["train"] = {"steps": 20, "valid_every": 10, "batch_seconds": 5, "min_confidence": 0}
    raw["decode"] = {"tune": False, "blank_penalty": 10}  # so that few steps give some word
    raw["language_model"] = {"order": 2}
    monkeypatch.chdir(ROOT)
    layout = Layout(tmp_path / "exp" / "taught", tmp_path / "dl", tmp_path / "data")
    return lambda **overrides: Experiment(read(raw, overrides), layout)


def test_stage_3_has_the_searches_of_teachers_and_stage_4_the_others(taught):
    experiment = taught()
    third, fourth = ({job.name: job for job in stages.stage(n, experiment, 1).jobs} for n in (3, 4))
    systems = ("plain", "second", "third")
    searches = {"plain.search", "second.search", "second.transcripts", "third.transcripts"}
    assert third.keys() == {*systems, *searches}
    assert "third.search" in fourth and searches.isdisjoint(fourth)
    makers = [path for job in (*third.values(), *fourth.values()) for path in job.outputs]
    assert len(makers) == len(set(makers))
    layout, key = experiment.layout, "train_untranscribed_ru"
    for student, teacher in (("second", "plain"), ("third", "second")):
        phones = layout.transcript(student, key, "phones")
        transcripts = third[f"{student}.transcripts"]
        assert {layout.model(teacher), layout.search(teacher)} <= set(transcripts.inputs)
        assert phones in transcripts.outputs and phones in third[student].inputs
    assert layout.text(key, "speakers") not in third["plain"].inputs
    assert layout.feature_digests(key) not in third["plain"].inputs
    assert layout.feature_digests(key) in third["third"].inputs
    changed = taught(**{"train.min_confidence": "0.7"})
    for one, other in zip(third.values(), stages.stage(3, changed, 1).jobs, strict=True):
        assert (one.settings != other.settings) == one.name.endswith(".transcripts")


def test_a_student_of_a_student_learns_from_speech_without_transcripts(taught, caplog):
    caplog.set_level("INFO", "cascade")
    stages.run(taught(), range(5), 2)
    layout, key = taught().layout, "train_untranscribed_ru"
    order = [
        record.args[1]
        for record in caplog.records
        if record.msg.startswith("Stage %d, %s %s") and record.args[0] == 3
    ]
    chain = ("plain", "search", "transcripts", "second", "search", "transcripts", "third")
    assert [name.rpartition(".")[2] for name in order] == [*chain]
    words = set()
    for student in ("second", "third"):
        tables = [layout.transcript(student, key, kind) for kind in ("words", "phones")]
        names = [[line.split()[0] for line in t.read_text().splitlines()] for t in tables]
        assert (
            names[0] == names[1] and names[0] and set(names[0]) <= {f"heard{n}" for n in range(5)}
        )
        words |= {word for line in tables[0].read_text().splitlines() for word in line.split()[1:]}
    assert words <= set(TEXTS["ru"])  # not one of the words that the table has
    for path in filter(Path.is_file, layout.root.rglob("*")):
        content = path.read_bytes()
        assert "прочтёт".encode() not in (
            gzip.decompress(content) if path.suffix == ".gz" else content
        ), path
    assert stages.due(taught(), range(5)) is None
    before = {name: layout.model(name).read_bytes() for name in ("plain", "second", "third")}
    assert len(set(before.values())) == 3

    layout.transcript("second", key, "phones").unlink()
    caplog.clear()
    stages.run(taught(), range(5), 1)  # the same again, to the last byte
    assert "second.transcripts runs" in caplog.text and "Stage 3, plain" not in caplog.text
    assert {name: layout.model(name).read_bytes() for name in before} == before
