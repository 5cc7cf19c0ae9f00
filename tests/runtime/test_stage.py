import contextlib
import dataclasses
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cascade.runtime.errors import UserError
from cascade.runtime.project import ROOT
from cascade.runtime.stage import Call, Job, JobFiles, Runner, Stage, one_by_one, owner


@pytest.fixture(autouse=True)
def heard(caplog):
    caplog.set_level(logging.INFO, "cascade")
    return caplog


class Cook(Call):
    """A call of a function of this file, as if it were one of ours."""

    def __init__(self, run):
        super().__init__("cascade.runtime.errors", "")
        self.run = run

    def __call__(self):
        return self.run()


class Kitchen:
    """Jobs that write each of their outputs from their inputs, and remember that they ran."""

    def __init__(self, root: Path):
        self.root = root
        self.ran: list[str] = []

    def job(self, name, inputs=(), outputs=(), settings=1, discovered=(), modules=()) -> Job:
        sources = [self.root / name for name in inputs]
        made = [self.root / name for name in outputs]

        def run():
            self.ran.append(name)
            text = "".join(path.read_text() for path in sources)
            for path in made:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(f"{path.name}({text}{settings})")
            return JobFiles(inputs=[self.root / name for name in discovered])

        return Job(name, settings, tuple(sources), tuple(made), Cook(run), modules)

    def go(self, *stages, force=False, dry_run=False) -> list[str]:
        """Runs stages as one command does; returns the names of the jobs that ran."""
        self.ran.clear()
        makers = {path: (s.number, job) for s in stages for job in s.jobs for path in job.outputs}
        runner = Runner(self.root, makers, force, dry_run)
        for stage in stages:
            runner.run(stage)
        return list(self.ran)


@pytest.fixture
def kitchen(tmp_path):
    return Kitchen(tmp_path / "exp")


@pytest.fixture
def two(kitchen):
    """Two stages: the first makes a file, of which the second makes two and joins them."""
    second = (
        kitchen.job("join", ["b", "c"], ["d"]),
        kitchen.job("left", ["a"], ["b"]),
        kitchen.job("right", ["a"], ["c"]),
    )
    return Stage(0, "first", (kitchen.job("start", [], ["a"]),)), Stage(1, "second", second)


def test_jobs_run_when_what_they_need_is_made(kitchen, two):
    assert kitchen.go(*two) == ["start", "left", "right", "join"]
    assert (kitchen.root / "d").read_text() == "d(b(a(1)1)c(a(1)1)1)"


def test_nothing_runs_twice(kitchen, two, heard):
    kitchen.go(*two)
    heard.clear()
    assert kitchen.go(*two) == []
    assert heard.messages == [
        "Stage 0 (first) is up to date.",
        "Stage 1 (second) is up to date.",
    ]


def test_force_runs_everything(kitchen, two):
    kitchen.go(*two)
    assert kitchen.go(*two, force=True) == ["start", "left", "right", "join"]


def test_a_missing_output_is_made_again_and_no_more_than_it(kitchen, two, heard):
    kitchen.go(*two)
    (kitchen.root / "c").unlink()
    assert kitchen.go(*two) == ["right"]  # the same bytes again, so `join` has nothing to do
    assert f"Stage 1, right runs: its output {kitchen.root}/c is missing." in heard.text


def test_changed_settings_travel_down(kitchen, two, heard):
    kitchen.go(*two)
    left = kitchen.job("left", ["a"], ["b"], settings={"x": 2})
    changed = Stage(1, "second", (two[1].jobs[0], left, two[1].jobs[2]))
    assert kitchen.go(two[0], changed) == ["left", "join"]
    assert f"join runs: {kitchen.root}/b changed." in heard.text


def test_a_damaged_output_is_made_again(kitchen, two):
    kitchen.go(*two)
    (kitchen.root / "a").write_text("damaged")
    assert kitchen.go(*two) == ["start"]


def test_a_stage_can_run_by_itself(kitchen, two):
    kitchen.go(*two)
    (kitchen.root / "d").unlink()
    assert kitchen.go(two[1]) == ["join"]


def test_an_input_that_only_the_job_knows_counts(kitchen, tmp_path, heard):
    wav = kitchen.root / "x.wav"
    kitchen.root.mkdir()
    wav.write_text("sound")
    stage = Stage(0, "corpora", (kitchen.job("list", [], ["a"], discovered=["x.wav"]),))
    assert kitchen.go(stage) == ["list"]
    assert kitchen.go(stage) == []
    wav.write_text("another sound")
    assert kitchen.go(stage) == ["list"]
    assert f"list runs: {wav} changed." in heard.text


def missing(kitchen, stages, number) -> str:
    """Return the error of stage ``number`` when it runs by itself."""
    makers = {path: (s.number, job) for s in stages for job in s.jobs for path in job.outputs}
    with pytest.raises(UserError) as caught:
        Runner(kitchen.root, makers, False, False).run(stages[number])
    assert kitchen.ran == []
    return str(caught.value)


def test_a_missing_input_names_the_stage_that_makes_it(kitchen, two):
    assert missing(kitchen, two, 1) == (
        f"Stage 1 (left) needs {kitchen.root}/a, which stage 0 makes."
        " Run the same command with --stage 0."
    )


def test_missing_inputs_name_the_first_stage_to_run(kitchen, two):
    third = Stage(2, "third", (kitchen.job("late", ["d", "a"], ["e"]),))
    message = missing(kitchen, [*two, third], 2)
    assert f"needs {kitchen.root}/d and 1 more, which stage 0 and stage 1 make" in message
    assert message.endswith("the same command with --stage 0.")
    fourth = Stage(3, "fourth", (kitchen.job("last", ["e"], ["f"]),))
    message = missing(kitchen, [*two, third, fourth], 3)
    assert "which stage 2 makes" in message and message.endswith("the same command with --stage 0.")
    kitchen.go(*two)
    kitchen.ran.clear()
    assert missing(kitchen, [*two, third, fourth], 3).endswith("the same command with --stage 2.")


def test_a_missing_input_that_no_stage_makes(kitchen):
    stage = Stage(0, "first", (kitchen.job("x", ["theirs"], ["y"]),))
    assert missing(kitchen, [stage], 0) == f"Stage 0 (x) needs {kitchen.root}/theirs."


def test_dry_run_follows_what_would_change_and_writes_nothing(kitchen, two, heard):
    assert kitchen.go(*two, dry_run=True) == []
    assert heard.text.count("would run: it has not run yet") == 4
    assert not kitchen.root.exists()
    kitchen.go(*two)
    (kitchen.root / "a").unlink()
    heard.clear()
    assert kitchen.go(*two, dry_run=True) == []
    root = kitchen.root
    assert heard.messages == [
        f"Stage 0, start would run: its output {root}/a is missing.",
        f"Stage 1, left would run: {root}/a would be rebuilt.",
        f"Stage 1, right would run: {root}/a would be rebuilt.",
        f"Stage 1, join would run: {root}/b would be rebuilt.",
    ]
    assert not (root / "a").exists()


def test_dry_run_of_what_is_up_to_date(kitchen, two, heard):
    kitchen.go(*two)
    heard.clear()
    kitchen.go(*two, dry_run=True)
    assert len(heard.messages) == 2 and all("is up to date" in m for m in heard.messages)


def test_a_job_that_fails_leaves_the_stamps_of_those_before_it(kitchen, two):
    broken = Job("right", 1, two[1].jobs[2].inputs, two[1].jobs[2].outputs, Cook(lambda: 1 / 0))
    with pytest.raises(ZeroDivisionError):
        kitchen.go(two[0], Stage(1, "second", (*two[1].jobs[:2], broken)))
    assert kitchen.ran == ["start", "left"]
    assert kitchen.go(*two) == ["right", "join"]


def test_a_job_that_fails_when_run_again_is_not_up_to_date(kitchen, two):
    kitchen.go(*two)
    broken = Job("start", 1, (), two[0].jobs[0].outputs, Cook(lambda: 1 / 0))
    with pytest.raises(ZeroDivisionError):
        kitchen.go(Stage(0, "first", (broken,)), force=True)
    assert kitchen.go(*two) == ["start"]


def test_what_an_unfinished_stage_left_is_not_used_without_a_word(kitchen, two, heard):
    kitchen.go(*two)
    broken = Job("start", 2, (), two[0].jobs[0].outputs, Cook(lambda: 1 / 0))
    changed = Stage(0, "first", (broken,))
    with pytest.raises(ZeroDivisionError):
        kitchen.go(changed)
    heard.clear()
    Runner(kitchen.root, {}, False, False).warn(changed)
    assert heard.messages == ["warning: Stage 0 (first) is not up to date: start was not finished."]
    kitchen.go(*two)
    assert "Stage 0, start runs: it was not finished." in heard.text
    heard.clear()
    Runner(kitchen.root, {}, False, False).warn(two[0])
    assert heard.messages == []


def test_an_input_that_is_edited_while_its_job_runs(kitchen, two, heard):
    kitchen.root.mkdir()
    (kitchen.root / "table").write_text("one")
    job = kitchen.job("start", ["table"], ["a"])

    def run():
        files = job.run()
        (kitchen.root / "table").write_text("another")
        return files

    edited = dataclasses.replace(job, run=Cook(run))
    kitchen.go(Stage(0, "first", (edited,)))
    assert kitchen.go(Stage(0, "first", (job,))) == ["start"]
    assert "start runs: " in heard.text and "table changed." in heard.text
    assert kitchen.go(Stage(0, "first", (job,))) == []


def test_a_stage_may_run_its_jobs_its_own_way(kitchen):
    def backwards(jobs):
        yield from one_by_one(list(reversed(jobs)))

    jobs = tuple(kitchen.job(name, [], [name]) for name in "abc")
    assert kitchen.go(Stage(0, "", jobs, backwards)) == ["c", "b", "a"]
    (kitchen.root / "b").unlink()
    assert kitchen.go(Stage(0, "", jobs, backwards)) == ["b"]  # only what is to be done


def test_changed_code_runs_a_job_again(kitchen, monkeypatch, heard):
    stage = Stage(0, "", (kitchen.job("x", [], ["a"], modules=("cascade.runtime.errors",)),))
    kitchen.go(stage)
    assert kitchen.go(stage) == []
    monkeypatch.setattr(
        "cascade.runtime.stage.code_digests", lambda modules, packages: {"a.py": "d"}
    )
    assert kitchen.go(stage) == ["x"]
    assert "x runs: the code changed: a.py." in heard.text


HOLD = """
import os, signal, sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from cascade.runtime.stage import owner
if __name__ == "__main__":
    with owner(Path(sys.argv[1])), ProcessPoolExecutor(1) as pool:
        print(pool.submit(os.getpid).result(), flush=True)
        sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that owns ``tmp_path``, and the id of its worker process."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    worker = int(process.stdout.readline())
    yield process
    process.kill()
    process.wait()
    with contextlib.suppress(ProcessLookupError):
        os.kill(worker, signal.SIGKILL)


def test_a_second_owner_gets_the_process_of_the_first(tmp_path, holder, kitchen):
    with (
        pytest.raises(UserError, match=rf"by process {holder.pid}, since \d{{4}}-") as caught,
        owner(tmp_path),
    ):
        raise AssertionError("two owners")
    assert str(caught.value).startswith(f"{tmp_path} is in use by process")
    holder.stdin.close()
    assert holder.wait(20) == 0
    with owner(tmp_path):
        assert f"process {os.getpid()}," in (tmp_path / ".lock").read_text()


def test_a_runner_leaves_anothers_experiment_alone(tmp_path, holder):
    kitchen = Kitchen(tmp_path)
    stage = Stage(0, "", (kitchen.job("x", [], ["a"]),))
    with pytest.raises(UserError, match=f"process {holder.pid}"):
        kitchen.go(stage)
    assert kitchen.ran == [] and not (tmp_path / "a").exists()
    kitchen.go(stage, dry_run=True)  # looking is free


def test_a_killed_process_holds_nothing_though_its_workers_live(tmp_path, holder):
    holder.kill()
    holder.wait()
    with owner(tmp_path):
        pass


def test_the_lock_is_let_go_of_when_a_job_fails(tmp_path):
    with pytest.raises(ValueError), owner(tmp_path):
        raise ValueError
    check = "import fcntl, sys; fcntl.lockf(open(sys.argv[1], 'a'), fcntl.LOCK_EX | fcntl.LOCK_NB)"
    subprocess.run([sys.executable, "-c", check, tmp_path / ".lock"], check=True)


def test_an_output_that_the_job_named_itself_is_made_again(kitchen):
    ark = kitchen.root / "x.ark"

    def run():
        kitchen.ran.append("dump")
        ark.parent.mkdir(parents=True, exist_ok=True)
        ark.write_text("features")
        return JobFiles(outputs=[ark])

    stage = Stage(2, "features", (Job("dump", 1, (), (), Cook(run)),))
    assert kitchen.go(stage) == ["dump"]
    assert kitchen.go(stage) == []
    ark.write_text("damage")
    assert kitchen.go(stage) == ["dump"]
    assert ark.read_text() == "features"
