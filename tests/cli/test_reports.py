"""The command ``report``: one page of several experiments and of sweeps."""

import json
import re

import pytest
from scored_files import scored

from cascade.cli.reports import report
from cascade.config.experiment import Experiment
from cascade.html.build import write_report
from cascade.runtime.errors import UserError


def figures_in(page) -> dict:
    text = page.read_text(encoding="utf-8")
    return json.loads(
        re.search(r'<script type="application/json"[^>]*>(.*?)</script>', text, re.S)[1]
    )


@pytest.fixture
def swept(tmp_path):
    """The folder of a recipe that has a sweep, with text that would be markup."""
    folder = tmp_path / "recipes" / "one"
    folder.mkdir(parents=True)
    entries = [
        {"system": "<b>plain", "target_minutes": 5, "minutes": 5.1, "seed": seed, "test": "t"}
        | {"PER": 30.0 + seed, "WER": 60.0 + seed}
        for seed in (0, 1)
    ]
    (folder / "sweep.json").write_text(json.dumps(entries))
    return folder


@pytest.fixture
def written(small, read):
    """The folder of an experiment that has its report."""
    raw, layout = small
    write_report(scored(Experiment(read(raw), layout)))
    return layout.root


def test_a_sweep_has_a_page_without_an_experiment(swept, tmp_path):
    page = report([swept], tmp_path / "sweep.html")
    text = page.read_text(encoding="utf-8")
    (mean, _) = figures_in(page)["sweeps"]["one"]["means"]
    assert (mean["mean"], mean["low"], mean["high"], mean["seeds"]) == (30.5, 30.0, 31.0, 2)
    assert re.search(r"<td[^>]*>30\.50</td>\s*<td[^>]*>30\.00 to 31\.00</td>", text)
    assert re.findall(r'<section id="(\w+)"', text) == ["sweeps"] and "<b>plain" not in text


def test_experiments_and_a_sweep_are_on_one_page(written, swept, tmp_path):
    page = report([written, swept], tmp_path / "all.html")
    figures = figures_in(page)
    assert {row["test"] for row in figures["rates"]} == {"small: table"}
    assert list(figures["sweeps"]) == ["one"]
    assert '<a href="exp/small/report.html">small</a>' in page.read_text(encoding="utf-8")


def test_a_damaged_sweep_is_named(swept, tmp_path):
    (swept / "sweep.json").write_text("[{}]")
    with pytest.raises(UserError, match=r"one/sweep\.json is damaged\. Run the sweep again"):
        report([swept], tmp_path / "sweep.html")
