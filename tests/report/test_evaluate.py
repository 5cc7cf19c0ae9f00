import pytest

from cascade.config.experiment import Experiment
from cascade.report.evaluate import _memory_mb, _speakers
from cascade.runtime.errors import UserError
from cascade.runtime.files import write_text_table


@pytest.mark.parametrize(
    ("test", "counted"),
    [
        ({"u1": "anna", "u2": "anna"}, (1, 1)),
        ({"u1": "boris", "u2": "vera"}, (2, 0)),
        ({"u1": "anna", "u2": "vera", "u3": "kate"}, (3, 2)),
        ({"u1": "anna", "u2": "unknown"}, None),
    ],
)
def test_speakers_of_a_test_set_and_those_in_the_training(small, read, test, counted):
    raw, layout = small
    experiment = Experiment(read(raw), layout)
    speakers = {"train_ru": {"a": "anna"}, "train_ext_en": {"b": "kate"}, "test_ru": test}
    for key, table in speakers.items():
        write_text_table(layout.text(key, "speakers"), {u: [name] for u, name in table.items()})
    (dataset,) = experiment.recipe.role("test")
    assert _speakers(experiment, dataset) == counted


@pytest.mark.parametrize("text", [None, "", "{}", '{"memory_mb": null}'])
def test_a_damaged_file_of_stage_4_is_named(tmp_path, text):
    path = tmp_path / "decode.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UserError, match=r"decode\.json is missing or damaged\. Run stage 4 again"):
        _memory_mb(path)
    path.write_text('{"memory_mb": 12}')
    assert _memory_mb(path) == 12
