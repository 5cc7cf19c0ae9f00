"""Points of a sweep on two workers of a Dask scheduler."""

import json
import logging
import subprocess
import sys

import pytest
from support import ctrl_c_when

from cascade.sweeps.running import Run
from cascade.sweeps.runs import run_all


@pytest.fixture
def python(tmp_path):
    """A run of a Python script."""

    def python(name, script):
        return Run(name, ("any", "-c", script), tmp_path / name / "run.log", 1)

    return python


def test_runs_end_and_fail_on_workers(python, on_workers, caplog):
    caplog.set_level(logging.INFO, "cascade")
    runs = [
        python("good", "import sys; print(sys.argv[1:])"),
        python("bad", "import sys; print('cascade: The disk is full.'); sys.exit(1)"),
        python("worse", "import os; os.kill(os.getpid(), 9)"),
    ]
    with on_workers():
        failures = {run.name: failure for run, failure in run_all(runs, 7)}
    assert failures == {
        "good": None,
        "bad": "cascade: The disk is full.",
        "worse": "it has failed twice on the cluster, the last time because its process ended"
        " with status -9. The same command continues it.",
    }
    assert runs[0].log.read_text().splitlines()[1:] == ["['--nj', '1']"]
    begun = [run.log.read_text().count("# 2") for run in runs]
    assert begun == [1, 1, 2], "only the one that was killed is tried again"
    assert f"Its log: {runs[1].log}" in caplog.text


def test_runs_on_workers_save_when_the_sweep_stops(python, on_workers):
    script = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit("saved"))
print("begun", flush=True)
time.sleep(600)
"""
    runs = [python(name, script) for name in "ab"]

    def both_have_begun():
        return all(run.log.exists() and "begun\n" in run.log.read_text() for run in runs)

    stopper = ctrl_c_when(both_have_begun)
    with on_workers(), pytest.raises(KeyboardInterrupt):
        list(run_all(runs, 1))
    stopper.join()
    assert [run.log.read_text().splitlines()[-1] for run in runs] == ["saved", "saved"]


def test_points_on_workers_are_those_of_this_machine(tiny, dask, tmp_path):
    """Two points on two workers, and the first of them here."""
    options, folder, exp = tiny
    options += ["--systems", "small", "--search", "train.dropout=0.5"]
    command = [sys.executable, "-m", "cascade", "run", *map(str, options)]
    on_workers = ["--dask", dask.address, "--cluster-training"]
    subprocess.run([*command, *on_workers], check=True, env=dask.environment)
    points = [exp / f"search/train.dropout=0.5,seed={seed}" for seed in (7, 8)]
    for point in points:
        log = (point / "run.log").read_text()
        assert log.count(" --nj 1\n") == 1 and "--dask" not in log
        assert "Stage 3 took" in log
    rows = json.loads((folder / "search.json").read_text())
    model = (points[0] / "small/model.safetensors").read_bytes()
    exp.rename(tmp_path / "of_workers")
    subprocess.run([*command, "--seeds", "1"], check=True, env=dask.environment)
    assert json.loads((folder / "search.json").read_text()) == rows[:1] and len(rows) == 2
    assert (points[0] / "small/model.safetensors").read_bytes() == model
