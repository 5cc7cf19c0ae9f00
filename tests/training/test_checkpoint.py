import os
import pickle
import threading

import pytest
import torch

from cascade.training import checkpoint
from cascade.training.checkpoint import Checkpoints


def state(step: int) -> dict:
    return {"step": step, "weights": torch.full((3,), float(step)), "history": [{"per": 1.5}]}


def saved(folder, *steps) -> Checkpoints:
    checkpoints = Checkpoints(folder)
    for step in steps:
        checkpoints.save(state(step))
    checkpoints.wait()
    return checkpoints


def test_the_last_two_are_kept_and_the_last_is_loaded(tmp_path):
    loaded = saved(tmp_path, 1, 2, 3).load()
    assert loaded["step"] == 3 and torch.equal(loaded["weights"], state(3)["weights"])
    assert sorted(os.listdir(tmp_path)) == ["last.pt", "previous.pt"]
    assert torch.load(tmp_path / "previous.pt", weights_only=True)["step"] == 2


def test_no_checkpoint_is_none(tmp_path):
    assert Checkpoints(tmp_path).load() is None


@pytest.mark.parametrize("damage", ["truncated", "garbage", "empty"])
def test_a_damaged_one_is_reported_and_the_one_before_is_used(tmp_path, caplog, damage):
    checkpoints = saved(tmp_path, 1, 2)
    path = tmp_path / "last.pt"
    content = path.read_bytes()
    path.write_bytes({"truncated": content[:700], "garbage": b"x" * 999, "empty": b""}[damage])
    assert checkpoints.load()["step"] == 1
    assert "last.pt is damaged" in caplog.text


def test_killed_between_the_two_renames_the_new_one_is_found(tmp_path):
    saved(tmp_path, 1, 2)
    (tmp_path / "last.pt").rename(tmp_path / "next.pt")
    assert Checkpoints(tmp_path).load()["step"] == 2


class Evil:
    def __reduce__(self):
        return os.mkdir, ("evil",)


def test_a_pickle_from_a_stranger_runs_nothing(tmp_path, monkeypatch, caplog):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "last.pt").write_bytes(pickle.dumps(Evil()))
    torch.save({"step": Evil()}, tmp_path / "previous.pt")
    assert Checkpoints(tmp_path).load() is None
    assert not (tmp_path / "evil").exists()
    assert "previous.pt is damaged" in caplog.text


def test_training_goes_on_while_a_checkpoint_is_written(tmp_path, monkeypatch):
    written, go = [], threading.Event()

    def slow(value, stream):
        go.wait(10)
        written.append(value)
        stream.write(b"done")

    monkeypatch.setattr(checkpoint.torch, "save", slow)
    checkpoints, now = Checkpoints(tmp_path), state(1)
    checkpoints.save(now)
    now["weights"].zero_()  # the next step of the training
    now["history"].append("more")
    go.set()
    checkpoints.wait()
    assert torch.equal(written[0]["weights"], torch.ones(3))
    assert written[0]["history"] == [{"per": 1.5}]


def test_a_failed_write_is_raised_and_leaves_what_was_there(tmp_path, monkeypatch):
    checkpoints = saved(tmp_path, 1)

    def full(value, stream):
        stream.write(b"half of it")
        raise OSError(28, "No space left on device", str(tmp_path / "next.pt"))

    with monkeypatch.context() as patched:
        patched.setattr(checkpoint.torch, "save", full)
        checkpoints.save(state(2))
        with pytest.raises(OSError, match="No space left"):
            checkpoints.wait()
    assert checkpoints.load()["step"] == 1
    assert os.listdir(tmp_path) == ["last.pt"]
