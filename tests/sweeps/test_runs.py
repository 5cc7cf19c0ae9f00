import logging
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from cascade.runtime.project import ROOT
from cascade.sweeps.running import Run, Running
from cascade.sweeps.runs import run_all

# Two runs that end by themselves only after a long time; asked to, they save.
SWEEP = """
import logging, signal, sys
from pathlib import Path
from cascade.sweeps.running import Run
from cascade.sweeps.runs import run_all
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
logging.basicConfig(level=logging.INFO, stream=sys.stderr)
folder = Path(sys.argv[1])
script = "trap 'echo saved; exit 1' TERM; echo $$ begun; sleep 600 & wait"
runs = [Run(name, ("sh", "-c", script), folder / name, 1) for name in "ab"]
for _ in run_all(runs, 2):
    pass
"""


@pytest.fixture(autouse=True)
def heard(caplog):
    caplog.set_level(logging.INFO, "cascade")
    return caplog


@pytest.fixture
def shell(tmp_path):
    """A run of a shell script; ``$1`` is how many processes it may have."""
    return lambda name, script: Run(
        name, ("sh", "-c", f"shift; {script}", "sh"), tmp_path / name / "run.log", 1
    )


def logged(run: Run) -> list[str]:
    return run.log.read_text().splitlines()


def test_every_run_ends_and_has_a_log(shell):
    runs = [shell(name, f"echo {name}; echo oh >&2") for name in "abc"]
    ended = dict(run_all(runs, 2))
    assert ended == dict.fromkeys(runs)
    for run in runs:
        head, *output = logged(run)
        assert re.fullmatch(r"# \d{4}-.* sh -c .* --nj [12]", head)
        assert output == [run.name, "oh"]
        list(run_all([run], 1))
        assert len(logged(run)) == 6, "what was logged before is kept"


@pytest.mark.parametrize(
    ("runs", "jobs", "shares"), [(1, 1, [1]), (3, 1, [1, 1, 1]), (1, 4, [4]), (2, 5, [3, 2])]
)
def test_processes_are_shared_out(shell, runs, jobs, shares):
    made = [shell(str(i), "echo $1; sleep 0.6") for i in range(runs)]
    assert [failure for _, failure in run_all(made, jobs)] == [None] * runs
    assert [logged(run)[1] for run in made] == [str(share) for share in shares]


def test_no_more_processes_than_asked_for(shell, tmp_path):
    now = tmp_path / "now"
    now.mkdir()
    add = "awk -F. '{ sum += $2 } END { print sum }'"
    script = f"touch {now}/$$.$1; ls {now} | {add}; sleep 0.$$; rm {now}/$$.$1"
    made = [shell(str(i), script) for i in range(7)]
    assert [failure for _, failure in run_all(made, 3)] == [None] * 7
    assert max(int(logged(run)[1]) for run in made) == 3


def test_a_failure_is_reported_and_stops_no_other_run(shell, heard):
    runs = [
        shell("bad", "echo much; echo 'cascade: The disk is full.'; echo Fix it.; exit 1"),
        shell("worse", "echo much; kill -9 $$"),
        shell("good", "sleep 0.2; echo fine"),
    ]
    failures = {run.name: failure for run, failure in run_all(runs, 1)}
    assert failures == {
        "bad": "cascade: The disk is full.\nFix it.",
        "worse": "much\nIt ended with signal 9.",
        "good": None,
    }
    assert f"Its log: {runs[0].log}" in heard.text
    assert "bad failed after 0:0" in heard.text and "good ended after 0:0" in heard.text


def test_what_a_run_does_is_known_from_its_log(tmp_path):
    lines = ["17:00:00 Stage 3, plain runs: it has not run yet."]
    lines += ["17:00:30 plain  : step 40 of 80, epoch 1, loss ru 2.00, 0:30 left"]
    states = []
    for number in range(3):
        log = tmp_path / str(number)
        text = "\n".join(lines[:number])
        running = Running(Run("a", ("printf", "%s", text), log, 2), 1)
        running.process.wait()
        states.append(running.state())
    assert states == [("starts", 0.0), ("training", 0.0), ("plain 50 %", 0.225)]


@pytest.fixture
def sweep(tmp_path):
    """A sweep in a process of its own, and its two runs' processes."""
    process = subprocess.Popen(
        [sys.executable, "-c", SWEEP, str(tmp_path)], stderr=subprocess.PIPE, text=True, cwd=ROOT
    )
    logs = [tmp_path / name for name in "ab"]
    while "b starts" not in process.stderr.readline():
        assert process.poll() is None
    while not all("begun\n" in log.read_text() for log in logs):
        time.sleep(0.05)
    yield process, logs
    process.kill()
    process.communicate()


def test_ctrl_c_has_all_runs_save(sweep):
    process, logs = sweep
    process.send_signal(signal.SIGINT)
    assert "Stopping. Trainings save their checkpoints." in process.communicate(timeout=60)[1]
    assert process.returncode != 0
    assert [log.read_text().splitlines()[-1] for log in logs] == ["saved", "saved"]


def test_runs_end_with_a_sweep_that_was_killed(sweep):
    process, logs = sweep
    process.kill()
    process.wait()
    for log in logs:
        pid = int(re.search(r"(\d+) begun\n", log.read_text())[1])
        for _ in range(200):
            if not os.path.exists(f"/proc/{pid}"):
                break
            time.sleep(0.05)
        else:
            raise AssertionError("a run outlived its sweep")
