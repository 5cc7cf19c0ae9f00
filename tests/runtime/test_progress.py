import logging
import sys

import pytest

from cascade.runtime import progress


@pytest.fixture
def clock(monkeypatch):
    """The time, which goes on where a test says so."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def lines(caplog, clock, total, *steps):
    """What is logged where each of ``steps`` says how many are done, and after how long."""
    with caplog.at_level(logging.INFO, "cascade"), progress.meter("ru", total, "utt") as advance:
        for count, seconds in steps:
            clock[0] += seconds
            advance(count)
    return [record.getMessage() for record in caplog.records]


def test_a_line_now_and_then_with_the_time_left(caplog, clock):
    messages = lines(caplog, clock, 4000, (500, 20), (500, 20), (1000, 20), (1000, 20), (1000, 40))
    assert messages == [
        "  ru: 1,000 of 4,000 utt, 02:00 left",
        "  ru: 3,000 of 4,000 utt, 00:26 left",
    ]


def test_what_is_done_soon_says_nothing(caplog, clock):
    assert lines(caplog, clock, 4000, (2000, 5), (2000, 5)) == []


def test_nobody_knows_how_many(caplog, clock):
    assert lines(caplog, clock, None, (1000, 40)) == ["  ru: 1,000 utt"]


def test_a_bar_on_a_terminal(monkeypatch, caplog, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(progress, "SILENT", 0.0)
    with progress.meter("train_ru", 3, "utterances") as advance:
        advance(2)
    assert "train_ru" in (shown := capsys.readouterr().err) and "/3" in shown
    assert not caplog.records
