import gzip

import numpy as np
import pytest
import soundfile

from cascade.corpora import corpus
from cascade.corpora.corpus import CorpusRequest, Excluded, Utterance
from cascade.runtime.errors import UserError
from local.corpora import asterisk_it

TEXTS = {
    "a": "Prego digitare il numero.",
    "b": "prego digitare il numero",  # the same letters, so in the same part as a
    "c": "Questa conferenza è bloccata.",
    "d": "Altre parole di lei qui.",
    "e": "Grazie.",
    "phonetic/z_p": "z come zara",
    "f": "Premere 1 per uscire.",
    "his": "Questa ha solo lui.",
    "hers": "Questa ha solo lei.",
}


@pytest.fixture
def prompts(unpacked):
    """Both voices' recordings; hers of d is half as long again as his."""
    texts = "".join(f"{key}: {text}\n" for key, text in TEXTS.items())
    path = asterisk_it.PROMPTS.list_file(unpacked)
    path.parent.mkdir(parents=True)
    path.write_bytes(gzip.compress(texts.encode()))

    def record(voice, key, seconds):
        wav = unpacked / "usr/share/asterisk/sounds" / voice / f"{key}.wav"
        wav.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(wav, np.zeros(round(8000 * seconds)), 8000)
        return wav

    for key in ("a", "b", "c", "d", "e", "phonetic/z_p", "f", "his", "noise"):
        record("it_IT_m_Carlo", key, 2)
    hers = {"a": 2.6, "b": 1.4, "c": 2, "d": 3, "e": 2, "phonetic/z_p": 2, "f": 2, "hers": 2}
    return {key: record("it_IT_f_Menardi", key, s) for key, s in {**hers, "moo": 2}.items()}


def listing(tmp_path, **request):
    return list(corpus.listing("asterisk_it_menardi", CorpusRequest(tmp_path, tmp_path, **request)))


def test_prompts_as_long_as_those_of_the_other_speaker(tmp_path, prompts):
    name = "asterisk_it_menardi"
    assert listing(tmp_path, rate=8000) == [
        Utterance(f"{name}-a", prompts["a"], TEXTS["a"], name),
        Utterance(f"{name}-b", prompts["b"], TEXTS["b"], name),
        Utterance(f"{name}-c", prompts["c"], TEXTS["c"], name),
        Excluded(
            f"{name}-d", "its length differs by more than 35% from the other speaker's", 3.0, True
        ),
        Excluded(f"{name}-e", "fewer than 3 words", 2.0, True),
        Excluded(f"{name}-phonetic_z_p", "spelling alphabet", 2.0, True),
        Excluded(f"{name}-f", "digits in the text", 2.0, True),
        Excluded(f"{name}-hers", "no recording of the other speaker to compare with", 2.0, True),
        Excluded(f"{name}-moo", "no text for this sound", 2.0, True),
    ]


def test_a_sentence_is_in_the_same_part_as_in_the_other_corpus(tmp_path, prompts):
    for part in asterisk_it.PARTS:
        hers = {item.id.partition("-")[2] for item in listing(tmp_path, rate=8000, part=part)}
        his = corpus.listing("asterisk_it", CorpusRequest(tmp_path, tmp_path, part, rate=8000))
        both = {item.id.partition("-")[2] for item in his} & {
            key.replace("/", "_") for key in TEXTS if key in prompts
        }
        assert hers == both
    (short,) = listing(tmp_path, rate=8000, part="short")
    assert isinstance(short, Utterance) and short.text == "Grazie."


def test_at_the_rate_of_the_recipe(tmp_path, prompts):
    first = listing(tmp_path, rate=16000)[0]
    assert first.audio == tmp_path / "asterisk_it_menardi/wav_16000/a.wav"
    info = soundfile.info(first.audio)
    assert (info.samplerate, info.duration) == (16000, 2.6)


def test_no_recordings(tmp_path, prompts):
    for path in prompts.values():
        path.unlink()
    with pytest.raises(UserError, match=r"asterisk/sounds has no sounds, or two with the same"):
        listing(tmp_path, rate=8000)
