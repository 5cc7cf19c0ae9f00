from pathlib import Path

import pytest

from cascade.config.experiment import Experiment
from cascade.config.layout import Layout
from cascade.pipeline import bundle_jobs, data_jobs, model_jobs
from cascade.runtime.errors import UserError


@pytest.fixture
def experiment(raw, read, tmp_path):
    """Returns the experiment of the recipe as ``raw`` is at the moment."""
    layout = Layout(tmp_path / "exp", tmp_path / "downloads", tmp_path / "data")
    return lambda: Experiment(read(raw), layout)


def test_stage_0_depends_on_texts_that_a_program_speaks(raw, experiment, tmp_path):
    text = tmp_path / "text.txt"
    text.touch()
    raw["languages"]["ru"]["texts"] = ["texts_ru", str(text)]
    (job,) = data_jobs.corpora(experiment(), 1, False)
    assert "texts" not in job.settings and text not in job.inputs
    raw["datasets"].append({"role": "train", "language": "ru", "corpus": "voices"})
    (job,) = data_jobs.corpora(experiment(), 1, False)
    assert job.settings["texts"] == {"ru": ["texts_ru", str(text)]}
    assert text in map(Path, job.inputs)
    assert {"local.corpora.voices", "local.texts.texts_ru"} <= {*job.modules}
    raw["languages"]["ru"]["read_aloud"] = ["texts_en"]
    (job,) = data_jobs.corpora(experiment(), 1, False)
    assert job.settings["texts"] == {"ru": ["texts_en"]} and text not in map(Path, job.inputs)
    assert "local.texts.texts_ru" not in job.modules
    raw["languages"]["ru"] |= {"texts": [], "read_aloud": []}
    (job,) = data_jobs.corpora(experiment(), 1, False)
    assert "local.texts.texts_ru" in job.modules  # which the voices read by themselves


def test_a_key_that_the_corpus_does_not_take(raw, experiment):
    data_jobs.check_corpora(experiment())
    raw["datasets"][1]["minutes"] = 5
    with pytest.raises(UserError, match="Corpus 'table' does not take the key 'minutes'"):
        data_jobs.check_corpora(experiment())


@pytest.mark.parametrize("kind", ["texts", "read_aloud", "dictionaries"])
def test_a_text_that_is_not_there_is_named_before_stage_0(raw, experiment, kind):
    raw["languages"]["ru"][kind] = ["sentences.txt"]
    with pytest.raises(
        UserError, match=r"^Unknown (text|dictionary) 'sentences\.txt': it is neither"
    ):
        data_jobs.check_corpora(experiment())
    assert bundle_jobs.bundles(
        experiment(), 1, False
    )  # `run` looks at the jobs of all stages first


def test_more_filters_than_the_spectrum_has_room_for(raw, experiment):
    data_jobs.check_features(experiment())
    raw["features"] = {"filters": 256}
    with pytest.raises(UserError, match=r"^features\.filters: 256 are too many for 16000 Hz\. 27"):
        data_jobs.check_features(experiment())


def test_every_result_depends_on_the_packages_that_make_it(raw, experiment):
    makers = (model_jobs.systems, model_jobs.decoding, model_jobs.scoring)
    jobs = {job.name: job for make in makers for job in make(experiment(), 1, False)}
    assert all(job.packages for job in jobs.values())
    assert "torch" in jobs["plain"].code() and "scipy" in jobs["scores"].code()


def test_features_that_are_not_stored_change_no_later_job(raw, experiment):
    def jobs(*makers):
        made = [job for make in makers for job in make(experiment(), 1, False)]
        return {job.name: (job.settings, job.inputs, job.outputs) for job in made}

    later = (model_jobs.systems, model_jobs.decoding, model_jobs.scoring, bundle_jobs.bundles)
    stored, after = jobs(data_jobs.features), jobs(*later)
    raw["store_features"] = False
    computed = jobs(data_jobs.features)
    changed = [name for name in stored if stored[name] != computed[name]]
    assert changed == ["features_train_ru", "features_train_ext_en"]
    assert jobs(*later) == after


def test_a_test_set_that_is_added_later_trains_nothing_again(raw, experiment):
    def trainings():
        return [
            (job.name, job.settings, job.inputs)
            for job in model_jobs.systems(experiment(), 1, False)
        ]

    before = trainings()
    other = {"role": "test", "language": "ru", "corpus": "table", "path": "other", "name": "other"}
    raw["datasets"].append(other)
    assert trainings() == before
    raw["datasets"].append({**other, "role": "valid"})
    assert trainings() != before
