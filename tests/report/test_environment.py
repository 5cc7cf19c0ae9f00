import subprocess
import sys

from support import ROOT

from cascade.report.environment import environment
from cascade.runtime.origin import TRAINED_ON, origin, processor


def test_the_command_can_be_given_again(raw, read, monkeypatch):
    options = ["--recipe", "my work/x.yaml", "--train.active={en: [0, 0.5]}", "--nj", "1"]
    monkeypatch.setattr(sys, "argv", ["cascade", "run", *options])
    command = environment(read(raw), [])["command"]
    quoted = "./run.sh --recipe 'my work/x.yaml' '--train.active={en: [0, 0.5]}' --nj 1"
    assert command == quoted


def test_where_networks_were_trained_elsewhere(raw, read, tmp_path):
    folders = [tmp_path / name for name in ("plain", "cascade", "both")]
    gpu = "A GPU, Linux, torch 1, commit 0"
    lines = [origin(processor()), gpu, gpu]
    for folder, line in zip(folders, lines, strict=True):
        folder.mkdir()
        (folder / TRAINED_ON).write_text(f"{line}\n")
    about = environment(read(raw), folders)
    assert about["trained on"] == f"{gpu} (2 of 3 trainings)"
    assert "trained on" not in environment(read(raw), folders[:1])


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
