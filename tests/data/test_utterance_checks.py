from pathlib import Path

import kaldiio
import numpy as np
import pytest
import soundfile
from support import CYRILLIC

from cascade.config.sections import Language, Limits
from cascade.corpora.audio import AudioInfo
from cascade.corpora.corpus import Excluded, Utterance
from cascade.data.utterance_checks import (
    CheckedUtterance,
    Rules,
    check_pronunciation,
    check_utterance,
)
from cascade.runtime.stamp import digest
from cascade.text.lexicon import look_up

RUSSIAN = Language(letters=CYRILLIC, voice="ru")


def checked(name="u", words="добрый день", speaker="anna", start=0.0, seconds=2.0, **other):
    """An utterance that passed, in a recording of its own."""
    info = AudioInfo(16000, 1, 160000)
    audio = other.pop("audio", Path(f"{name}.wav"))
    words = tuple(words.split())
    digest = f"digest of {audio}"
    return CheckedUtterance(name, audio, words, speaker, start, seconds, info, digest, **other)


def check(path, text="добрый день", start=0.0, end=None, **other):
    utterance = Utterance("u", path, text, "anna", start, end, **other)
    result, known = check_utterance(utterance, Rules(RUSSIAN, 16000, Limits()))
    assert known == digest(path)
    return result


def test_a_good_utterance(wav, tmp_path):
    result = check(wav(tmp_path / "a.wav", seconds=1.0), "Добрый — день!")
    assert isinstance(result, CheckedUtterance)
    assert (result.words, result.seconds, result.clipped) == (("добрый", "день"), 1.0, 0.0)


def test_a_speakers_name_is_one_field(wav, tmp_path):
    path, rules = wav(tmp_path / "a.wav", seconds=1.0), Rules(RUSSIAN, 16000, Limits())
    for name, kept in (("Anna  Maria B", "Anna_Maria_B"), (" ", "unknown"), ("", "unknown")):
        result, _ = check_utterance(Utterance("u", path, "да", name), rules)
        assert result.speaker == kept


def test_silence_is_left_out_and_only_where_it_is(tmp_path):
    path = tmp_path / "a.wav"
    samples = np.concatenate([np.zeros(16000), 0.1 * np.sin(np.arange(16000))])
    soundfile.write(path, samples, 16000)
    result = check(path, end=1.0)
    assert isinstance(result, Excluded) and "silent" in result.reason
    assert isinstance(check(path, start=1.0), CheckedUtterance)


def test_a_transcript_with_what_is_no_word_is_not_taken(wav, tmp_path):
    result = check(wav(tmp_path / "a.wav", seconds=1.0), "да [смех] нет")
    assert result == Excluded("u", "'[смех]' in the transcript is not a word", selection=True)


def test_samples_that_are_no_numbers(tmp_path):
    path = tmp_path / "a.wav"
    samples = np.sin(np.arange(16000) / 20)
    samples[8000] = np.nan
    soundfile.write(path, samples, 16000, subtype="FLOAT")
    assert check(path) == Excluded("u", f"{path} contains samples that are not numbers", 1.0)


def test_clipping_is_seen(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, np.clip(3 * np.sin(np.arange(16000) / 20), -1, 1), 16000)
    result = check(path)
    assert result.clipped > 0.3


def test_damage_in_the_middle_of_a_flac_is_result(tmp_path):
    path = tmp_path / "a.flac"
    soundfile.write(path, np.random.default_rng(0).uniform(-0.5, 0.5, 160000), 16000)
    content = bytearray(path.read_bytes())
    content[100_000:140_000] = bytes(40_000)
    path.write_bytes(content)
    assert isinstance(check(path), Excluded)


@pytest.mark.parametrize("channel", [0, 1, None])
def test_silence_of_the_channel_that_is_taken(tmp_path, channel):
    path = tmp_path / "a.wav"
    speech = 0.1 * np.sin(np.arange(16000))
    soundfile.write(path, np.stack([np.zeros(16000), speech], axis=1), 16000)
    result = check(path, channel=channel)
    assert isinstance(result, Excluded if channel == 0 else CheckedUtterance)
    if channel != 0:
        assert result.mixed_channels == (2 if channel is None else 0)


@pytest.fixture
def archive(tmp_path):
    """Writes matrices into an archive; gives what an scp has of each."""

    def archive(**matrices):
        path = tmp_path / "a.ark"
        with kaldiio.WriteHelper(f"ark,scp:{path},{tmp_path}/a.scp") as writer:
            for name, matrix in matrices.items():
                writer(name, np.float32(matrix))
        lines = (tmp_path / "a.scp").read_text().splitlines()
        return path, dict(line.split(" ", 1) for line in lines)

    return archive


def test_ready_features(archive):
    path, where = archive(u=np.random.default_rng(0).normal(size=(150, 13)))
    result = check(path, features=where["u"])
    assert (result.seconds, result.feature_size, result.info, result.words) == (
        1.5,
        13,
        None,
        ("добрый", "день"),
    )


@pytest.mark.parametrize(
    ("matrix", "reason"),
    [
        (np.full((150, 13), np.nan), "values that are not numbers"),
        (np.zeros((10, 13)), "0.10 s is not within"),
    ],
)
def test_features_that_do_not_do(archive, matrix, reason):
    path, where = archive(u=matrix)
    assert reason in check(path, features=where["u"]).reason


def test_features_that_cannot_be_read(archive):
    path, where = archive(u=np.zeros((150, 13)))
    path.write_bytes(path.read_bytes()[:1000])
    assert "cannot be read" in check(path, features=where["u"]).reason
    assert "cannot be read" in check(path, features=f"{path}:999999").reason
    assert "output of a command" in check(path, features="echo |").reason


def test_more_phones_than_frames_are_left_out():
    lexicon = look_up({"добрый", "день"}, RUSSIAN)
    assert check_pronunciation(checked(), lexicon, stack=3) is None
    reason = check_pronunciation(checked(seconds=0.2), lexicon, stack=3).reason
    assert "is it the right transcript?" in reason


def test_a_word_without_a_pronunciation_is_named():
    left_out = check_pronunciation(checked(words="день а"), {"день": ("d",), "а": ()}, stack=3)
    assert "no pronunciation for 'а'" in left_out.reason


@pytest.mark.parametrize(("text", "fixable"), [("дoбрый день", True), ("dobry день", False)])
def test_letters_that_look_alike_are_an_error_with_a_way_out(wav, tmp_path, text, fixable):
    path = wav(tmp_path / "a.wav", seconds=1.0)
    reason = check(path, text).reason
    assert "letters that the language does not have" in reason
    assert ("'confusables: fix' in the data set replaces them" in reason) == fixable
    rules = Rules(RUSSIAN, 16000, Limits(), fix=True)
    result, _ = check_utterance(Utterance("u", path, text, "anna"), rules)
    if fixable:
        assert result.words == ("добрый", "день")
        assert result.changes == {"look-alike letters replaced": 1}
    else:
        assert isinstance(result, Excluded)


def test_what_is_dropped_is_counted(wav, tmp_path):
    result = check(wav(tmp_path / "a.wav", seconds=1.0), "д+обрый д+ень")
    assert (result.words, result.changes) == (("добрый", "день"), {"stress marks dropped": 2})


def test_numbers_become_words_if_the_recipe_says_so(wav, tmp_path):
    path = wav(tmp_path / "a.wav", seconds=1.0)
    assert (
        "digits in '5': write numbers as words, or 'numbers: words'" in check(path, "5 дней").reason
    )
    rules = Rules(RUSSIAN, 16000, Limits(), numbers=True)
    result, _ = check_utterance(Utterance("u", path, "5 дней", "anna"), rules)
    assert result.words == ("пять", "дней")
    assert result.changes == {"numbers written as words, in the nominative": 1}
    left, _ = check_utterance(Utterance("u", path, "5 %", "anna"), rules)
    assert "digits in '5'" in left.reason
