import dataclasses
from pathlib import Path

import numpy as np
import soundfile
from conftest import CYRILLIC

from cascade.audio import AudioInfo
from cascade.check import Checked, check_pronunciations, check_utterance, warnings
from cascade.corpus import Excluded, Utterance
from cascade.recipe import Language, Limits

RUSSIAN = Language(letters=CYRILLIC, voice="ru")


def checked(name="u", words="добрый день", speaker="anna", start=0.0, seconds=2.0, **other):
    """An utterance that passed, in a recording of its own."""
    info = AudioInfo(16000, 1, 160000)
    audio = other.pop("audio", Path(f"{name}.wav"))
    words = tuple(words.split())
    return Checked(name, audio, words, speaker, start, seconds, info, f"digest of {audio}", **other)


def check(path, text="добрый день", start=0.0, end=None):
    utterance = Utterance("u", path, text, "anna", start, end)
    return check_utterance((utterance, CYRILLIC, 16000, Limits()))


def test_a_good_utterance(wav, tmp_path):
    found = check(wav(tmp_path / "a.wav", seconds=1.0), "Добрый — день!")
    assert isinstance(found, Checked)
    assert (found.words, found.seconds, found.clipped) == (("добрый", "день"), 1.0, 0.0)


def test_silence_is_left_out_and_only_where_it_is(tmp_path):
    path = tmp_path / "a.wav"
    samples = np.concatenate([np.zeros(16000), 0.1 * np.sin(np.arange(16000))])
    soundfile.write(path, samples, 16000)
    found = check(path, end=1.0)
    assert isinstance(found, Excluded) and "silent" in found.reason
    assert isinstance(check(path, start=1.0), Checked)


def test_clipping_is_seen(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, np.clip(3 * np.sin(np.arange(16000) / 20), -1, 1), 16000)
    found = check(path)
    assert found.clipped > 0.3
    (said,) = warnings({"train_ru": [found]}, ["train_ru"])
    assert said == "train_ru: u is clipped: record with less gain"


def test_damage_in_the_middle_of_a_flac_is_found(tmp_path):
    path = tmp_path / "a.flac"
    soundfile.write(path, np.random.default_rng(0).uniform(-0.5, 0.5, 160000), 16000)
    content = bytearray(path.read_bytes())
    content[100_000:140_000] = bytes(40_000)
    path.write_bytes(content)
    assert isinstance(check(path), Excluded)


def test_more_phones_than_frames_are_left_out():
    kept, excluded = check_pronunciations(
        [checked("good"), checked("short", seconds=0.2)], RUSSIAN, stack=3
    )
    assert [item.id for item in kept] == ["good"]
    assert [item.id for item in excluded] == ["short"]
    assert "is it the right transcript?" in excluded[0].reason


def test_a_word_without_a_pronunciation_is_named():
    silent = dataclasses.replace(RUSSIAN, phone_map={"a": "", "ɑ": ""})
    kept, excluded = check_pronunciations([checked(words="день а")], silent, stack=3)
    assert not kept
    assert "no pronunciation for 'а'" in excluded[0].reason


def test_the_same_sentence_and_speaker_in_training_and_test():
    sets = {
        "train_ru": [checked("a", speaker="anna"), checked("b", "до свидания", "boris")],
        "test_ru": [checked("c", speaker="anna"), checked("d", "как дела", "clara")],
        "train_ext_en": [checked("e", speaker="anna")],
    }
    assert warnings(sets, ["train_ru"]) == [
        "test_ru: c is the same sentence as one of the training",
        "test_ru: a speaker is in the training, too: anna",
    ]


def test_a_copy_of_a_training_recording_under_another_name():
    sets = {
        "train_ru": [checked("a")],
        "test_ru": [
            dataclasses.replace(checked("b", "как дела", "clara"), digest="digest of a.wav")
        ],
    }
    (said,) = warnings(sets, ["train_ru"])
    assert said == "test_ru: b is the same recording as one of the training"


def test_unknown_speakers_are_not_taken_for_one():
    sets = {
        "train_ru": [checked("a", speaker="unknown")],
        "test_ru": [checked("b", "как дела", speaker="unknown")],
    }
    assert warnings(sets, ["train_ru"]) == []


def test_overlapping_segments_of_a_recording():
    tape = Path("tape.wav")
    segments = [(0.0, 2.0), (1.5, 2.0), (4.0, 1.0)]
    items = [
        checked(f"s{n}", f"слово {n}", start=start, seconds=seconds, audio=tape)
        for n, (start, seconds) in enumerate(segments)
    ]
    (said,) = warnings({"train_ru": items}, ["train_ru"])
    assert said == "train_ru: s1 is begun before another segment has ended"
    apart = [dataclasses.replace(item, audio=Path(f"{item.id}.wav")) for item in items]
    assert warnings({"train_ru": apart}, ["train_ru"]) == []
