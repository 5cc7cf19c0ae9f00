import pickle
from pathlib import Path

import kaldiio
import numpy as np
import pytest

from cascade.corpora.kaldi_archives import read_features, size_mismatch
from cascade.runtime.errors import UserError


def test_a_matrix_and_a_part_of_it(tmp_path):
    ark, matrix = tmp_path / "a.ark", np.arange(12, dtype=np.float64).reshape(4, 3)
    with kaldiio.WriteHelper(f"ark,scp:{ark},{tmp_path}/a.scp") as writer:
        writer("a", matrix)
    where = (tmp_path / "a.scp").read_text().split()[1]
    features = read_features(where)
    assert features.dtype == np.float32 and features.tolist() == matrix.tolist()
    assert read_features(f"{where}[1:2]").tolist() == matrix[1:3].tolist()


def test_no_command_is_run(tmp_path):
    with pytest.raises(UserError, match="the output of a command"):
        read_features(f"touch {tmp_path}/run |")
    assert not (tmp_path / "run").exists()


def test_no_pickle_is_loaded(tmp_path):
    class Command:
        def __reduce__(self):
            return Path.touch, (tmp_path / "run",)

    (tmp_path / "p.ark").write_bytes(b"a PKL" + pickle.dumps(Command()))
    with pytest.raises(UserError, match="it is a pickle, which could run commands"):
        read_features(f"{tmp_path}/p.ark:2")
    assert not (tmp_path / "run").exists()


def test_what_is_not_a_matrix(tmp_path):
    with pytest.raises(UserError, match=r"none.ark:5 cannot be read"):
        read_features(f"{tmp_path}/none.ark:5")
    kaldiio.save_ark(str(tmp_path / "v.ark"), {"v": np.ones(3, np.float32)})
    with pytest.raises(UserError, match="there is no feature matrix"):
        read_features(f"{tmp_path}/v.ark:2")


def test_features_of_two_sizes():
    assert size_mismatch({"train_ru": 40, "test_ru": 40}) is None
    message = size_mismatch({"train_ru": 40, "valid_ru": 40, "test_ru": 13})
    assert "features of train_ru have 40 values a frame, those of test_ru 13." in message
