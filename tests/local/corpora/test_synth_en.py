import numpy as np
import pytest
import soundfile

from cascade.corpora import corpus
from cascade.corpora.corpus import CorpusRequest
from local.corpora import synth_en, voices_en
from local.texts import wordnet


def test_voices_differ_and_share_the_prompts():
    assert len({(v.program, v.options) for v in voices_en.VOICES}) == len(voices_en.VOICES) >= 12
    count = sum(voice.share for voice in voices_en.VOICES)
    planned = synth_en.tasks([str(n) for n in range(count)])
    assert len({task.id for task in planned}) == len({task.text for task in planned}) == count
    assert planned[0].id == "synth_en-flite_awb-0001"


def test_dither_and_rate():
    silent = synth_en.finished(np.zeros(441), "one", 22050, 16000)
    assert silent.dtype == np.int16 and silent.shape == (320,)
    assert set(np.abs(silent)) == {1, 2}
    assert np.array_equal(silent, synth_en.finished(np.zeros(441), "one", 22050, 16000))
    assert not np.array_equal(silent, synth_en.finished(np.zeros(441), "two", 22050, 16000))
    loud = synth_en.finished(np.array([1.5, -1.5, 0.5]), "one", 16000, 16000)
    assert loud[0] == 32767 and loud[1] == -32768 and abs(int(loud[2]) - 16384) <= 2


@pytest.fixture
def voices(tmp_path, monkeypatch, unpacked) -> list[str]:
    """Two voices that hum in place of reading; gives the list of what they were asked to read."""
    texts: list[str] = []

    def speak(folder, voice, text, wav):
        assert folder == unpacked
        texts.append(text)
        soundfile.write(wav, 0.1 * np.sin(np.arange(22050) / 9), 22050)

    examples = [f"this is sentence number {word}" for word in ("one", "two", "three", "four")]
    data = unpacked / wordnet.FOLDER
    data.mkdir(parents=True)
    for kind in ("noun", "verb", "adj", "adv"):
        (data / f"data.{kind}").write_text("")
    (data / "data.verb").write_text("".join(f'1 | a; "{example}"\n' for example in examples))
    pair = (voices_en.Voice("a", "flite", (), 1), voices_en.Voice("b", "espeak-ng", (), 2))
    monkeypatch.setattr(synth_en, "VOICES", pair)
    monkeypatch.setattr(voices_en, "install", lambda request: unpacked)
    monkeypatch.setattr(voices_en, "speak", speak)
    return texts


def test_what_the_voices_read(tmp_path, voices, monkeypatch):
    request = CorpusRequest(tmp_path, tmp_path / "data", rate=8000, jobs=2)
    found = list(corpus.listing("synth_en", request))
    assert [(u.id, u.speaker) for u in found] == [
        ("synth_en-a-0001", "a"),
        ("synth_en-b-0001", "b"),
        ("synth_en-b-0002", "b"),
    ]
    assert sorted(u.text for u in found) == sorted(voices) and len(set(voices)) == 3
    info = soundfile.info(found[0].audio)
    assert (info.samplerate, info.frames, info.subtype) == (8000, 8000, "PCM_16")
    assert len(list(found[0].audio.parent.glob("*.wav"))) == 3  # none at another rate is left
    assert list(corpus.listing("synth_en", request)) == found and len(voices) == 3
    monkeypatch.setattr(synth_en, "VERSION", 2)
    assert list(corpus.listing("synth_en", request)) == found and len(voices) == 6
