import subprocess
import sys

import torch
from support import ROOT

from cascade.report import environment as module
from cascade.report.environment import environment, processor


def test_the_processor_is_named_with_what_torch_uses_of_it(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(module.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(module.platform, "processor", lambda: "")
    used = torch.backends.cpu.get_cpu_capability()
    assert processor() == f"x86_64, {used}"
    (tmp_path / "cpuinfo").write_text(
        "processor\t: 0\nmodel\t\t: 1\nmodel name\t: Some CPU @ 2 GHz\n" * 2
    )
    assert processor() == f"Some CPU @ 2 GHz, x86_64, {used}"


def test_the_command_can_be_given_again(raw, read, monkeypatch):
    options = ["--recipe", "my work/x.yaml", "--train.active={en: [0, 0.5]}", "--nj", "1"]
    monkeypatch.setattr(sys, "argv", ["cascade", "run", *options])
    command = environment(read(raw))["command"]
    quoted = "./run.sh --recipe 'my work/x.yaml' '--train.active={en: [0, 0.5]}' --nj 1"
    assert command == quoted


def test_a_copy_in_another_repository_has_no_commit(tmp_path):
    git = ["git", "-C", str(tmp_path), "-c", "user.name=x", "-c", "user.email=x@x"]
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--allow-empty", "-m", "other"], check=True)
    (tmp_path / "copy").mkdir()
    assert module._commit(tmp_path / "copy") == "unknown"
    assert module._commit(tmp_path) != "unknown"


def test_what_a_sweep_writes_beside_its_recipe_is_no_change_of_the_commit(tmp_path):
    git = ["git", "-C", str(tmp_path), "-c", "user.name=x", "-c", "user.email=x@x"]
    folder = tmp_path / "recipes" / "mine"
    folder.mkdir(parents=True)
    published = [folder / name for name in ("SWEEP.md", "sweep.svg", "search.json", "RESULTS.md")]
    for file in (*published, folder / "recipe.yaml"):
        file.write_text("first\n")
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "--quiet", "--message", "first"], check=True)
    commit = module._commit(tmp_path)
    assert commit.isalnum()
    for file in published:
        file.write_text("second\n")
    assert module._commit(tmp_path) == commit
    (folder / "recipe.yaml").write_text("second\n")
    assert module._commit(tmp_path) == f"{commit}+"


PROJECT = """
[build-system]
requires = ["flit_core==3.12.0"]
build-backend = "flit_core.buildapi"

[project]
name = "toy"
version = "1"
description = "What path.sh installs, with a package that makes a script"
dependencies = ["pip"]
optional-dependencies = {train = [], dev = []}
"""
ENVIRONMENT = """
. ./path.sh || exit
head -n 1 .venv/bin/pip
"""


def test_an_environment_that_was_moved_is_made_again(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    (first / "path.sh").write_text((ROOT / "path.sh").read_text())
    (first / "constraints.txt").touch()
    (first / "toy.py").write_text('"""A module of one line."""\n')
    (first / "pyproject.toml").write_text(PROJECT)

    def make(root):
        done = subprocess.run(
            ["bash", "-c", ENVIRONMENT], cwd=root, capture_output=True, text=True, check=True
        )
        assert f"{root.resolve()}/.venv/bin/python" in done.stdout
        return "installing Python packages" in done.stderr

    assert [make(first), make(first)] == [True, False]
    first.rename(second)
    assert [make(second), make(second)] == [True, False]
    (second / ".venv/bin/python").unlink()
    assert make(second)
