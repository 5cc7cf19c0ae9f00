import hashlib

import kaldiio
import numpy as np
import pytest
import soundfile
from lhotse import Fbank, FbankConfig

from cascade.config.sections import FRAME_SHIFT, FRAMES_PER_SECOND
from cascade.features import filterbank
from cascade.features.filterbank import Filterbank
from cascade.runtime.errors import UserError


@pytest.fixture(autouse=True)
def nothing_known():
    """Digests are kept for a run of stage 2; a test is another one."""
    filterbank._sha256.cache_clear()


def row(path, **values):
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return {"id": "u", "audio": str(path), "sha256": digest, **values}


def test_they_are_lhotses_of_the_part(wav, tmp_path):
    path = wav(tmp_path / "a.wav", seconds=1)
    matrix = Filterbank(16000, 23).features(row(path, start=0.25, duration=0.5, channel=0))
    samples, rate = soundfile.read(path, dtype="float32")
    expected = Fbank(FbankConfig(num_filters=23)).extract(samples[4000:12000], rate)
    assert matrix.shape == (50, 23) and matrix.dtype == np.float32
    np.testing.assert_allclose(matrix, expected, atol=1e-5)


@pytest.mark.parametrize("rate", [8000, 16000, 22050])
@pytest.mark.parametrize("filters", [13, 40, 80])
def test_energies_are_those_of_lhotses_fbank(rate, filters):
    """Lhotse's spectra and filters are put together here: its own defaults are the measure."""
    samples = np.random.default_rng(filters).normal(0, 0.1, rate + 123).astype(np.float32)
    samples[: rate // 3] = 0  # the least energy
    expected = Fbank(FbankConfig(sampling_rate=rate, num_filters=filters)).extract(samples, rate)
    energies = Filterbank(rate, filters).energies(samples)
    assert energies.dtype == np.float32 and energies.shape == expected.shape
    np.testing.assert_allclose(energies, expected, atol=5e-6)


def test_a_frame_is_the_frame_shift_of_the_project():
    assert Filterbank(16000, 23).spectra.frame_shift == FRAME_SHIFT == 0.01
    assert len(Filterbank(16000, 23).energies(np.zeros(3 * 16000, np.float32))) == (
        3 * FRAMES_PER_SECOND
    )


def test_one_channel_or_the_mean_of_all(tmp_path):
    one, two = np.random.default_rng(0).normal(0, 0.1, (2, 8000))
    soundfile.write(tmp_path / "a.wav", np.stack([one, two], axis=1), 16000, subtype="FLOAT")
    soundfile.write(tmp_path / "mean.wav", (one + two) / 2, 16000, subtype="FLOAT")
    part = {"start": 0.0, "duration": 0.5}
    bank, stereo = Filterbank(16000, 40), tmp_path / "a.wav"
    mean = bank.features(row(tmp_path / "mean.wav", channel=0, **part))
    np.testing.assert_allclose(bank.features(row(stereo, channel=None, **part)), mean, atol=1e-3)
    assert not np.allclose(bank.features(row(stereo, channel=1, **part)), mean, atol=0.1)


def test_ready_features_are_as_they_are(tmp_path):
    matrix = np.random.default_rng(0).normal(size=(7, 13)).astype(np.float32)
    kaldiio.save_ark(str(tmp_path / "raw.ark"), {"u": matrix})
    ready = row(tmp_path / "raw.ark", features=f"{tmp_path}/raw.ark:2")
    np.testing.assert_array_equal(Filterbank(16000, 40).features(ready), matrix)


def test_a_file_that_is_another_or_gone(wav, tmp_path):
    path = wav(tmp_path / "a.wav")
    known = row(path, start=0.0, duration=0.5, channel=0)
    wav(path, seed=1)
    with pytest.raises(UserError, match=r"a\.wav has changed since stage 0 checked it"):
        Filterbank(16000, 40).features(known)
    filterbank._sha256.cache_clear()
    path.unlink()
    with pytest.raises(UserError, match=r"a\.wav has changed since stage 0 checked it"):
        Filterbank(16000, 40).features(known)


def test_samples_that_are_no_numbers(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, np.full(8000, np.nan, np.float32), 16000, subtype="FLOAT")
    with pytest.raises(UserError, match=r"Utterance 'u' .*a\.wav\) has features .* not finite"):
        Filterbank(16000, 40).features(row(path, start=0.0, duration=0.5, channel=0))
