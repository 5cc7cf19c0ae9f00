import numpy as np
import pytest
import soundfile

from cascade.runtime.errors import UserError
from local.helpers import resampling


def tone(hertz: float, rate: int, seconds: float, size: float = 0.5) -> np.ndarray:
    """(N, 1) samples of a sine."""
    return size * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)[:, None]


@pytest.mark.parametrize("source", [22050, 44100, 16000, 8000])
def test_resampling_keeps_a_tone_and_mixes_the_channels(source):
    both = np.hstack([tone(1000, source, 0.5, 0.6), tone(1000, source, 0.5, 0.2)])
    mono = resampling.mono(both, source, 16000)
    wanted = np.rint(tone(1000, 16000, 0.5, 0.4)[:, 0] * 32768)
    assert mono.dtype == np.int16 and len(mono) == len(wanted) == 8000
    assert np.abs(mono - wanted)[200:-200].max() < 33  # a thousandth of full scale


def test_resampling_lets_nothing_fold_over():
    folded = resampling.mono(tone(10000, 22050, 0.5), 22050, 16000)  # would be at 6 kHz
    assert np.abs(folded[200:-200]).max() < 33
    assert len(resampling.mono(np.zeros((0, 2)), 22050, 16000)) == 0
    assert resampling.mono(np.array([[1.5], [-1.5]]), 8000, 8000).tolist() == [32767, -32768]


def test_resampled_folder_is_the_same_each_time_and_made_once(tmp_path):
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (4410, 2))
    files = {"a": tmp_path / "a.ogg"}
    soundfile.write(files["a"], noise, 44100)
    made = [
        resampling.folder(files, tmp_path / name, "source\n", 16000, jobs) / "a.wav"
        for name, jobs in (("one", 1), ("two", 3))
    ]
    assert made[0].read_bytes() == made[1].read_bytes()
    before = made[0].stat().st_mtime_ns
    resampling.folder(files, tmp_path / "one", "source\n", 16000, 1)
    assert made[0].stat().st_mtime_ns == before
    resampling.folder(files, tmp_path / "one", "source\n", 8000, 1)
    assert soundfile.info(made[0]).samplerate == 8000
    files["a"].write_bytes(b"nonsense")
    with pytest.raises(UserError, match=r"a\.ogg cannot be read"):
        resampling.folder(files, tmp_path / "three", "source\n", 16000, 1)
    assert not (tmp_path / "three").exists()


def test_dither_and_rate():
    silent = resampling.dithered(np.zeros(441), "one", 22050, 16000)
    assert silent.dtype == np.int16 and silent.shape == (320,)
    assert set(np.abs(silent)) == {1, 2}
    assert np.array_equal(silent, resampling.dithered(np.zeros(441), "one", 22050, 16000))
    assert not np.array_equal(silent, resampling.dithered(np.zeros(441), "two", 22050, 16000))
    loud = resampling.dithered(np.array([1.5, -1.5, 0.5]), "one", 16000, 16000)
    assert loud[0] == 32767 and loud[1] == -32768 and abs(int(loud[2]) - 16384) <= 2
