import pytest

from cascade.runtime.errors import UserError
from local.helpers import kokoro_speakers
from local.helpers.kokoro import VOICES
from local.helpers.kokoro_speakers import draw_speakers

ENGLISH = {voice for voice in VOICES if voice[0] in "ab"}


def test_the_voices_come_first_and_then_mixtures():
    few, all_voices, many = (draw_speakers("ru", "borrowed", n) for n in (10, 54, 570))
    assert {speaker.name for speaker in all_voices} == set(VOICES) > {s.name for s in few}
    mixtures = [speaker for speaker in many if speaker.second]
    assert len({speaker.name for speaker in many}) == 570 and len(mixtures) == 516
    assert all(s.first != s.second and 51 <= s.share <= 80 for s in mixtures)
    assert {s.first for s in mixtures} | {s.second for s in mixtures} == set(VOICES)
    assert any(speaker.second for speaker in many[:20])  # in the order of a hash
    assert draw_speakers("ru", "borrowed", 570) == many


def test_own_and_borrowed_voices_are_apart():
    own = draw_speakers("en-us", "own", 100)
    assert {speaker.first for speaker in own} == ENGLISH
    assert {speaker.second for speaker in own} - {""} <= ENGLISH
    borrowed = draw_speakers("en-us", "borrowed", 100)
    assert not ENGLISH & {name for s in borrowed for name in (s.first, s.second)}


def test_a_language_of_one_voice_is_mixed_with_any():
    french = draw_speakers("fr-fr", "own", 50)
    assert {speaker.first for speaker in french} == {"ff_siwis"}
    assert len({speaker.second[0] for speaker in french if speaker.second}) > 3


def test_which_voices_read_unless_the_recipe_says_so():
    assert [kokoro_speakers.usual(v) for v in ("en-us", "es-419", "cmn", "ru", "nl")] == [
        *("own", "own", "own"),
        *("borrowed", "borrowed"),
    ]


def test_a_language_without_voices_of_its_own():
    with pytest.raises(UserError, match=r"no voice of the language 'ru'\. Use 'voices: borrowed'"):
        draw_speakers("ru", "own", 5)
