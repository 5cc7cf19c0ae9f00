import struct

import numpy as np
import pytest
import soundfile

from cascade.audio import AudioInfo, inspect, read
from cascade.errors import UserError


def test_a_good_wav(tmp_path, wav):
    info = inspect(wav(tmp_path / "a.wav", seconds=0.75, rate=8000, channels=2))
    assert info == AudioInfo(rate=8000, channels=2, samples=6000)
    assert info.seconds == 0.75


@pytest.mark.parametrize("suffix", ["flac", "ogg"])
def test_other_formats(tmp_path, wav, suffix):
    assert inspect(wav(tmp_path / f"a.{suffix}", seconds=0.5)).samples == 8000


def test_one_sample_is_enough(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(1), 16000)
    assert inspect(tmp_path / "a.wav").samples == 1


def refused(path, reason):
    with pytest.raises(UserError, match=reason) as caught:
        inspect(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_missing_and_folder(tmp_path):
    refused(tmp_path / "none.wav", "is missing")
    refused(tmp_path, "is missing")


def test_empty_file(tmp_path):
    (tmp_path / "a.wav").touch()
    refused(tmp_path / "a.wav", "cannot be read")


def test_no_samples(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(0), 16000)
    refused(tmp_path / "a.wav", "holds no samples")


@pytest.mark.parametrize("content", [b"garbage " * 500, b"RIFF", b"\0" * 2000, b"RIFF....WAVEfmt "])
def test_garbage(tmp_path, content):
    (tmp_path / "a.wav").write_bytes(content)
    refused(tmp_path / "a.wav", "cannot be read")


@pytest.mark.parametrize("lost", [1, 2, 8000])
def test_half_a_wav(tmp_path, wav, lost):
    path = wav(tmp_path / "a.wav", seconds=0.5)
    path.write_bytes(path.read_bytes()[:-lost])
    refused(path, f"truncated: {lost} bytes are missing")


def test_a_truncated_wav_with_a_chunk_before_its_data(tmp_path, wav):
    path = wav(tmp_path / "a.wav", seconds=0.5)
    whole = path.read_bytes()
    odd = b"junk" + struct.pack("<I", 3) + b"abc\0"  # of odd length, so padded
    with_chunk = whole[:36] + odd + whole[36:]
    assert whole[36:40] == b"data"
    path.write_bytes(with_chunk)
    assert inspect(path).samples == 8000
    path.write_bytes(with_chunk[:-100])
    refused(path, "truncated: 100 bytes")


@pytest.mark.parametrize("length", [0xFFFFFFFF])
def test_a_wav_from_a_pipe_does_not_know_its_length(tmp_path, wav, length):
    path = wav(tmp_path / "a.wav", seconds=0.5)
    whole = path.read_bytes()
    path.write_bytes(whole[:40] + struct.pack("<I", length) + whole[44:])
    assert inspect(path).samples == 8000


def test_half_a_flac(tmp_path, wav):
    path = wav(tmp_path / "a.flac", seconds=2)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    refused(path, "cannot be read|truncated")


def test_read_gives_the_part_asked_for(tmp_path, wav):
    path = wav(tmp_path / "a.wav", seconds=1)
    whole, _ = soundfile.read(path, dtype="float32")
    np.testing.assert_array_equal(read(path, 16000, 0, 1), whole)
    part = read(path, 16000, 0.25, 0.5)
    assert part.dtype == np.float32
    np.testing.assert_array_equal(part, whole[4000:12000])


def test_read_checks_rate_and_channels(tmp_path, wav):
    with pytest.raises(UserError, match=r"8000 Hz and 1 channels.*stage 0"):
        read(wav(tmp_path / "a.wav", rate=8000), 16000, 0, 0.5)
    with pytest.raises(UserError, match=r"16000 Hz and 2 channels.*stage 0"):
        read(wav(tmp_path / "b.wav", channels=2), 16000, 0, 0.5)


def test_read_of_what_is_no_longer_there(tmp_path, wav):
    path = wav(tmp_path / "a.wav", seconds=1)
    with pytest.raises(UserError, match=r"shorter.*stage 0"):
        read(path, 16000, 0.5, 0.6)
    with pytest.raises(UserError, match=r"cannot be read.*stage 0"):
        read(path, 16000, 2.0, 0.5)
    path.unlink()
    with pytest.raises(UserError, match=r"cannot be read.*stage 0"):
        read(path, 16000, 0, 1)
