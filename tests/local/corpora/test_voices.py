import hashlib
import os
import signal
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from cascade.corpora import corpus
from cascade.corpora.corpus import CorpusRequest, Excluded, Reading, Utterance
from local.corpora import voices
from local.helpers import kokoro, kokoro_speakers

WORDS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
SECONDS = 1.2  # of every sentence, at speed 1


def words(sentence: str) -> tuple[str, ...]:
    """The words of a language that writes no digits."""
    return () if any(c.isdigit() for c in sentence) else tuple(sentence.lower().split())


@pytest.fixture
def request_(tmp_path, monkeypatch) -> CorpusRequest:
    """A hundred sentences in a file, and a voice that hums; the IPA is the sentence."""
    text = tmp_path / "text.txt"
    lines = [f"{a.title()} and {b}" for a in WORDS for b in WORDS]
    text.write_text("\n".join([*lines, "one AND one", "too short", "no 5 digits", "a " * 21]))
    (tmp_path / "kokoro").mkdir()

    def speak(folder, tokens, speaker, speed):
        assert folder == tmp_path / "kokoro"
        tone = 0.1 * np.sin(np.arange(round(24000 * SECONDS / speed)) / len(speaker.name))
        return tone.astype(np.float32)

    monkeypatch.setattr(kokoro, "install", lambda request: tmp_path / "kokoro")
    monkeypatch.setattr(kokoro, "speak", speak)
    letters = "abcdefghijklmnoprstuvwxyz "  # no q
    known = {letter: number for number, letter in enumerate(letters, 1)}
    monkeypatch.setattr(kokoro, "vocabulary", lambda folder: known)
    monkeypatch.setattr(voices, "version", lambda package: "1")
    reading = Reading("ru", (str(text),), words, list)
    options = {"voices": "borrowed", "speakers": 60, "minutes": 0.2}
    return CorpusRequest(
        tmp_path, tmp_path / "data", language="xx", options=options, reading=reading, jobs=2
    )


def spoken(request: CorpusRequest, **options) -> list[Utterance]:
    """What the corpus lists, all of it utterances."""
    request = replace(request, options={**request.options, **options})
    items = list(corpus.listing("voices", request))
    assert all(isinstance(item, Utterance) for item in items)
    return [item for item in items if isinstance(item, Utterance)]


def digests(items: list[Utterance]) -> dict[str, str]:
    return {i.audio.name: hashlib.sha256(i.audio.read_bytes()).hexdigest() for i in items}


def seconds(items: list[Utterance]) -> float:
    return sum(soundfile.info(item.audio).duration for item in items)


def test_sentences_are_read_once_by_all_speakers(request_):
    items = spoken(request_, minutes=1.3)
    assert 78 <= seconds(items) < 78 + SECONDS / 0.85
    assert items[0].id == "voices_xx-borrowed-000001" and items[0].audio.suffix == ".wav"
    assert len({item.text for item in items}) == len(items)
    assert all(len(item.text.split()) == 3 and item.text.islower() for item in items)
    speakers = [speaker.name for speaker in kokoro_speakers.draw_speakers("ru", "borrowed", 60)]
    assert [item.speaker for item in items] == (2 * speakers)[: len(items)]
    info = soundfile.info(items[0].audio)
    assert (info.samplerate, info.channels, info.subtype) == (16000, 1, "PCM_16")


def test_speeds_differ(request_):
    durations = [soundfile.info(item.audio).duration for item in spoken(request_, minutes=1.3)]
    assert min(durations) >= SECONDS / 1.2 - 0.001 and max(durations) <= SECONDS / 0.85 + 0.001
    assert max(durations) - min(durations) > 0.3


def test_bytes_do_not_depend_on_the_number_of_processes(request_, tmp_path):
    one = spoken(replace(request_, jobs=1))
    other = spoken(replace(request_, data=tmp_path / "other", jobs=3))
    assert digests(one) == digests(other) and len(one) > 8


def test_more_minutes_begin_with_fewer(request_):
    few = spoken(request_)
    before = {item.audio: item.audio.stat().st_mtime_ns for item in few}
    many = spoken(request_, minutes=0.6)
    assert many[: len(few)] == few and len(many) > 2 * len(few)
    assert {item.audio: item.audio.stat().st_mtime_ns for item in few} == before
    assert spoken(request_) == few


def test_a_killed_run_goes_on_where_it_was(request_, tmp_path, monkeypatch):
    expected = digests(spoken(replace(request_, data=tmp_path / "whole")))
    speak = kokoro.speak

    def killed(folder, tokens, speaker, speed):
        if len(list(request_.data.glob("voices_*/*.wav"))) >= 4:
            os.kill(os.getpid(), signal.SIGKILL)
        return speak(folder, tokens, speaker, speed)

    monkeypatch.setattr(kokoro, "speak", killed)
    with pytest.raises(BrokenProcessPool):
        spoken(request_)
    left = {path: path.stat().st_mtime_ns for path in request_.data.glob("voices_*/*.wav")}
    assert len(left) >= 4
    monkeypatch.setattr(kokoro, "speak", speak)
    assert digests(spoken(request_)) == expected
    assert {path: path.stat().st_mtime_ns for path in left} == left


def test_speeds_are_the_recipes(request_):
    usual, fast = spoken(request_), spoken(request_, speeds=(1.4, 1.6))
    assert {item.audio.parent for item in usual} != {item.audio.parent for item in fast}
    lengths = [soundfile.info(item.audio).duration for item in fast]
    assert min(lengths) > SECONDS / 1.6 - 0.001 and max(lengths) < SECONDS / 1.4 + 0.001
    assert len(set(lengths)) > 2 and len(fast) > len(usual)


def test_a_sentence_that_kokoro_cannot_read_is_left_out(request_, monkeypatch):
    ipa = {"two and one": "qu and one", "two and two": "o" * 511, "two and three": ""}
    reading = request_.reading
    assert reading
    request = replace(
        request_, reading=replace(reading, ipa=lambda texts: [ipa.get(t, t) for t in texts])
    )
    request.options["minutes"] = 5
    items = list(corpus.listing("voices", request))
    reasons = sorted(item.reason for item in items if isinstance(item, Excluded))
    assert reasons == [
        "Kokoro has no sign for the IPA q",
        "its IPA has 0 characters; Kokoro reads 1 to 510",
        "its IPA has 511 characters; Kokoro reads 1 to 510",
    ]
    assert all(item.selection for item in items if isinstance(item, Excluded))
    assert len(items) == 100  # all sentences


def test_too_few_texts(request_, caplog):
    items = spoken(request_, minutes=5)
    assert len(items) == 100
    assert f"voices_xx-borrowed: the texts last {seconds(items) / 60:.1f} minutes" in caplog.text


def test_other_texts_or_speakers_are_another_folder(request_, tmp_path):
    few = spoken(request_)
    others = spoken(request_, speakers=61)
    Path(tmp_path / "text.txt").write_text("Another text of four words\n")
    another = spoken(request_)
    assert len({items[0].audio.parent for items in (few, others, another)}) == 3
    assert [item.text for item in another] == ["another text of four words"]
    assert few[0].audio.is_file()


def test_another_voice_of_the_language_reads_into_another_folder(request_):
    """Spanish of Spain and of Latin America: the same texts and speakers, other phones."""
    folders = {
        spoken(replace(request_, reading=replace(request_.reading, voice=voice)))[0].audio.parent
        for voice in ("ru", "ru-lv")
    }
    assert len(folders) == 2


def test_a_damaged_file_says_what_to_delete(request_):
    audio = spoken(request_)[0].audio
    audio.write_bytes(b"x")
    with pytest.raises(Exception, match=f"{audio} cannot be read .*Delete {audio.parent} and run"):
        spoken(request_)


def test_texts_of_the_language_unless_the_recipe_names_some(request_, monkeypatch):
    asked = []

    def raw_sentences(name, request):
        asked.append(name)
        return ["one and two"]

    monkeypatch.setattr(corpus, "raw_sentences", raw_sentences)
    monkeypatch.setattr(
        voices.free_texts, "sentences", lambda request, voice: [f"free text {voice}"]
    )

    def sentences(voice: str, texts: tuple[str, ...] = ()) -> list[str]:
        reading = Reading(voice, texts, words, list)
        return list(voices.sentences(request_, reading))

    assert sentences("es-419") == ["one and two"] and asked == ["texts_es"]
    assert sentences("ru", ("texts_en",)) == ["one and two"] and asked[1:] == ["texts_en"]
    assert sentences("pl") == ["free text pl"] and len(asked) == 2
