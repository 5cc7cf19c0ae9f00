import itertools
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade.features.cmn import (
    RunningMean,
    online_cmn,
    read_cms_init,
    utterance_cmn,
    write_cms_init,
)
from cascade.runtime.errors import UserError


def kaldi_online_cmn(features, init, window, global_frames):
    """Kaldi's OnlineCmvn, frame by frame: ComputeStatsForFrame and SmoothOnlineCmvnStats."""
    out = np.zeros_like(features)
    for t in range(len(features)):
        total, count = np.zeros(features.shape[1]), 0.0
        for s in range(max(0, t - window + 1), t + 1):  # the window ends with the frame itself
            total += features[s]
            count += 1
        if count < window:
            from_global = min(window - count, global_frames)
            total += init * from_global
            count += from_global
        out[t] = features[t] - total / count
    return out


@pytest.mark.parametrize("frames", [1, 2, 9, 10, 11, 35])
@pytest.mark.parametrize(("window", "extra"), [(10, 4), (10, 10), (10, 0), (10, 99), (1, 5)])
def test_online_is_kaldis(frames, window, extra):
    random = np.random.default_rng(frames)
    features = random.normal(-8, 3, (frames, 3)).astype(np.float32)
    init = random.normal(-8, 1, 3)
    normalised = online_cmn(features, init, window, extra)
    assert normalised.dtype == np.float32 and normalised.shape == features.shape
    np.testing.assert_allclose(
        normalised, kaldi_online_cmn(features, init, window, extra), rtol=1e-5, atol=1e-5
    )


def test_online_with_kaldis_own_numbers_over_a_long_recording():
    features = np.random.default_rng(0).normal(-9, 2, (1300, 2)).astype(np.float32)
    init = np.array([-9.0, -8.0])
    expected = kaldi_online_cmn(features, init, 600, 200)
    np.testing.assert_allclose(online_cmn(features, init), expected, atol=1e-5)


def test_online_by_hand():
    features = np.array([[1.0], [2.0], [4.0]], dtype=np.float32)
    # (1 + 10) / 2; window full: (1 + 2) / 2; then (2 + 4) / 2
    assert online_cmn(features, np.array([10.0]), 2, 1).tolist() == [[-4.5], [0.5], [1.0]]


def test_online_never_looks_ahead_and_leaves_its_input():
    features = np.random.default_rng(1).normal(size=(40, 4)).astype(np.float32)
    kept = features.copy()
    whole = online_cmn(features, np.zeros(4), 15, 5)
    for t in (1, 14, 15, 16, 39):
        np.testing.assert_array_equal(online_cmn(features[:t], np.zeros(4), 15, 5), whole[:t])
    np.testing.assert_array_equal(features, kept)


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(st.integers(1, 40), st.integers(1, 50), st.integers(0, 60), st.integers(0, 2**32 - 1))
def test_online_is_kaldis_for_any_setting(frames, window, extra, seed):
    random = np.random.default_rng(seed)
    features = random.normal(5, 4, (frames, 2)).astype(np.float32)
    init = random.normal(size=2)
    expected = kaldi_online_cmn(features, init, window, extra)
    np.testing.assert_allclose(online_cmn(features, init, window, extra), expected, atol=2e-5)


def test_the_first_frames_have_the_mean_of_all_of_them():
    features = np.array([[1.0], [2.0], [6.0], [9.0]], dtype=np.float32)
    usual, late = (online_cmn(features, np.array([0.0]), 9, 0, start) for start in (0, 3))
    assert late.tolist() == [[-2.0], [-1.0], [3.0], [4.5]]
    assert usual[2:].tolist() == late[2:].tolist() and usual[0] == 0
    short = online_cmn(features[:2], np.array([0.0]), 9, 0, 3)
    assert short.tolist() == [[-0.5], [0.5]]  # it never gets three


def test_utterance():
    features = np.array([[1, 10], [3, 20]], dtype=np.float32)
    normalised = utterance_cmn(features)
    assert normalised.tolist() == [[-1, -5], [1, 5]] and normalised.dtype == np.float32
    assert utterance_cmn(features[:1]).tolist() == [[0, 0]]


@pytest.mark.parametrize(("size", "lines"), [(1, [1]), (10, [10]), (13, [10, 3]), (40, [10] * 4)])
def test_cms_init_file(tmp_path, size, lines):
    path = tmp_path / "feats" / "cms_init.json"
    mean = np.linspace(-12.34567, 3.00049, size)
    write_cms_init(path, mean)
    text = path.read_text()
    rows = text.splitlines()
    assert (rows[0], rows[-1], text[-1]) == ("[", "]", "\n")
    assert [row.count(".") for row in rows[1:-1]] == lines
    written = [value.strip() for row in rows[1:-1] for value in row.rstrip(",").split(",")]
    assert written == [f"{value:.3f}" for value in mean]
    assert len(json.loads(text)) == size
    np.testing.assert_allclose(read_cms_init(path), mean, atol=0.0005 + 1e-9)


def test_cms_init_is_the_same_after_a_round_trip(tmp_path):
    path = tmp_path / "cms_init.json"
    write_cms_init(path, np.random.default_rng(0).normal(-8, 3, 40))
    first = path.read_bytes()
    write_cms_init(path, read_cms_init(path))
    assert path.read_bytes() == first
    assert read_cms_init(path).dtype == np.float64


@pytest.mark.parametrize("text", [None, "", "[1.0, 2.0", '["a"]', "\xff"])
def test_a_file_that_is_no_cms_init(tmp_path, text):
    path = tmp_path / "cms_init.json"
    if text is not None:
        path.write_text(text, encoding="latin-1")
    with pytest.raises(UserError, match=r"not a cms-init vector.*Run stage 2"):
        read_cms_init(path)


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(
    st.lists(st.integers(0, 30), max_size=8),
    st.integers(1, 50),
    st.integers(0, 60),
    st.integers(0, 100),
    st.integers(0, 2**32 - 1),
)
def test_a_running_mean_in_pieces_is_that_of_the_whole(sizes, window, extra, start, seed):
    random = np.random.default_rng(seed)
    features = random.normal(-8, 4, (sum(sizes), 2)).astype(np.float32)
    init = random.normal(size=2)
    mean, places = RunningMean(init, window, extra, start), np.cumsum([0, *sizes])
    pieces = [mean(features[a:b]) for a, b in itertools.pairwise(places)]
    whole = np.concatenate([np.zeros((0, 2), np.float32), *pieces, mean.finish()])
    np.testing.assert_array_equal(whole, online_cmn(features, init, window, extra, start))
