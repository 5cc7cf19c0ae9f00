import pytest

from cascade.config.experiment import Experiment
from cascade.report.evaluate import _memory_mb, _speakers
from cascade.runtime.errors import UserError
from cascade.runtime.files import write_text_table


@pytest.mark.parametrize(
    ("test", "counted"),
    [
        ({"u1": "anna", "u2": "anna"}, (1, 1, 0)),
        ({"u1": "boris", "u2": "vera"}, (2, 0, 0)),
        ({"u1": "anna", "u2": "vera", "u3": "kate"}, (3, 2, 0)),
        ({"u1": "anna", "u2": "unknown"}, None),
    ],
)
def test_speakers_of_a_test_set_and_those_in_the_training(small, read, test, counted):
    raw, layout = small
    experiment = Experiment(read(raw), layout)
    speakers = {"train_ru": {"a": "anna"}, "train_ext_en": {"b": "kate"}, "test_ru": test}
    for key, table in speakers.items():
        write_text_table(layout.text(key, "speakers"), {u: [name] for u, name in table.items()})
    (test,) = experiment.recipe.tests
    assert _speakers(experiment, test) == counted


def test_speakers_of_speech_without_transcripts_are_not_unseen(small, read):
    raw, layout = small
    raw["datasets"].append({"role": "train_untranscribed", "language": "ru", "corpus": "table"})
    keys = {"train_ru": "anna", "train_ext_en": "kate", "train_untranscribed_ru": "anna vera"}
    for key, names in (keys | {"test_ru": "anna boris vera"}).items():
        write_text_table(layout.text(key, "speakers"), {n: [n] for n in names.split()})
    (test,) = read(raw).tests
    assert _speakers(Experiment(read(raw), layout), test) == (3, 1, 0)  # nobody hears her
    raw["systems"]["student"] = {"layers": [4], "share": "all", "teacher": "plain"}
    assert _speakers(Experiment(read(raw), layout), test) == (3, 1, 1)


@pytest.mark.parametrize("text", [None, "", "{}", '{"memory_mb": null}'])
def test_a_damaged_file_of_stage_4_is_named(tmp_path, text):
    path = tmp_path / "decode.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UserError, match=r"decode\.json is missing or damaged\. Run stage 4 again"):
        _memory_mb(path)
    path.write_text('{"memory_mb": 12}')
    assert _memory_mb(path) == 12
