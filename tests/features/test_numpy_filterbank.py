import numpy as np
import pytest

from cascade.features.filterbank import Filterbank
from cascade.features.numpy_filterbank import NumpyFilterbank


@pytest.mark.parametrize("rate", [8000, 16000, 22050])
@pytest.mark.parametrize("seconds", [0.2, 0.2037, 1.0049, 3.0])
def test_values_are_those_of_the_training(rate, seconds):
    random = np.random.default_rng(round(rate * seconds))
    samples = np.float32(0.1) * random.standard_normal(round(rate * seconds)).astype(np.float32)
    samples += np.float32(0.01)  # an offset, which is removed
    ours, theirs = (
        NumpyFilterbank(rate, 40).energies(samples),
        Filterbank(rate, 40).energies(samples),
    )
    assert ours.dtype == np.float32 and ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() < 2e-4  # Lhotse's filters are float32, these float64


def test_silence_has_the_least_energy():
    silence = np.zeros(8000, np.float32)
    ours, theirs = (kind(16000, 23).energies(silence) for kind in (NumpyFilterbank, Filterbank))
    assert np.array_equal(ours, theirs)
