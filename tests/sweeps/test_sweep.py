"""A sweep of a tiny recipe, from nothing to the picture, and a search in it."""

import json
import re
import shutil
import xml.etree.ElementTree as ET

import pytest
from support import run

from cascade.runtime.errors import UserError
from cascade.sweeps import sweep
from cascade.sweeps.plan import Point, sweep_plan

POINTS = [f"target_minutes={value},seed={seed}" for value in ("0", "all") for seed in (7, 8)]
FILES = ("sweep.json", "sweep_significance.json", "SWEEP.md", "sweep.svg")


def test_a_search(tiny):
    options, folder, exp = tiny
    options += ["--search", "train.learning_rate=0.9,0.1", "--search", "train.dropout=0.5"]
    text = run(*options).stderr
    assert f"4 of 4 points are in {folder}/SEARCH.md" in text
    points = [
        (rate, seed, exp / f"search/train.learning_rate={rate},train.dropout=0.5,seed={seed}")
        for rate in (0.1, 0.9)
        for seed in (7, 8)
    ]
    rows = json.loads((folder / "search.json").read_text())
    expected, means = [], {}
    for rate, seed, point in points:
        assert not list(point.glob("*/decode_*")), "no test set is looked at"
        for system in ("small", "large"):
            lines = (point / system / "train.jsonl").read_text().splitlines()
            best = min(map(json.loads, lines), key=lambda line: line["valid_per"])
            expected.append(
                {
                    "system": system,
                    "train.learning_rate": rate,
                    "train.dropout": 0.5,
                    "seed": seed,
                    "valid_per": round(best["valid_per"], 4),
                    "best_step": best["step"],
                }
            )
            means.setdefault(system, {}).setdefault(rate, []).append(best["valid_per"])
    assert rows == expected
    text = (folder / "SEARCH.md").read_text()
    for system, rates in means.items():
        least = min(rates, key=lambda rate: sum(rates[rate]))
        assert f"  {system}: {{train: {{learning_rate: {least}, dropout: 0.5}}}}\n" in text
        assert f"**{sum(rates[least]) / 2:.2f} (" in text
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    text = run(*options).stderr
    assert "4 points, 4 of them done." in text and " starts" not in text
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_points_that_cannot_be_compared_stop_no_other(small, read, monkeypatch):
    raw, layout = small
    plan = sweep_plan(lambda more: read(raw, more), "train.dropout=0.1,0.2", 1, layout)
    ended = [(sweep._run(point, [], False), None) for point in plan]
    monkeypatch.setattr(sweep.runs, "run_all", lambda todo, jobs, before: (one for one in ended))
    done = set()
    monkeypatch.setattr(Point, "done", property(lambda point: point.name in done))
    seen = []

    def publish(finished, planned):
        seen.append(len(finished))
        if len(finished) == 1:
            raise UserError("scored on different phones")
        return layout.root / "SWEEP.md"

    monkeypatch.setattr(sweep.stages, "due", lambda experiment, stages: "it has not run yet")
    done.update(point.name for point in plan)
    sweep.run_points(plan, [], range(6), 1, False, publish)
    assert seen == [1, 2]
    seen.clear()
    ended.pop()
    with pytest.raises(UserError, match="scored on different phones"):
        sweep.run_points(plan, [], range(6), 1, False, publish)
    assert seen == [1]


def test_a_sweep(tiny):
    """The points of 0 minutes fail."""
    options, folder, exp = tiny
    options, folder_of_points = [*options, "--sweep", "target_minutes=all,0"], exp / "sweep"
    text = run(*options, "--dry-run").stderr
    assert "4 points, 0 of them done." in text
    for point in POINTS:
        assert f"{point} would run: stage 0, corpora: it has not run yet." in text
    assert not folder_of_points.exists()

    done = run(*options, expect=1)
    assert f"cascade: 2 of 4 points failed. See their logs:\n  {POINTS[0]}: " in done.stderr
    assert "target_minutes: 0 leaves no utterance of it. Use" in done.stderr
    assert f"2 of 4 points are in {folder}/SWEEP.md" in done.stderr
    assert sorted(path.name for path in folder_of_points.iterdir() if path.is_dir()) == POINTS
    for point in POINTS:
        assert "Stage 0, corpora runs" in (folder_of_points / point / "run.log").read_text()

    rows = json.loads((folder / "sweep.json").read_text())
    kinds = [(row["target_minutes"], row["seed"], row["test"], row["system"]) for row in rows]
    assert kinds == [("all", seed, "mine", name) for seed in (7, 8) for name in ("small", "large")]
    for row in rows:
        point = folder_of_points / POINTS[row["seed"] - 5]
        results = json.loads((point / "results.json").read_text())["tests"]["mine"]["systems"]
        values = results[row["system"]]
        given = {"system", "target_minutes", "minutes", "seed", "test", "oov"}
        assert {key: values[key] for key in row.keys() - given} == {
            key: row[key] for key in row.keys() - given
        }
        assert (row["minutes"], row["ALL_WORDS"]) == (round(9 * 1.5 / 60, 2), 18)
    judged = json.loads((folder / "sweep_significance.json").read_text())
    assert [(one["target_minutes"], one["unit"], one["seeds"]) for one in judged] == [
        ("all", "phones", 2),
        ("all", "words", 2),
    ]
    text = (folder / "SWEEP.md").read_text()
    assert text.startswith("# Sweep of tiny over target_minutes\n\n2 of 4 points")
    assert "| all (0 min)" in text and "- commit: " in text
    assert ET.parse(folder / "sweep.svg").getroot().tag.endswith("svg")

    text = run(*options, "--dry-run").stderr
    assert "4 points, 2 of them done." in text and f"{POINTS[2]} is done." in text
    options[options.index("target_minutes=all,0")] = "target_minutes=all"
    text = run(*options).stderr
    assert "2 points, 2 of them done." in text and " starts" not in text
    assert "2 of 2 points" in (folder / "SWEEP.md").read_text()
    bytes_before = {name: (folder / name).read_bytes() for name in FILES}
    times = {name: (folder / name).stat().st_mtime_ns for name in FILES if name != "sweep.svg"}
    assert "2 points, 2 of them done." in run(*options).stderr
    assert {name: (folder / name).stat().st_mtime_ns for name in times} == times
    judged[0]["p"] = 0.5  # as an older release may have judged
    (folder / "sweep_significance.json").write_text(json.dumps(judged))
    (folder / "sweep.svg").unlink()
    run(*options)
    assert {name: (folder / name).read_bytes() for name in FILES} == bytes_before

    shutil.rmtree(folder_of_points)
    judged = json.loads((folder / "sweep_significance.json").read_text())
    commit = re.search("- commit: (.*)", (folder / "SWEEP.md").read_text())[1]
    options[options.index("target_minutes=all")] = "target_minutes=0.15"
    assert "2 points, 0 of them done." in run(*options, "--add").stderr
    added = json.loads((folder / "sweep.json").read_text())
    assert [{k: v for k, v in row.items() if k != "commit"} for row in added[4:]] == rows
    assert [row["target_minutes"] for row in added[:4]] == [0.15] * 4
    assert all("commit" in row for row in added[4:]) and "commit" not in added[0]
    added = json.loads((folder / "sweep_significance.json").read_text())
    assert [one["target_minutes"] for one in added[:2]] == [0.15] * 2 and added[2:] == judged
    text = (folder / "SWEEP.md").read_text()
    assert "2 of 2 points (a value and a seed) are done.\n\nRows" in text
    assert f"Of an earlier sweep: all (0 min) (commit {commit})." in text
