"""What can go wrong with files and disks: a sentence, a status, and nothing lost."""

import contextlib
import os
import pickle
import subprocess
import time
from pathlib import Path

import pytest
from support import ROOT, run

SHORT = ("--recipe", "mini", "--train.steps", "40", "--train.valid_every", "40")


def ark_of(root: Path, key: str) -> Path:
    """The first archive that has features of a data set."""
    where = (root / f"feats/{key}.scp").read_text().split()[1]
    return Path(where.rsplit(":", 1)[0])  # as stamps name it, from the project's folder


@pytest.fixture
def from_root(monkeypatch):
    monkeypatch.chdir(ROOT)


@pytest.mark.usefixtures("from_root")
def test_a_damaged_archive_is_noticed_and_made_again(mini):
    ark = ark_of(mini, "valid_ru")
    good = ark.read_bytes()
    ark.write_bytes(good[: len(good) // 2])
    done = run("--recipe", "mini", "--exp", mini.parent, "--stage", 2, "--stop-stage", 3)
    assert f"features_valid_ru runs: its output {ark} changed" in done.stderr
    assert "Stage 3 (training) is up to date" in done.stderr
    assert ark.read_bytes() == good


@pytest.mark.usefixtures("from_root")
def test_training_on_a_damaged_archive_names_the_utterance(tmp_path):
    run(*SHORT, "--exp", tmp_path, "--stop-stage", 2)
    ark = ark_of(tmp_path / "mini", "train_ru")
    good = ark.read_bytes()
    try:
        ark.write_bytes(good[:4000])
        done = run(*SHORT, "--exp", tmp_path, "--stage", 3, expect=1)
    finally:
        ark.write_bytes(good)  # others have it, too
    assert "The features of '" in done.stderr and "Run stage 2 again" in done.stderr


class Evil:
    def __reduce__(self):
        return os.system, ("touch evil",)


def test_a_model_with_a_pickle_in_it_runs_nothing(copy):
    (copy / "plain/model.safetensors").write_bytes(pickle.dumps(Evil()))
    done = run("--recipe", "mini", "--exp", copy.parent, "--stage", 4, expect=1)
    assert "plain/model.safetensors is damaged" in done.stderr
    assert not (ROOT / "evil").exists()


def test_a_full_disk(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", disk], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("a small disk cannot be mounted here")
    try:
        run("--recipe", "mini", "--exp", disk, "--stop-stage", 1)
        filler = disk / "filler"
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as stream:
            while stream.write(b"0" * 4096):
                pass
        os.truncate(filler, filler.stat().st_size - 16384)
        done = run("--recipe", "mini", "--exp", disk, "--stage", 2, "--stop-stage", 2, expect=1)
        assert "No space left on device. Nothing is lost: free some space" in done.stderr
        assert len(done.stderr.split("cascade: ")[1].splitlines()) == 1
        assert (disk / "mini/manifests/train_ru.jsonl.gz").stat().st_size > 0
        assert not list(disk.rglob("*.partial"))
        filler.unlink()
        run("--recipe", "mini", "--exp", disk, "--stop-stage", 2)
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    done = run("--recipe", "mini", "--exp", tmp_path / "file", "--stop-stage", 0, expect=1)
    assert done.stderr.strip().splitlines()[-1].startswith(f"cascade: {tmp_path / 'file'}")


def test_the_second_run_gets_the_process_of_the_first(copy):
    command = [str(ROOT / "run.sh"), *SHORT, "--exp", str(copy.parent), "--stage", "3", "--force"]
    command += ["--train.steps", "5000"]
    first = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        while "step" not in first.stderr.readline():
            assert first.poll() is None
        done = run(*SHORT, "--exp", copy.parent, "--stage", 4, "--force", expect=1)
        assert f"is in use by process {first.pid}, since 20" in done.stderr
    finally:
        first.kill()
        first.communicate()
    time.sleep(0.2)
    run(*SHORT, "--exp", copy.parent, "--stage", 5, "--stop-stage", 5, "--force")


NAMES = ["a b", "q'uo\"te", "se;mi", "-dash", "ко т", "$HOME `ls`", "per%cent", "star*", "#hash"]


def test_any_file_name_goes_through_all_of_the_stages(tmp_path, wav):
    """No name is taken for an option, a pattern or a command."""
    texts = ["да", "нет", "кот", "дом", "лес", "река", "поле", "море", "луг"]
    for part in ("train", "valid", "test"):
        rows = [f"{name}.wav\t{text} {part}" for name, text in zip(NAMES, texts, strict=True)]
        rows = [row.replace("train", "раз").replace("valid", "два") for row in rows]
        rows = [row.replace(" test", " три").replace("test", "три") for row in rows]
        folder = tmp_path / f"{part} of 'it'"
        for seed, name in enumerate(NAMES):
            wav(folder / f"{name}.wav", seconds=1.5, seed=seed)
        text = "\n".join(["path\ttext", *rows]) + "\n"
        (folder / "table.tsv").write_text(text, encoding="utf-8")
    recipe = tmp_path / "my recipe.yaml"
    recipe.write_text(
        "name: names\ntarget: ru\n"
        "datasets:\n"
        + "".join(
            f"  - {{role: {part}, language: ru, corpus: table, name: {part}_set,"
            f" path: \"{tmp_path}/{part} of 'it'\"}}\n"
            for part in ("train", "valid", "test")
        )
        + "languages: {ru: {letters: абвгдежзиклмнопрстуфьюя, voice: ru}}\n"
        "systems: {plain: {layers: [1], neurons: 8}}\n"
        "train: {steps: 3, valid_every: 3}\nlanguage_model: {order: 2}\n",
        encoding="utf-8",
    )
    done = run("--recipe", recipe, "--exp", tmp_path / "exp of $me")
    assert "test_set" in done.stdout
    text = (tmp_path / "exp of $me/names/plain/decode_test_set/words.txt").read_text()
    assert len(text.splitlines()) == len(NAMES)
    assert (tmp_path / "exp of $me/names/excluded.tsv").read_text().count("\n") == 1
