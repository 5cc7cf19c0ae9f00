import subprocess

import torch

from cascade.runtime import origin as module
from cascade.runtime.origin import processor


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


def test_a_copy_in_another_repository_has_no_commit(tmp_path):
    git = ["git", "-C", str(tmp_path), "-c", "user.name=x", "-c", "user.email=x@x"]
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--allow-empty", "-m", "other"], check=True)
    (tmp_path / "copy").mkdir()
    assert module.commit(tmp_path / "copy") == "unknown"
    assert module.commit(tmp_path) != "unknown"


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
    commit = module.commit(tmp_path)
    assert commit.isalnum()
    for file in published:
        file.write_text("second\n")
    assert module.commit(tmp_path) == commit
    (folder / "recipe.yaml").write_text("second\n")
    assert module.commit(tmp_path) == f"{commit}+"
