import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cascade.runtime.kept import Keep
from cascade.runtime.project import ROOT
from cascade.runtime.stage import Call, Job, JobFiles


class Cook(Call):
    """Calls a function of a test."""

    def __init__(self, function):
        super().__init__("cascade.runtime.errors", "")
        self.function = function

    def __call__(self, *more):
        return self.function(*more)


class Experiment:
    """A job that writes ``made.txt`` and ``sub/own.txt`` from ``in.txt``; it counts its runs."""

    def __init__(self, root: Path, text="eggs"):
        self.root, self.ran, self.renumbered = root, 0, []
        self.path("in.txt").parent.mkdir(parents=True)
        self.path("in.txt").write_text(text)
        self.path("numbers.txt").write_text("a 1\n")

    def path(self, name: str) -> Path:
        return self.root / "lang" / name

    def read(self) -> list[str]:
        return [self.path(name).read_text() for name in ("made.txt", "sub/own.txt")]

    def make(self, settings=1, force=False, numbering=False, discovered=()) -> JobFiles:
        """Run the job, or take its results from where they are kept."""

        def run():
            self.ran += 1
            text = self.path("in.txt").read_text()
            self.path("sub").mkdir(exist_ok=True)
            self.path("made.txt").write_text(f"{text} {settings}")
            self.path("sub/own.txt").write_text("own")
            return JobFiles(inputs=list(discovered), outputs=[self.path("sub/own.txt")])

        keep = Keep(self.root.parent / "data", self.root / "lang", force)
        inputs = (self.path("in.txt"),)
        if numbering:
            renumber = Cook(lambda before: self.renumbered.append(before.read_text()))
            keep = Keep(keep.store, keep.root, force, self.path("numbers.txt"), renumber)
            inputs += (self.path("numbers.txt"),)
        return keep(Job("job", settings, inputs, (self.path("made.txt"),), Cook(run)))


@pytest.fixture
def experiment(tmp_path):
    return lambda name, **values: Experiment(tmp_path / name, **values)


def folders(tmp_path):
    return sorted(path for path in (tmp_path / "data").iterdir())


def test_another_experiment_links_the_results(experiment, tmp_path, caplog):
    caplog.set_level("INFO", "cascade")
    first, second = experiment("a"), experiment("b")
    made = first.make()
    (folder,) = folders(tmp_path)
    assert f"job: kept in {folder}: it is new" in caplog.text
    again = second.make()
    assert f"job: reused from {folder}" in caplog.text
    assert (first.ran, second.ran) == (1, 0)
    assert first.read() == second.read() == ["eggs 1", "own"]
    assert set(again.outputs) == {second.path("made.txt"), second.path("sub/own.txt")}
    assert sorted(again.output_digests.values(), key=str) == sorted(
        made.output_digests.values(), key=str
    )
    for path in again.outputs:
        assert path.stat().st_nlink == 3  # the store has one, and each experiment


def test_what_decides_the_results_decides_the_folder(experiment, tmp_path):
    experiment("a").make()
    for n, other in enumerate((experiment("b", text="ham"), experiment("c")), 1):
        other.make(settings=n)
        assert other.ran == 1
    assert len(folders(tmp_path)) == 3


def test_deleting_one_side_leaves_the_other(experiment, tmp_path):
    first, second, third = experiment("a"), experiment("b"), experiment("c")
    first.make()
    shutil.rmtree(first.root)
    second.make()
    assert second.ran == 0 and second.read() == ["eggs 1", "own"]
    shutil.rmtree(tmp_path / "data")
    assert second.read() == ["eggs 1", "own"]
    third.make()
    assert third.ran == 1


def test_an_experiment_that_replaces_its_file_changes_no_other(experiment):
    first, second, third = experiment("a"), experiment("b"), experiment("c")
    first.make()
    second.make()
    second.path("made.txt").unlink()
    second.path("made.txt").write_text("mine")
    third.make()
    assert third.ran == 0 and first.read() == third.read() == ["eggs 1", "own"]


@pytest.mark.parametrize("damage", ["edited", "missing", "stamp", "unfinished"])
def test_damaged_results_are_rebuilt(experiment, tmp_path, damage):
    experiment("a").make()
    (folder,) = folders(tmp_path)
    if damage == "edited":
        (folder / "made.txt").write_text("eggs 2")
    elif damage == "missing":
        (folder / "sub/own.txt").unlink()
    elif damage == "stamp":
        (folder / "stamp.json").write_text("{")
    else:  # as a kill leaves it
        (folder / "stamp.json").unlink()
        (folder / ".made.txt.partial").write_text("half")
    second, third = experiment("b"), experiment("c")
    second.make()
    third.make()
    assert (second.ran, third.ran) == (1, 0)
    assert second.read() == third.read() == ["eggs 1", "own"]
    assert not list(folder.glob(".*.partial"))


def test_force_runs_the_job_again_in_the_same_folder(experiment, tmp_path, caplog):
    caplog.set_level("INFO", "cascade")
    experiment("a").make()
    second = experiment("b")
    second.make(force=True)
    assert second.ran == 1 and len(folders(tmp_path)) == 1
    assert ": it was requested" in caplog.text


def test_changed_code_runs_the_job_again(experiment, tmp_path, monkeypatch, caplog):
    caplog.set_level("INFO", "cascade")
    experiment("a").make()
    code = {"a.py": "d", "numpy": "1"}
    monkeypatch.setattr("cascade.runtime.stage.code_digests", lambda modules, packages: code)
    second = experiment("b")
    second.make()
    assert second.ran == 1 and len(folders(tmp_path)) == 1
    assert "the code changed: " in caplog.text


def test_a_file_that_only_the_job_could_name_counts(experiment, tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("old")
    first, second, third = experiment("a"), experiment("b"), experiment("c")
    assert first.make(discovered=[text]).inputs == (text,)
    assert second.make(discovered=[text]).inputs == (text,) and second.ran == 0
    text.write_text("new")
    third.make(discovered=[text])
    assert third.ran == 1


def test_another_numbering_renumbers_what_is_linked(experiment):
    first, second, third = experiment("a"), experiment("b"), experiment("c")
    first.make(numbering=True)
    assert first.renumbered == []
    second.path("numbers.txt").write_text("a 2\n")
    files = second.make(numbering=True)
    assert second.ran == 0 and second.renumbered == ["a 1\n"]
    assert second.path("numbers.txt").read_text() == "a 2\n"
    assert second.path("numbers.txt") not in files.outputs
    assert third.make(numbering=True) and third.ran == 0


def test_a_failed_job_keeps_nothing(experiment, tmp_path):
    first, second = experiment("a"), experiment("b")
    first.path("in.txt").unlink()
    with pytest.raises(FileNotFoundError):
        first.make()
    (folder,) = folders(tmp_path)
    assert not (folder / "stamp.json").exists()
    second.make()
    assert second.ran == 1


def test_a_copy_where_links_are_impossible(experiment, monkeypatch):
    def refuse(*_):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    first, second = experiment("a"), experiment("b")
    first.make()
    files = second.make()
    assert second.ran == 0 and second.read() == ["eggs 1", "own"]
    for path, value in files.output_digests.items():
        assert path.stat().st_nlink == 1
        assert path.stat().st_mtime_ns == value.mtime_ns  # so it need not be read again


MAKER = """
import sys, time
from pathlib import Path
from cascade.runtime.kept import kept
from cascade.runtime.stage import JobFiles

def make(folder):
    print("makes", flush=True)
    time.sleep(float(sys.argv[2]))
    (folder / "a").write_text("a")
    return JobFiles(outputs=[folder / "a"])

with kept(Path(sys.argv[1]), "x", {}, {}, make) as result:
    print(result.reason, flush=True)
"""


def maker(tmp_path, seconds):
    command = [sys.executable, "-c", MAKER, tmp_path / "data", str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def test_two_at_once_make_a_folder_once(tmp_path):
    both = [maker(tmp_path, 0.5) for _ in "ab"]
    lines = sorted(process.communicate()[0] for process in both)
    assert lines == ["None\n", "makes\nit is new\n"]


def test_a_killed_maker_is_followed_by_another(tmp_path):
    process = maker(tmp_path, 60)
    assert process.stdout.readline() == "makes\n"
    process.kill()
    process.wait()
    assert maker(tmp_path, 0).communicate()[0] == "makes\nit is new\n"
