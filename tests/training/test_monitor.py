import json
import struct
from pathlib import Path

import pytest
from tensorboardX.proto.event_pb2 import Event

from cascade.training.monitor import EVENTS, Monitor
from cascade.training.progress import Progress


def points(folder: Path) -> dict[str, dict[int, float]]:
    """The points of all event files by name and step: records are framed by their length."""
    curves: dict[str, dict[int, float]] = {}
    for path in sorted(folder.glob(EVENTS)):
        content, at = path.read_bytes(), 0
        while at < len(content):
            (length,) = struct.unpack_from("<Q", content, at)
            event = Event.FromString(content[at + 12 : at + 12 + length])
            at += length + 16
            for value in event.summary.value:
                curves.setdefault(value.tag, {})[event.step] = value.simple_value
    return curves


def progress(step: int, **changes) -> Progress:
    row = {"step": step, "valid_per": 50.0 - step, "valid_loss": 1.5}
    more = {"learning_rate": 0.001, "norm": 2.0, "utterances": 8}
    more["row"] = row if step % 20 == 0 else None
    more["losses"] = {"ru": 3.0 / step, "en": 4.0 / step}
    return Progress(step, 40, 1, per=None, best=None, **{**more, **changes})


def test_curves_of_each_stream_and_validations(tmp_path):
    monitor = Monitor(tmp_path, 0)
    for step in range(1, 41):
        monitor.show(progress(step))
    monitor.close()
    curves = points(tmp_path)
    assert [*curves["loss/ru"]] == [*curves["loss/en"]] == [10, 20, 30, 40]
    assert curves["loss/ru"][30] == pytest.approx(0.1)
    assert curves["valid/PER"] == {20: 30.0, 40: 10.0}
    assert curves["training/gradient_norm"][10] == 2.0
    assert curves["training/learning_rate"][40] == pytest.approx(0.001)
    assert all(rate > 0 for rate in curves["training/utterances_per_s"].values())
    rows = [json.loads(line) for line in (tmp_path / "speed.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [20, 40]
    assert all(row["utterances_per_s"] > 0 for row in rows)


def test_a_step_whose_loss_is_not_finite_has_no_point(tmp_path):
    monitor = Monitor(tmp_path, 0)
    monitor.show(progress(10, losses={}, norm=float("inf")))
    monitor.close()
    assert not {"loss/ru", "training/gradient_norm"} & points(tmp_path).keys()


def test_a_resumed_training_goes_on_and_a_new_one_begins_again(tmp_path):
    for first, last in ((1, 30), (21, 40)):
        monitor = Monitor(tmp_path, first - 1)
        for step in range(first, last + 1):
            monitor.show(progress(step))
        monitor.close()
    rows = [json.loads(line)["step"] for line in (tmp_path / "speed.jsonl").open()]
    assert rows == [20, 40]
    assert len([*tmp_path.glob(EVENTS)]) >= 1 and points(tmp_path)["loss/ru"].keys() >= {10, 40}
    Monitor(tmp_path, 0).close()
    assert points(tmp_path) == {}
