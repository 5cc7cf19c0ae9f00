import os
import struct
import tempfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade.corpora.audio import AudioInfo, inspect, read
from cascade.runtime.errors import UserError


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


def test_a_name_that_is_not_utf_8(tmp_path, wav):
    path = tmp_path / os.fsdecode(b"caf\xe9.wav")
    wav(tmp_path / "a.wav").rename(path)
    refused(path, "is not UTF-8: rename it")


def test_a_few_bytes_of_a_header(tmp_path):
    (tmp_path / "a.au").write_bytes(b".snd\0\0")
    assert inspect(tmp_path / "a.au").samples < 10


def test_empty_file(tmp_path):
    (tmp_path / "a.wav").touch()
    refused(tmp_path / "a.wav", "cannot be read")


def test_no_samples(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(0), 16000)
    refused(tmp_path / "a.wav", "has no samples")


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
    content = path.read_bytes()
    odd = b"junk" + struct.pack("<I", 3) + b"abc\0"  # of odd length, so padded
    with_chunk = content[:36] + odd + content[36:]
    assert content[36:40] == b"data"
    path.write_bytes(with_chunk)
    assert inspect(path).samples == 8000
    path.write_bytes(with_chunk[:-100])
    refused(path, "truncated: 100 bytes")


@pytest.mark.parametrize("length", [0xFFFFFFFF, 0x80000000, 0x7FFFF000])
def test_a_wav_from_a_pipe_does_not_know_its_length(tmp_path, wav, length):
    path = wav(tmp_path / "a.wav", seconds=0.5)
    content = path.read_bytes()
    path.write_bytes(content[:40] + struct.pack("<I", length) + content[44:])
    assert inspect(path).samples == 8000


@pytest.mark.parametrize("suffix", ["sph", "au", "aiff"])
@pytest.mark.parametrize("coding", ["PCM_16", "ULAW"])
def test_half_of_other_uncompressed_files(tmp_path, suffix, coding):
    path = tmp_path / f"a.{suffix}"
    form = {"sph": "NIST"}.get(suffix, suffix.upper())
    soundfile.write(path, np.full((8000, 2), 0.1), 16000, format=form, subtype=coding)
    assert inspect(path).samples == 8000
    path.write_bytes(path.read_bytes()[:-100])
    refused(path, "truncated: 100 bytes")


def test_samples_without_a_header(tmp_path):
    (tmp_path / "a.raw").write_bytes(bytes(1000))
    refused(tmp_path / "a.raw", "cannot be read .it has no header: convert it to wav")


def test_half_a_flac(tmp_path, wav):
    path = wav(tmp_path / "a.flac", seconds=2)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    refused(path, "cannot be read|truncated")


def test_read_gives_the_part_asked_for(tmp_path, wav):
    path = wav(tmp_path / "a.wav", seconds=1)
    complete, _ = soundfile.read(path, dtype="float32")
    np.testing.assert_array_equal(read(path, 16000, 0, 1), complete)
    part = read(path, 16000, 0.25, 0.5)
    assert part.dtype == np.float32
    np.testing.assert_array_equal(part, complete[4000:12000])


TONE = 440.0  # Hz
FORMATS = {  # codec, container (by the suffix where None), rate
    "a.wav": ("pcm_s16le", None, 16000),
    "a.flac": ("flac", None, 22050),
    "a.mp3": ("libmp3lame", None, 48000),
    "b.mp3": ("libmp3lame", None, 32000),
    "a.ogg": ("libopus", None, 48000),
    "a.opus": ("libopus", None, 16000),
    "a.m4a": ("aac", None, 44100),
    "a.g722": ("g722", None, 16000),
    "a.webm": ("libopus", None, 48000),
}


def pitch(samples, rate):
    """The frequency in Hz with the most energy."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return np.argmax(spectrum) * rate / len(samples)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_recipes_rate(tmp_path, encode, name):
    codec, container, rate = FORMATS[name]
    tone = 0.3 * np.sin(2 * np.pi * TONE * np.arange(2 * rate) / rate)
    path = encode(tmp_path / name, tone, rate, codec, container)
    info = inspect(path)
    assert info.channels == 1 and info.seconds == pytest.approx(2, abs=0.05)
    samples = read(path, 8000, 0, info.seconds)
    assert samples.dtype == np.float32 and len(samples) == pytest.approx(8000 * info.seconds, abs=1)
    assert pitch(samples[2000:14000], 8000) == pytest.approx(TONE, abs=1)
    assert np.abs(samples[2000:14000]).max() == pytest.approx(0.3, abs=0.06)
    np.testing.assert_array_equal(samples, read(path, 8000, 0, info.seconds))


@pytest.mark.parametrize("subtype", ["PCM_16", "ULAW"])
def test_sphere(tmp_path, subtype):
    tone = 0.3 * np.sin(2 * np.pi * TONE * np.arange(8000) / 8000)
    soundfile.write(tmp_path / "a.sph", tone, 8000, format="NIST", subtype=subtype)
    assert inspect(tmp_path / "a.sph") == AudioInfo(8000, 1, 8000)
    assert pitch(read(tmp_path / "a.sph", 16000, 0, 1), 16000) == pytest.approx(TONE, abs=1)


@pytest.mark.parametrize("name", ["a.mp3", "a.ogg", "a.m4a", "a.flac", "a.g722", "a.webm"])
def test_parts_are_the_same_in_any_order(tmp_path, encode, name):
    """Decoders of lossy formats are not the same after a seek."""
    codec, container, rate = FORMATS[name]
    noise = 0.1 * np.random.default_rng(0).standard_normal(6 * rate)
    path = encode(tmp_path / name, noise, rate, codec, container)
    complete = read(path, rate, 0, inspect(path).seconds)
    for start in (4.0, 1.0, 1.5, 4.5, 0.0):
        part = read(path, rate, start, 1.25)
        begin = round(start * rate)
        np.testing.assert_allclose(part, complete[begin : begin + len(part)], atol=1e-6)
        assert len(part) == round(1.25 * rate)


def test_channels_are_chosen_or_mixed(tmp_path):
    left, right = (np.full(16000, value) for value in (0.5, 0.25))
    path = tmp_path / "a.wav"
    soundfile.write(path, np.stack([left, right], axis=1), 16000, subtype="FLOAT")
    assert inspect(path).channels == 2
    for channel, value in ((0, 0.5), (1, 0.25), (None, 0.375)):
        np.testing.assert_array_equal(read(path, 16000, 0, 1, channel), np.float32([value] * 16000))
    with pytest.raises(UserError, match=r"no channel 2\.$"):
        read(path, 16000, 0, 1, 2)


@given(st.sampled_from([8000, 11025, 22050, 44100, 48000]), st.integers(1600, 40000))
@settings(deadline=None, max_examples=30)
def test_any_length_is_read_to_its_end_at_another_rate(rate, length):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.wav"
        soundfile.write(path, np.zeros(length), rate)
        seconds = round(length / rate, 6)
        assert abs(len(read(path, 16000, 0, seconds)) - seconds * 16000) <= 1


@pytest.mark.parametrize(
    "lines",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile private.wav\n",
    ],
)
def test_a_playlist_is_no_audio(tmp_path, wav, lines):
    wav(tmp_path / "private.wav")
    (tmp_path / "a.m4a").write_text(lines)
    refused(tmp_path / "a.m4a", "cannot be read")


def test_half_an_mp3(tmp_path, encode):
    noise = 0.1 * np.random.default_rng(0).standard_normal(96000)
    path = encode(tmp_path / "a.mp3", noise, 32000, "libmp3lame")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    refused(path, "truncated")


def test_read_of_what_is_no_longer_there(tmp_path, wav):
    path = wav(tmp_path / "a.wav", seconds=1)
    with pytest.raises(UserError, match=r"a\.wav has 0\.50 s there, not 0\.60 s\.$"):
        read(path, 16000, 0.5, 0.6)
    with pytest.raises(UserError, match=r"a\.wav has 0\.00 s there, not 0\.50 s\.$"):
        read(path, 16000, 2.0, 0.5)
    path.unlink()
    with pytest.raises(UserError, match=r"a\.wav cannot be read \("):
        read(path, 16000, 0, 1)


@pytest.mark.parametrize(
    ("form", "suffix", "said"),
    [
        ("WAV", "wav", 0),
        ("WAV", "wav", 36),
        ("WAVEX", "wav", 72),
        ("RF64", "wav", 96),
        ("AU", "au", 0),
    ],
)
def test_a_header_that_was_never_finished(tmp_path, form, suffix, said):
    path = tmp_path / f"a.{suffix}"
    samples = 0.3 * np.sin(np.arange(8000) / 9)
    soundfile.write(path, samples, 16000, format=form, subtype="PCM_16")
    content = bytearray(path.read_bytes())
    if form == "AU":
        content[8:12] = bytes(4)
    else:
        place = content.index(b"data") + 4
        content[4:8], content[place : place + 4] = struct.pack("<I", said), bytes(4)
    if form == "RF64":
        place = content.index(b"ds64") + 8
        content[place : place + 24] = bytes(24)
    path.write_bytes(content)
    assert inspect(path) == AudioInfo(16000, 1, 8000, unfinished=True)
    assert np.allclose(read(path, 16000, 0.25, 0.25), samples[4000:], atol=1e-4)


def test_a_finished_header_without_samples(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(0), 16000)
    content = bytearray((tmp_path / "a.wav").read_bytes()) + b"LIST\x04\0\0\0INFO"
    content[4:8] = struct.pack("<I", len(content) - 8)
    (tmp_path / "a.wav").write_bytes(content)
    refused(tmp_path / "a.wav", "has no samples")


def test_the_decoder_of_mp3_writes_nothing_on_the_screen(tmp_path, capfd):
    path = tmp_path / "a.mp3"
    soundfile.write(path, 0.3 * np.sin(np.arange(160000) / 9), 16000)
    content = path.read_bytes()
    with soundfile.SoundFile(path) as audio:
        samples = audio.frames
    path.write_bytes(content + content[len(content) // 2 :] * 2)  # longer than its header says
    assert inspect(path).samples >= samples
    read(path, 16000, 0.0, 1.0)
    read(path, 16000, 1.0, 1.0)
    assert capfd.readouterr() == ("", "")
