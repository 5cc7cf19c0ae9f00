import pytest

from cascade.config.experiment import Experiment
from cascade.report.training_speech import table, training_speech
from cascade.runtime.files import write_text_table


@pytest.fixture
def experiment(small, read):
    """Two minutes by anna, one each by kate and a speaker who is not known, one without text."""
    raw, layout = small
    raw["datasets"].append({"role": "train_untranscribed", "language": "ru", "corpus": "table"})
    raw["systems"]["student"] = {"layers": [4], "share": "all", "teacher": "plain"}
    speakers = {
        "train_ru": {"a": "anna", "b": "anna"},
        "train_ext_en": {"c": "kate", "d": "unknown"},
        "train_untranscribed_ru": {"e": "vera", "f": "vera"},
    }
    for key, names in speakers.items():
        write_text_table(layout.text(key, "speakers"), {u: [name] for u, name in names.items()})
        write_text_table(layout.text(key, "phones"), {u: ["a"] for u in names})
        write_text_table(layout.num_frames(key), {u: ["6000"] for u in names})
    kept = layout.transcript("student", "train_untranscribed_ru", "phones")
    write_text_table(kept, {"e": ["a"]})
    return Experiment(read(raw), layout)


def test_each_system_has_what_it_heard(experiment):
    russian = {"language": "ru", "minutes": 2.0, "utterances": 2, "speakers": 1, "synthetic": 0.0}
    english = russian | {"language": "en", "speakers": None}
    kept = russian | {"minutes": 1.0, "utterances": 1}
    speech = training_speech(experiment)
    assert speech["plain"] == {"ru": russian}
    assert speech["both"] == {"ru": russian, "en": english}
    assert speech["student"] == {"ru": russian, "en": english, "untranscribed": kept}


def test_minutes_that_programs_spoke(experiment, monkeypatch):
    monkeypatch.setattr("cascade.corpora.corpus.synthetic", lambda name: True)
    speech = training_speech(experiment)
    assert speech["plain"]["ru"]["synthetic"] == 2.0
    training = {system: {"speech": streams} for system, streams in speech.items()}
    assert "| ru (synthetic)                |" in table(training)
    speech["plain"]["ru"]["synthetic"] = 0.5
    assert "| ru (partly synthetic) | 2.0 " in " ".join(table(training).split())


def test_the_table_says_who_heard_what(experiment):
    training = {system: {"speech": x} for system, x in training_speech(experiment).items()}
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in table(training).split("\n")
    ]
    assert rows[2:] == [
        ["ru", "2.0", "1", "every system"],
        ["en", "2.0", "not known", "both, student"],
        ["untranscribed (ru)", "1.0", "1", "student"],
    ]


def test_results_of_an_old_version_have_no_table():
    assert table({"plain": {"best_step": 3}}) == ""
