import hashlib
import os
import subprocess
import sys

import kaldiio
import numpy as np
import pytest
from support import write_jsonl_gz

from cascade.features import store
from cascade.runtime.errors import UserError
from cascade.runtime.files import read_jsonl_gz
from cascade.runtime.project import ROOT


@pytest.fixture
def speech(tmp_path, wav):
    """Writes a list of utterances as stage 0 leaves it."""

    def speech(count=5, folder="audio", name="speech"):
        rows = []
        for n in range(count):
            path = wav(tmp_path / folder / f"{n}.wav", seconds=0.3 + 0.1 * n, seed=n)
            sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
            row = {"id": f"u{n}", "audio": str(path), "sha256": sha256}
            rows.append(row | {"start": 0.0, "duration": 0.3 + 0.1 * n, "channel": 0})
        write_jsonl_gz(tmp_path / f"{name}.jsonl.gz", rows)
        return tmp_path / f"{name}.jsonl.gz"

    return speech


@pytest.fixture
def provide(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "SHARD", 2)

    def provide(speech, rate=16000, filters=23, jobs=1, force=False):
        return store.provide(speech, "mine", tmp_path / "feats", rate, filters, jobs, force)

    return provide


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.glob("[!.s]*")}


def times(folder):
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("*.ark")}


def test_a_row_for_each_utterance(speech, provide):
    features = provide(speech())
    assert features.reason == "it is new" and features.folder.name.startswith("mine.")
    assert sorted(contents(features.folder)) == [
        "1.ark",
        "2.ark",
        "3.ark",
        "feats.scp",
        "index.jsonl.gz",
    ]
    matrices = kaldiio.load_scp(str(features.folder / "feats.scp"))
    rows = list(store.rows(features.folder))
    assert [row["id"] for row in rows] == list(matrices) == [f"u{n}" for n in range(5)]
    for row in rows:
        matrix = kaldiio.load_mat(row["at"])
        np.testing.assert_array_equal(matrix, matrices[row["id"]])
        assert matrix.shape == (row["frames"], row["dim"]) and row["dim"] == 23
        assert row["sha256"] == hashlib.sha256(matrix).hexdigest()
    assert set(features.files) == set(features.folder.glob("[!.s]*"))


def test_who_comes_second_finds_the_same_files(speech, provide):
    first = provide(speech())
    before = times(first.folder)
    second = provide(speech(), jobs=2)
    assert second.reason is None
    assert (second.folder, second.files) == (first.folder, first.files)
    assert times(first.folder) == before


def test_recordings_count_by_what_is_in_them(speech, provide, tmp_path):
    first = provide(speech())
    moved = provide(speech(folder="elsewhere", name="moved"))
    assert moved.folder == first.folder and moved.reason is None
    assert provide(speech(4, name="fewer")).folder != first.folder
    assert provide(speech(), filters=24).folder != first.folder
    assert provide(speech(), rate=8000).folder != first.folder


@pytest.mark.parametrize("key", ["id", "start", "duration", "channel", "sha256"])
def test_what_decides_the_bytes_decides_the_folder(speech, key):
    path = speech()
    before = store._digest_of(path)
    rows = list(read_jsonl_gz(path))
    rows[3][key] = "another"
    write_jsonl_gz(path, rows)
    assert store._digest_of(path) != before


def test_force_makes_the_same_again(speech, provide):
    first = provide(speech())
    before, when = contents(first.folder), times(first.folder)
    again = provide(speech(), jobs=2, force=True)
    assert again.reason == "it was requested" and contents(again.folder) == before
    assert times(again.folder) == when  # who has read them need not read them again


@pytest.mark.parametrize("damage", ["changed", "gone", "index", "stamp"])
def test_what_is_damaged_is_made_again(speech, provide, damage):
    first = provide(speech())
    before = contents(first.folder)
    if damage == "changed":
        (first.folder / "2.ark").write_bytes(b"nonsense")
    elif damage == "gone":
        (first.folder / "2.ark").unlink()
    elif damage == "index":
        (first.folder / "index.jsonl.gz").write_bytes(b"")
    else:
        (first.folder / "stamp.json").write_text("{")
    again = provide(speech())
    assert again.reason and again.folder == first.folder
    assert contents(again.folder) == before


def test_other_code_makes_them_again_under_the_same_name(speech, provide, monkeypatch):
    first = provide(speech())
    monkeypatch.setattr(store, "code_digests", lambda modules, packages: {"a.py": "d"})
    again = provide(speech())
    assert (again.folder, again.reason) == (first.folder, "the code changed: a.py")
    assert provide(speech()).reason is None


def test_a_failure_leaves_nothing_to_be_found(speech, provide, tmp_path, wav):
    path = speech()
    wav(tmp_path / "audio/4.wav", seed=9)
    with pytest.raises(UserError, match=r"4\.wav has changed"):
        provide(path)
    (folder,) = (tmp_path / "feats").iterdir()
    assert not (folder / "stamp.json").exists() and not list(folder.glob("*.partial"))
    assert provide(speech()).reason == "it is new"


MAKER = """
import sys
from pathlib import Path
from cascade.features import store
features = store.provide(Path(sys.argv[1]), "mine", Path(sys.argv[2]), 16000, 23, 1)
print(features.reason)
"""


def test_two_at_once_make_them_once(speech, tmp_path):
    command = [sys.executable, "-c", MAKER, speech(40), tmp_path / "feats"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) for _ in "ab"]
    reasons = sorted(process.communicate()[0].strip() for process in both)
    assert reasons == ["None", "it is new"]


def test_a_killed_maker_is_followed_by_another(speech, provide, tmp_path):
    path = speech()
    first = provide(path)
    before = contents(first.folder)
    (first.folder / "stamp.json").unlink()  # as a kill leaves it: some arks, one half written
    (first.folder / "3.ark").unlink()
    (first.folder / ".3.ark.partial").write_bytes(b"half")
    again = provide(path)
    assert contents(again.folder) == before
    assert not os.path.exists(first.folder / ".3.ark.partial")
