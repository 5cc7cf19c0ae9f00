"""Recognition in two passes, with the networks of a run of recipes/mini."""

import csv
from dataclasses import replace

import pytest

from cascade.adaptation.two_passes import FIRST_PASS, NETWORKS, decode_adapted
from cascade.config.experiment import Experiment
from cascade.config.layout import Layout
from cascade.config.recipe import read_recipe
from cascade.config.systems import Adapt
from cascade.decoding.decode import decode_test
from cascade.pipeline import stages
from cascade.report.evaluate import _adapted
from cascade.runtime.errors import UserError
from cascade.runtime.files import read_text_table, write_text_table
from cascade.runtime.project import ROOT

KEY = "test_ru"
DECODED = ("words.txt", "phones.txt", "phones_ngram.txt", FIRST_PASS, "nbest.tsv", "words.ctm")


@pytest.fixture
def layout(copy) -> Layout:
    """A copy of the run whose test set has its eight shortest utterances only."""
    layout = Layout(copy, ROOT / "downloads", ROOT / "data")
    frames = read_text_table(layout.num_frames(KEY))
    kept = sorted(frames, key=lambda name: int(frames[name][0]))[:8]
    texts = (layout.text(KEY, unit) for unit in ("phones", "speakers"))
    for path in (layout.num_frames(KEY), layout.scp(KEY), *texts):
        table = read_text_table(path)
        write_text_table(path, {name: table[name] for name in sorted(kept)})
    return layout


@pytest.fixture
def adapted(layout):
    """Decodes the test set twice: as it is, and after adaptation. Gives the experiment."""

    def adapted(jobs: int = 1, **settings) -> Experiment:
        recipe = read_recipe(ROOT / "recipes" / "mini" / "recipe.yaml")
        (test,) = recipe.role("test")
        changed = replace(test, adapt="speaker")
        datasets = tuple(changed if d is test else d for d in recipe.datasets)
        recipe = replace(recipe, datasets=datasets, adapt=Adapt(**{"epochs": 3} | settings))
        experiment = Experiment(recipe, layout)
        first, second = recipe.tests
        decode_test(experiment, "plain", first, jobs)
        decode_adapted(experiment, "plain", second, jobs)
        return experiment

    return adapted


def files(experiment: Experiment) -> dict[str, bytes]:
    folder = experiment.layout.decode("plain", "festvox_ru_adapted")
    return {name: (folder / name).read_bytes() for name in DECODED}


def rows(experiment: Experiment) -> dict[str, dict[str, str]]:
    path = experiment.layout.adaptation("plain", "festvox_ru_adapted")
    with path.open(encoding="utf-8", newline="") as file:
        return {row["speaker"]: row for row in csv.DictReader(file, delimiter="\t")}


def test_every_utterance_is_decoded_by_a_network_that_learned_from_the_first_pass(adapted, layout):
    model = layout.model("plain")
    before = model.read_bytes()
    folder = layout.decode("plain", "festvox_ru_adapted")
    (folder / NETWORKS / "of a killed run").mkdir(parents=True)
    experiment = adapted()
    assert not (folder / NETWORKS).exists()
    names = set(read_text_table(layout.text(KEY, "phones")))
    assert {*read_text_table(folder / "words.txt")} == names and len(names) == 8
    ((speaker, row),) = rows(experiment).items()
    assert [speaker] in read_text_table(layout.text(KEY, "speakers")).values()
    assert int(row["utterances"]) == len(names)
    heard = read_text_table(layout.decode("plain", "festvox_ru") / FIRST_PASS)
    assert 0 < int(row["used"]) <= sum(map(bool, heard.values())) <= len(names)
    assert float(row["last_loss"]) < float(row["first_loss"])
    assert files(experiment) != files(adapted(min_seconds=1e6))
    assert model.read_bytes() == before


def test_the_result_depends_neither_on_processes_nor_on_transcripts(adapted, layout):
    speakers, phones = layout.text(KEY, "speakers"), layout.text(KEY, "phones")
    names = [*read_text_table(speakers)]
    write_text_table(speakers, {name: [f"s{i % 2}"] for i, name in enumerate(names)})
    once = files(adapted(1))
    text = read_text_table(phones)
    write_text_table(phones, {name: some[:1] for name, some in text.items()})
    again = adapted(2)
    assert files(again) == once
    assert [*rows(again)] == ["s0", "s1"]


def test_an_utterance_without_recognised_words_teaches_nothing(adapted, layout):
    experiment = adapted()
    path = layout.decode("plain", "festvox_ru") / FIRST_PASS
    heard = read_text_table(path)
    (row,) = rows(experiment).values()
    silent = max(heard, key=lambda name: len(heard[name]))
    write_text_table(path, heard | {silent: []})
    decode_adapted(experiment, "plain", experiment.recipe.tests[1], 1)
    (less,) = rows(experiment).values()
    assert int(less["used"]) == int(row["used"]) - 1 and float(less["seconds"]) < float(
        row["seconds"]
    )
    words = layout.decode("plain", "festvox_ru_adapted") / "words.txt"
    assert read_text_table(words).keys() == heard.keys()


def test_a_speaker_with_too_little_speech_gets_the_network_as_it_is(adapted, layout, caplog):
    speakers = layout.text(KEY, "speakers")
    names = [*read_text_table(speakers)]
    few = names[:1]
    write_text_table(speakers, {name: ["few" if name in few else "many"] for name in names})
    seconds = int(read_text_table(layout.num_frames(KEY))[few[0]][0]) / 100
    experiment = adapted(min_seconds=seconds + 0.1)
    table = rows(experiment)
    assert (table["few"]["used"], table["few"]["first_loss"]) == ("0", "")
    assert int(table["many"]["used"]) > 0
    assert "the network has not adapted to 1 of 2 speakers, such as few" in caplog.text
    assert _adapted(experiment, "plain", experiment.recipe.tests[1]) == 1
    with_few = files(experiment)
    write_text_table(speakers, {name: ["one"] for name in names})
    nobody = adapted(min_seconds=1e6)
    assert [row["used"] for row in rows(nobody).values()] == ["0"]
    unchanged = files(nobody)
    folder = layout.decode("plain", "festvox_ru")
    assert {name: (folder / name).read_bytes() for name in DECODED} == unchanged
    own = read_text_table(folder / "phones.txt")
    assert with_few["phones.txt"].decode().splitlines()[0].split() == [few[0], *own[few[0]]]


def test_the_stage_knows_what_the_adaptation_depends_on(tmp_path, raw, read):
    layout = Layout(tmp_path / "exp", tmp_path, tmp_path)
    test = next(d for d in raw["datasets"] if d["role"] == "test")

    def jobs(stage, **changes):
        experiment = Experiment(read(raw | changes), layout)
        return {job.name: job for job in stages.stage(stage, experiment, 1).jobs}

    def job(**changes):
        return jobs(4, **changes)["plain.decode_table_adapted"]

    before = [jobs(stage) for stage in (1, 2, 3, 4)]
    test["adapt"] = "speaker"
    for old, stage in zip(before, (1, 2, 3, 4), strict=True):  # nothing else runs again for it
        new = jobs(stage)
        assert {name: (new[name].settings, new[name].inputs) for name in old} == {
            name: (job.settings, job.inputs) for name, job in old.items()
        }
    first = job()
    assert layout.adaptation("plain", "table_adapted") in first.outputs
    assert layout.decode("plain", "table") / FIRST_PASS in first.inputs
    assert layout.text("test_ru", "speakers") in first.inputs
    for changes in ({"adapt": {"epochs": 5}}, {"seed": 1}, {"train": {"augment": {"warp": 2.0}}}):
        assert job(**changes).settings != first.settings


@pytest.mark.parametrize(
    ("role", "value", "says"),
    [
        ("valid", "speaker", "'adapt' is for data sets of role 'test', not 'valid'"),
        ("test", "yes", "adapt must be 'speaker', not 'yes'"),
    ],
)
def test_a_wrong_key_is_an_error(raw, read, role, value, says):
    next(d for d in raw["datasets"] if d["role"] == role)["adapt"] = value
    with pytest.raises(UserError, match=says):
        read(raw)


def test_two_tests_of_one_name_are_an_error(raw, read):
    test = next(d for d in raw["datasets"] if d["role"] == "test")
    raw["datasets"].append({**test, "name": f"{test['corpus']}_adapted"})
    read(raw)
    test["adapt"] = "speaker"
    with pytest.raises(UserError, match="two tests are named 'table_adapted': one of them by 'ad"):
        read(raw)
