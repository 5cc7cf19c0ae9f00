import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade.config.sections import Features
from cascade.features.cmn import RunningMean
from cascade.features.inputs import network_inputs
from cascade.features.numpy_filterbank import NumpyFilterbank
from cascade.streaming.step_features import StepFeatures

FILTERS = 20
MEAN = np.linspace(-9, -4, FILTERS)
SHORT = {"cmn_window": 30, "cmn_global": 10}


def in_pieces(features: Features, samples: np.ndarray, sizes: list[int]) -> np.ndarray:
    mean = RunningMean(MEAN, features.cmn_window, features.cmn_global, features.cmn_start)
    steps = StepFeatures(NumpyFilterbank(features.rate, FILTERS), features, mean)
    rows, at = [], 0
    for size in sizes:
        rows += steps.accept(samples[at : at + size])
        at += size
    rows += steps.accept(samples[at:])
    rows += steps.finish()
    return np.array(rows, np.float32).reshape(-1, FILTERS * features.stack)


def speech(samples: int) -> np.ndarray:
    random = np.random.default_rng(samples)
    loud = np.sin(np.arange(samples) / 2000) ** 2
    return (0.3 * loud * random.standard_normal(samples)).astype(np.float32)


@settings(max_examples=80, deadline=None, derandomize=True, database=None)
@given(
    st.integers(1000, 20000),
    st.lists(st.integers(0, 4000), max_size=12),
    st.sampled_from([0.0, 0.25, 0.5]),
    st.integers(1, 4),
    st.sampled_from([8000, 16000]),
    st.sampled_from([0, 1, 20]),
)
def test_pieces_of_any_size_give_the_features_of_the_whole(
    count, sizes, smooth, stack, rate, start
):
    settings = {"rate": rate, "stack": stack, "smooth": smooth, "cmn_start": start, **SHORT}
    features = Features(filters=FILTERS, **settings)
    samples = speech(count)
    whole = network_inputs(NumpyFilterbank(rate, FILTERS).energies(samples), features, MEAN)
    pieces = in_pieces(features, samples, sizes)
    assert pieces.shape == whole.shape
    assert np.abs(pieces - whole).max(initial=0.0) < 1e-4  # values are between -10 and 10
    assert np.array_equal(pieces, in_pieces(features, samples, []))  # to the last bit


@pytest.mark.parametrize("count", [0, 1, 60, 119, 120, 239])
def test_less_than_a_step_gives_nothing(count):
    assert len(in_pieces(Features(filters=FILTERS, stack=3), speech(count), [7])) == 0
