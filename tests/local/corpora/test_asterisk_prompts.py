import gzip
from pathlib import Path

import numpy as np
import pytest
import soundfile

from cascade.corpora import corpus
from cascade.corpora.corpus import CorpusRequest, Excluded, Utterance
from cascade.runtime.errors import UserError
from local.corpora import asterisk_prompts, asterisk_ru


def listed(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode()))
    return path


def test_asterisk_list(tmp_path):
    lines = "\ufeff; comment\n\nvm-a: Да: нет.\nis:\ndigits/1: один\ndigits/1: десять\n"
    path = listed(tmp_path / "a.gz", lines)
    assert asterisk_prompts.parse(path) == {"vm-a": "Да: нет.", "is": "", "digits/1": None}
    with pytest.raises(UserError, match=r"a\.gz, line 1 is not 'key: text'"):
        asterisk_prompts.parse(listed(tmp_path / "a.gz", "a b\n"))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Нажмите решётку, пожалуйста.", None),
        ("Этого «номера» - нет", None),
        ("Этого - нет", "fewer than 3 words"),
        ("", "fewer than 3 words"),
        ("[sound of monkeys]", "bracketed"),
        ("(10 seconds of silence)", "bracketed"),
        ("Нажмите один (статус) сейчас", "bracketed"),
        ("Нажмите 1", "digits"),
        ("k-e-y: Нажмите решётку сейчас", "its key"),
        ("k-e-y", "fewer than 3 words"),
        ("это первoe сообщение", "another language"),  # o and e are Latin
    ],
)
def test_asterisk_reasons(text, why):
    reason = asterisk_prompts.reason("k-e-y", text, asterisk_ru.PROMPTS.letters)
    assert reason is None if why is None else why in reason


def test_asterisk_corpus(tmp_path, unpacked):
    texts = "b: Это первая запись.\nd/a: Раз\nd/gone: Этой записи нет\nnil: В этой ничего нет\n"
    listed(asterisk_ru.PROMPTS.list_file(unpacked), texts)
    sounds = unpacked / "usr/share/asterisk/sounds/voice"
    (sounds / "d").mkdir(parents=True)
    for name, size in (("b", 8000), ("d/a", 4000), ("d/spare", 4000), ("nil", 0)):
        (sounds / f"{name}.g722").write_bytes(bytes(size))
    request = CorpusRequest(tmp_path, tmp_path / "data", jobs=2)
    items = list(corpus.listing("asterisk_ru", request))
    wav = tmp_path / "data" / "asterisk_ru" / "wav" / "b.wav"
    assert items == [
        Utterance("asterisk_ru-b", wav, "Это первая запись.", "asterisk_ru"),
        Excluded("asterisk_ru-d_a", "fewer than 3 words", 0.5, True),
        Excluded("asterisk_ru-d_gone", "no sound for this text", None, True),
        Excluded("asterisk_ru-nil", "a sound without samples", 0.0, True),
        Excluded("asterisk_ru-d_spare", "no text for this sound", 0.5, True),
    ]
    info = soundfile.info(wav)  # a byte of G.722 is two samples
    assert (info.samplerate, info.frames, info.subtype) == (16000, 16000, "PCM_16")
    assert not wav.parent.with_name("wav.partial").exists()
    before = wav.stat().st_mtime_ns
    assert list(corpus.listing("asterisk_ru", request)) == items
    assert wav.stat().st_mtime_ns == before


def test_asterisk_short_prompts_are_a_part_of_their_own(tmp_path, unpacked):
    texts = "a: Раз\nb: Раз, два\nc: Раз, два, три\nd: Нажмите 1\ne: k-е\nf: Ox\ng: [шум]\n"
    listed(asterisk_ru.PROMPTS.list_file(unpacked), texts)
    sounds = unpacked / "usr/share/asterisk/sounds/voice"
    sounds.mkdir(parents=True)
    for name in "abcdefg":
        (sounds / f"{name}.g722").write_bytes(bytes(16000))
    request = CorpusRequest(tmp_path, tmp_path / "data", jobs=1, part="short")
    items = list(corpus.listing("asterisk_ru", request))
    assert [item.id for item in items if isinstance(item, Utterance)] == [
        "asterisk_ru-a",
        "asterisk_ru-b",
    ]
    reasons = {item.id: item.reason for item in items if isinstance(item, Excluded)}
    assert reasons == {
        "asterisk_ru-e": "letters of another language",
        "asterisk_ru-f": "letters of another language",
        "asterisk_ru-g": "bracketed description of a sound",
    }
    parts = []
    for part in ("train", "valid", "test"):
        request = CorpusRequest(tmp_path, tmp_path / "data", jobs=1, part=part)
        parts += [item.id for item in corpus.listing("asterisk_ru", request)]
    assert sorted(parts) == ["asterisk_ru-c", "asterisk_ru-d"]


def test_asterisk_at_the_rate_of_telephones(tmp_path, unpacked):
    doc = asterisk_ru.PROMPTS.list_file(unpacked)
    listed(doc, "b: Это первая запись.\nc: Шум\nc: Это другая запись\nd: Это запись шума тут\n")
    sounds = unpacked / "usr/share/asterisk/sounds/voice"
    for name, samples in (("b", 16000), ("c", 16000), ("d", 4000)):
        sounds.mkdir(parents=True, exist_ok=True)
        soundfile.write(sounds / f"{name}.wav", np.zeros(samples), 8000)
    items = list(
        corpus.listing("asterisk_ru", CorpusRequest(tmp_path, tmp_path / "data", rate=8000))
    )
    assert items == [
        Utterance("asterisk_ru-b", sounds / "b.wav", "Это первая запись.", "asterisk_ru"),
        Excluded("asterisk_ru-c", "two texts for this sound", 2.0, True),
        Excluded("asterisk_ru-d", "more than 20 letters a second", 0.5, True),
    ]
    assert [p.name for p in (tmp_path / "data").iterdir()] == [".lock"]  # nothing to decode
    with pytest.raises(UserError, match=r"44100 Hz\. Set features\.rate to 16000 or 8000"):
        list(corpus.listing("asterisk_ru", CorpusRequest(tmp_path, tmp_path, rate=44100)))


def test_asterisk_parts_keep_the_same_words_together(tmp_path, unpacked):
    doc = asterisk_ru.PROMPTS.list_file(unpacked)
    texts = [f"Это запись {letter}." for letter in "абвгдежзиклмно"]
    again = ["... это запись Е", "это: запись ж!", "Это запись а"]  # 6th, 7th, 1st
    listed(doc, "".join(f"k{n}: {text}\n" for n, text in enumerate([*texts, *again])))
    sounds = unpacked / "usr/share/asterisk/sounds/voice"
    sounds.mkdir(parents=True)
    (sounds / "other.g722").touch()
    ids = {}
    for part in (*asterisk_ru.PARTS, None):
        request = CorpusRequest(tmp_path, tmp_path / "data", part=part)
        ids[part] = [item.id.partition("-k")[2] for item in corpus.listing("asterisk_ru", request)]
    assert ids["valid"] == ["5", "12", "14"]
    assert ids["test"] == ["6", "13", "15"]
    assert sorted(ids["train"] + ids["valid"] + ids["test"]) == sorted(ids[None])


def test_asterisk_sounds_that_are_damaged(tmp_path, unpacked):
    listed(asterisk_ru.PROMPTS.list_file(unpacked), "b: Это первая запись.\n")
    request = CorpusRequest(tmp_path, tmp_path / "data")
    with pytest.raises(UserError, match="sounds has no sounds, or two with the same name"):
        list(corpus.listing("asterisk_ru", request))
    sounds = unpacked / "usr/share/asterisk/sounds/voice"
    for name in ("d/a", "d_a"):
        (sounds / name).parent.mkdir(parents=True, exist_ok=True)
        (sounds / f"{name}.g722").write_bytes(bytes(10))
    with pytest.raises(UserError, match="sounds has no sounds, or two with the same name"):
        list(corpus.listing("asterisk_ru", request))
    (tmp_path / "list.g722").mkdir()
    with pytest.raises(UserError, match=r"list\.g722 cannot be decoded as G\.722"):
        asterisk_prompts.decode(tmp_path / "list.g722", tmp_path / "list.wav")
