import json
import xml.etree.ElementTree as ET

import pytest

from cascade.report.training_curves import draw, read_history, trained
from cascade.runtime.errors import UserError


def row(step, per, **loss):
    return {"step": step, "loss": loss, "valid_loss": 1.0, "valid_per": per}


ROWS = [row(10, 90.0, ru=3.0, en=None), row(20, 41.23456, ru=2.0, en=2.5), row(30, 44.0, ru=1.0)]


@pytest.fixture
def folder(tmp_path):
    text = "".join(json.dumps(one) + "\n" for one in ROWS)
    (tmp_path / "train.jsonl").write_text(text, encoding="utf-8")
    ablation = {"whole": 41.23456, "lower of en": 70.0}
    (tmp_path / "ablation.json").write_text(json.dumps(ablation), encoding="utf-8")
    return tmp_path


def test_the_best_step_and_the_ablations(folder):
    assert trained(folder) == {
        "best_step": 20,
        "valid_per": 41.2346,
        "ablation": {"whole": 41.2346, "lower of en": 70.0},
    }


def test_the_curves_are_drawn_the_same_every_time(tmp_path):
    for name in ("one.svg", "two.svg"):
        draw(tmp_path / name, {"plain": [row(1, 9.0, ru=1.0)], "cascade": ROWS})
    text = (tmp_path / "one.svg").read_text(encoding="utf-8")
    assert text == (tmp_path / "two.svg").read_text(encoding="utf-8")
    ET.fromstring(text)
    for label in ("plain", "cascade", "plain, ru", "cascade, ru", "cascade, en"):
        assert f"<!-- {label} -->" in text


WRONG = [("train.jsonl", text) for text in (None, "", "[", '{"step": 1}\n')]


@pytest.mark.parametrize(
    ("name", "text"), [*WRONG, *[("ablation.json", text) for text in (None, "", "[")]]
)
def test_a_damaged_file_of_stage_3_is_named(folder, name, text):
    (folder / name).unlink()
    if text is not None:
        (folder / name).write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=rf"{name} is missing or damaged. Run stage 3 again"):
        trained(folder)


def test_a_history_has_its_rows(folder):
    assert [one["step"] for one in read_history(folder)] == [10, 20, 30]
