import json
import re

import pytest
from support import entry

from cascade.runtime.errors import UserError
from cascade.sweeps.earlier import joined, read_earlier
from cascade.sweeps.plan import sweep_plan


@pytest.fixture
def published(tmp_path, small, read):
    """Publishes a sweep over minutes; returns its folder and the plan of the next one."""
    raw, layout = small
    plan = sweep_plan(lambda more: read(raw, more), "target_minutes=15,40", 2, layout)
    (test,) = (test.label for test in plan[0].recipe.tests)
    systems = list(plan[0].recipe.systems)

    def write(commit="abc", key="target_minutes", test=test, systems=systems):
        rows = [
            entry(system, value, seed, 40.0, test=test, key=key)
            for value in (5, 15, "all")
            for seed in (0, 1)
            for system in systems
        ]
        judged = [{key: value, "test": "mine", "pairs": []} for value in (5, 15, "all")]
        (tmp_path / "sweep.json").write_text(json.dumps(rows))
        (tmp_path / "sweep_significance.json").write_text(json.dumps(judged))
        (tmp_path / "SWEEP.md").write_text(f"# Sweep\n\n- commit: {commit}\n- date: today\n")
        return tmp_path, plan

    return write


def test_values_stay_until_the_new_sweep_has_as_many_seeds(published):
    folder, plan = published()
    earlier = read_earlier(folder, plan)
    fifteen = [point for point in plan if point.swept["target_minutes"] == 15]
    assert len(fifteen) == 2
    for done, stays in ((0, {5, 15, "all"}), (1, {5, 15, "all"}), (2, {5, "all"})):
        kept = earlier.beside(fifteen[:done], "target_minutes")
        assert {row["target_minutes"] for row in kept.entries} == stays
        assert {one["target_minutes"] for one in kept.comparisons} == stays
    new = [entry("plain", value, 0, 30.0) for value in (15, 40)]
    values = [row["target_minutes"] for row in joined(kept.entries, new, "target_minutes")]
    assert list(dict.fromkeys(values)) == [5, 15, 40, "all"]


def test_each_entry_keeps_the_commit_that_made_it(published):
    folder, plan = published("abc+")
    rows = list(read_earlier(folder, plan).entries)
    assert {row["commit"] for row in rows} == {"abc+"}
    rows[0]["commit"] = "older"
    (folder / "sweep.json").write_text(json.dumps(rows))
    assert [row["commit"] for row in read_earlier(folder, plan).entries][:2] == ["older", "abc+"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"key": "train.dropout"}, "lacks 'target_minutes': it is a sweep over another key"),
        ({"test": "other"}, "has the tests other; this sweep has"),
        ({"systems": ["plain"]}, "has the systems plain; this sweep has"),
    ],
)
def test_another_sweep_is_refused(published, changes, message):
    folder, plan = published(**changes)
    with pytest.raises(UserError, match=re.escape(message)):
        read_earlier(folder, plan)


@pytest.mark.parametrize("name", ["sweep.json", "sweep_significance.json", "SWEEP.md"])
def test_a_damaged_or_missing_sweep_is_refused(published, name):
    folder, plan = published()
    (folder / name).write_bytes(b"\xff{")
    with pytest.raises(UserError, match="or a file beside it is damaged"):
        read_earlier(folder, plan)
    (folder / "sweep.json").unlink()
    with pytest.raises(UserError, match=re.escape("there is no sweep to add to")):
        read_earlier(folder, plan)


def test_a_sweep_with_fewer_seeds_of_a_value_is_refused(published):
    folder, plan = published()
    fewer = [point for point in plan if point.seed == plan[0].seed]
    with pytest.raises(UserError, match=r"has 2 seeds of target_minutes 15, .* Give --seeds 2"):
        read_earlier(folder, fewer)
