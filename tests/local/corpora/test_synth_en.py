import numpy as np
import pytest
import soundfile

from cascade.corpora import corpus
from cascade.corpora.corpus import CorpusRequest
from local.corpora import synth_en
from local.helpers import debian_voices
from local.texts import wordnet


def test_voices_differ_and_share_the_prompts():
    assert (
        len({(v.program, v.options) for v in debian_voices.VOICES})
        == len(debian_voices.VOICES)
        >= 12
    )
    count = sum(voice.share for voice in debian_voices.VOICES)
    planned = synth_en.tasks([str(n) for n in range(count)])
    assert len({task.id for task in planned}) == len({task.text for task in planned}) == count
    assert planned[0].id == "synth_en-flite_awb-0001"


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
    pair = (debian_voices.Voice("a", "flite", (), 1), debian_voices.Voice("b", "espeak-ng", (), 2))
    monkeypatch.setattr(synth_en, "VOICES", pair)
    monkeypatch.setattr(debian_voices, "install", lambda request: unpacked)
    monkeypatch.setattr(debian_voices, "speak", speak)
    return texts


def test_what_the_voices_read(tmp_path, voices, monkeypatch):
    request = CorpusRequest(tmp_path, tmp_path / "data", rate=8000, jobs=2)
    utterances = list(corpus.listing("synth_en", request))
    assert [(u.id, u.speaker) for u in utterances] == [
        ("synth_en-a-0001", "a"),
        ("synth_en-b-0001", "b"),
        ("synth_en-b-0002", "b"),
    ]
    assert sorted(u.text for u in utterances) == sorted(voices) and len(set(voices)) == 3
    info = soundfile.info(utterances[0].audio)
    assert (info.samplerate, info.frames, info.subtype) == (8000, 8000, "PCM_16")
    assert len(list(utterances[0].audio.parent.glob("*.wav"))) == 3  # none at another rate is left
    assert list(corpus.listing("synth_en", request)) == utterances and len(voices) == 3
    monkeypatch.setattr(synth_en, "VERSION", 2)
    assert list(corpus.listing("synth_en", request)) == utterances and len(voices) == 6
