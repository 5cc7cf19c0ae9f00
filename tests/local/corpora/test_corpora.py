import ctypes
import gzip
import platform
import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support import catalogue_of

from cascade.corpora import corpus
from cascade.corpora.corpus import CorpusRequest, Excluded, Utterance
from cascade.runtime.errors import UserError
from local.corpora import asterisk_prompts, asterisk_ru, festvox_ru, synth_en, voices_en
from local.helpers import progress, silence
from local.texts import catalogue, fortunes_ru, sentences, texts_nl, wesnoth, wordnet


def made(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return path


def test_corpora_are_found():
    found = set(corpus.names())
    assert {"festvox_ru", "asterisk_ru", "asterisk_en", "fillets_cs", "synth_en", "table"} <= found
    assert not {"debian", "archive", "asterisk_prompts", "fillets", "wordnet", "texts_ru"} & found
    for name in found:
        module = corpus.load(name)
        assert module.LICENCE and isinstance(module.PARTS, tuple)


def test_festvox_parts(tmp_path, unpacked):
    lines = "".join(f'( ru_{n:04d} "Он сказ+ал, {n}." )\n' for n in range(1, 31))
    made(unpacked / festvox_ru.VOICE / "etc/txt.done.data", lines)
    ids = {}
    for part in (*festvox_ru.PARTS, None):
        request = CorpusRequest(tmp_path, tmp_path, part=part)
        found = list(corpus.listing("festvox_ru", request))
        ids[part] = [u.id for u in found]
        assert all("+" not in u.text and u.text.startswith("Он сказал") for u in found)
    assert ids["valid"] == ["ru_0009", "ru_0019", "ru_0029"]
    assert ids["test"] == ["ru_0010", "ru_0020", "ru_0030"]
    assert sorted(ids["train"] + ids["valid"] + ids["test"]) == ids[None]
    assert found[0].audio.name == "ru_0001.wav"


def test_festvox_line_of_another_form(tmp_path):
    path = made(tmp_path / "txt.done.data", '( a "b" )\nnonsense\n')
    with pytest.raises(UserError, match="line 2"):
        list(festvox_ru.parse(path))


def listed(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode()))
    return path


def test_asterisk_list(tmp_path):
    lines = "\ufeff; comment\n\nvm-a: Да: нет.\nis:\ndigits/1: один\ndigits/1: десять\n"
    path = listed(tmp_path / "a.gz", lines)
    assert asterisk_prompts.parse(path) == {"vm-a": "Да: нет.", "is": "", "digits/1": None}
    with pytest.raises(UserError, match="line 1: not"):
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
    found = asterisk_prompts.reason("k-e-y", text, asterisk_ru.LETTERS)
    assert found is None if why is None else why in found


def test_asterisk_corpus(tmp_path, unpacked):
    texts = "b: Это первая запись.\nd/a: Раз\nd/gone: Этой записи нет\nnil: В этой ничего нет\n"
    listed(unpacked / f"usr/share/doc/{asterisk_ru.TEXTS.name}/core-sounds-ru.txt.gz", texts)
    sounds = unpacked / "usr/share/asterisk/sounds/voice"
    (sounds / "d").mkdir(parents=True)
    for name, size in (("b", 8000), ("d/a", 4000), ("d/spare", 4000), ("nil", 0)):
        (sounds / f"{name}.g722").write_bytes(bytes(size))
    request = CorpusRequest(tmp_path, tmp_path / "data", jobs=2)
    found = list(corpus.listing("asterisk_ru", request))
    wav = tmp_path / "data" / "asterisk_ru" / "wav" / "b.wav"
    assert found == [
        Utterance("asterisk_ru-b", wav, "Это первая запись.", "asterisk_ru"),
        Excluded("asterisk_ru-d_a", "fewer than 3 words", 0.5, True),
        Excluded("asterisk_ru-d_gone", "no sound for this text", None, True),
        Excluded("asterisk_ru-nil", "a sound without samples", 0.0, True),
        Excluded("asterisk_ru-d_spare", "no text for this sound", 0.5, True),
    ]
    with wave.open(str(wav)) as file:  # a byte of G.722 is two samples
        assert (file.getframerate(), file.getnframes(), file.getsampwidth()) == (16000, 16000, 2)
    assert not wav.parent.with_name("wav.partial").exists()
    before = wav.stat().st_mtime_ns
    assert list(corpus.listing("asterisk_ru", request)) == found
    assert wav.stat().st_mtime_ns == before


def test_asterisk_short_prompts_are_a_part_of_their_own(tmp_path, unpacked):
    texts = "a: Раз\nb: Раз, два\nc: Раз, два, три\nd: Нажмите 1\ne: k-е\nf: Ox\ng: [шум]\n"
    listed(unpacked / f"usr/share/doc/{asterisk_ru.TEXTS.name}/core-sounds-ru.txt.gz", texts)
    sounds = unpacked / "usr/share/asterisk/sounds/voice"
    sounds.mkdir(parents=True)
    for name in "abcdefg":
        (sounds / f"{name}.g722").write_bytes(bytes(16000))
    request = CorpusRequest(tmp_path, tmp_path / "data", jobs=1, part="short")
    found = list(corpus.listing("asterisk_ru", request))
    assert [item.id for item in found if isinstance(item, Utterance)] == [
        "asterisk_ru-a",
        "asterisk_ru-b",
    ]
    reasons = {item.id: item.reason for item in found if isinstance(item, Excluded)}
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
    doc = unpacked / f"usr/share/doc/{asterisk_ru.TEXTS.name}/core-sounds-ru.txt.gz"
    listed(doc, "b: Это первая запись.\nc: Шум\nc: Это другая запись\nd: Это запись шума тут\n")
    sounds = unpacked / "usr/share/asterisk/sounds/voice"
    for name, samples in (("b", 16000), ("c", 16000), ("d", 4000)):
        sounds.mkdir(parents=True, exist_ok=True)
        soundfile.write(sounds / f"{name}.wav", np.zeros(samples), 8000)
    found = list(
        corpus.listing("asterisk_ru", CorpusRequest(tmp_path, tmp_path / "data", rate=8000))
    )
    assert found == [
        Utterance("asterisk_ru-b", sounds / "b.wav", "Это первая запись.", "asterisk_ru"),
        Excluded("asterisk_ru-c", "two texts for this sound", 2.0, True),
        Excluded("asterisk_ru-d", "more than 20 letters a second", 0.5, True),
    ]
    assert [p.name for p in (tmp_path / "data").iterdir()] == [".lock"]  # nothing to decode
    with pytest.raises(UserError, match=r"44100 Hz: set features.rate to one of 16000, 8000"):
        list(corpus.listing("asterisk_ru", CorpusRequest(tmp_path, tmp_path, rate=44100)))


def test_asterisk_parts_keep_the_same_words_together(tmp_path, unpacked):
    doc = unpacked / f"usr/share/doc/{asterisk_ru.TEXTS.name}/core-sounds-ru.txt.gz"
    texts = [f"Это запись {letter}." for letter in "абвгдежзиклмно"]
    again = ["... это запись Е", "это: запись ж!", "Это запись а"]  # 6th, 7th, 1st
    listed(doc, "".join(f"k{n}: {text}\n" for n, text in enumerate([*texts, *again])))
    made(unpacked / "usr/share/asterisk/sounds/voice/other.g722", "")
    ids = {}
    for part in (*asterisk_ru.PARTS, None):
        request = CorpusRequest(tmp_path, tmp_path / "data", part=part)
        ids[part] = [item.id.partition("-k")[2] for item in corpus.listing("asterisk_ru", request)]
    assert ids["valid"] == ["5", "12", "14"]
    assert ids["test"] == ["6", "13", "15"]
    assert sorted(ids["train"] + ids["valid"] + ids["test"]) == sorted(ids[None])


def test_festvox_at_another_rate(tmp_path, unpacked):
    made(unpacked / festvox_ru.VOICE / "etc/txt.done.data", '( a "Он сказал." )\n')
    (unpacked / festvox_ru.VOICE / "wav").mkdir()
    soundfile.write(unpacked / festvox_ru.VOICE / "wav/a.wav", np.zeros(8000), 16000)
    (found,) = corpus.listing("festvox_ru", CorpusRequest(tmp_path, tmp_path / "data", rate=8000))
    assert found.audio == tmp_path / "data/festvox_ru_8000/a.wav"
    assert (soundfile.info(found.audio).samplerate, soundfile.info(found.audio).frames) == (
        8000,
        4000,
    )


def test_wordnet_examples(tmp_path):
    line = '00001 02 n 01 | a thing; "he said; \'go\'"; "an old man\'s tale"  \n'
    path = made(tmp_path / "data.noun", f"  1 licence\n{line}")
    assert list(wordnet.parse(path)) == ["he said; 'go'", "an old man's tale"]


@pytest.mark.parametrize(
    ("example", "text"),
    [
        ("the old man's boat, once new, sank.", "the old man's boat once new sank"),
        ("I saw a big dog", "I saw a big dog"),
        ("too few of them", None),
        ("one two three four five six seven eight nine ten a b c", None),
        ("there were 3 big dogs here", None),
        ("a well-known man of letters", None),
        ("he said `no' to me", None),
        ("Dr Jones was here last night", None),
        ("the FBI was here last night", None),
        ("a plan B was made there", None),
        ("the café was open all night", None),
    ],
)
def test_wordnet_prompts(example, text):
    assert wordnet.prompt(example, 5, 12) == text


def test_choice_is_fixed_and_without_duplicates():
    texts = [f"this is sentence {word}" for word in ("one", "two", "three", "four")]
    first = wordnet.chosen(iter([*texts, "This is sentence ONe"]), 3, 3, 12)
    again = wordnet.chosen(iter(texts[::-1]), 3, 3, 12)
    assert first == again
    assert len({text.lower() for text in first}) == 3


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


def program(folder: Path, name: str, script: str) -> None:
    path = made(folder / "usr/bin" / name, f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_a_voice_that_fails(tmp_path):
    voice = voices_en.VOICES[-1]
    (tmp_path / "usr/bin").mkdir(parents=True)
    for script in ("echo one >&2; echo 'no voice' >&2; exit 1", "echo 'no voice' >&2"):
        program(tmp_path, "espeak-ng", script)
        with pytest.raises(UserError, match=r"espeak_Annie, failed at 'hello': no voice\."):
            voices_en.speak(tmp_path, voice, "hello", tmp_path / "a.wav")
    (tmp_path / "usr/bin/espeak-ng").unlink()
    with pytest.raises(UserError, match="No such file"):
        voices_en.speak(tmp_path, voice, "hello", tmp_path / "a.wav")


def test_text_goes_through_stdin(tmp_path):
    for voice in (voices_en.VOICES[0], voices_en.VOICES[-1]):
        program(tmp_path, voice.program, 'for last; do :; done; cat /dev/stdin > "$last"')
        wav = tmp_path / f"{voice.name}.wav"
        voices_en.speak(tmp_path, voice, "-w; $(touch x)", wav)
        assert wav.read_text() == "-w; $(touch x)"


@pytest.mark.skipif(platform.machine() not in silence.MACHINES, reason="not for this machine")
def test_silent_library_loads_and_does_nothing(tmp_path):
    silence.write(tmp_path, "libquiet.so.0", ["play", "stop"])
    quiet = ctypes.CDLL(str(tmp_path / "libquiet.so.0"))
    assert quiet.play() == 0 and quiet.stop(1, 2) == 0
    assert not hasattr(quiet, "other")


def test_silent_library_for_an_unknown_machine():
    with pytest.raises(UserError, match="riscv64"):
        silence.library("a", ["b"], "riscv64")


def test_catalogue(tmp_path):
    texts = {"": "Language: ru", "a dog\0dogs": "собака\0собаки", "b": "бэ"}
    path = tmp_path / "a.mo"
    for order in "<>":
        path.write_bytes(catalogue_of(texts, order))
        assert list(catalogue.pairs(path)) == [("a dog", "собака"), ("b", "бэ")]
    for damaged in (b"", b"nonsense, and more of it, and more", path.read_bytes()[:-10]):
        path.write_bytes(damaged)
        with pytest.raises(UserError, match=r"a\.mo is no message catalogue"):
            list(catalogue.pairs(path))


def test_wesnoth_takes_the_translator_s_hint_away(tmp_path, unpacked):
    path = unpacked / wesnoth.FOLDER / "a.mo"
    path.parent.mkdir(parents=True)
    path.write_bytes(catalogue_of({"female^Elf": "Эльфийка"}))
    assert list(wesnoth.messages(CorpusRequest(tmp_path, tmp_path))) == [("Elf", "Эльфийка")]


def test_wesnoth_s_sentences_once_and_not_in_english(tmp_path, unpacked):
    path = unpacked / wesnoth.LOCALES / "cs/LC_MESSAGES/a.mo"
    path.parent.mkdir(parents=True)
    path.write_bytes(catalogue_of({"a^Elf": "Elf", "b": "Vlk. Elfka!", "c": "Elfka!"}))
    assert list(wesnoth.sentences(CorpusRequest(tmp_path, tmp_path), "cs")) == ["Vlk.", "Elfka!"]


def test_paragraphs_of_a_manual(tmp_path):
    path = listed(tmp_path / "a.txt.gz", "1. Eerst\n\n    Twee\n    regels.\n\n\n")
    assert [text for text in texts_nl.paragraphs(path) if text] == ["1. Eerst", "Twee regels."]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Один.  Два!\nТри? — Четыре…", ["Один.", "Два!", "Три?", "— Четыре…"]),
        ("Он <i>не</i> пришёл.", ["Он не пришёл."]),
        ("Да, $name. Нет.", ["Нет."]),
        ("Вот т. е. это А. Блок и проч. тут.", ["Вот т. е. это А. Блок и проч. тут."]),
        ("«Да.» И ушёл", ["«Да.", "И ушёл"]),
        ("... 15%", []),
    ],
)
def test_sentences(text, found):
    assert list(sentences.split(text)) == found


def test_fortunes():
    text = "Первая\nстрока.\n\t\t-- Автор\n%\n- Кто там?\n- Я.\n%\n\nЕщё\n\nодна\n"
    found = ["Первая строка.", "Кто там?", "Я.", "Ещё", "одна"]
    assert list(fortunes_ru.parse(text)) == found


def test_fortunes_leave_adult_files_out(tmp_path, unpacked):
    for name in ("art", "art.dat", "sex"):
        made(unpacked / fortunes_ru.FOLDER / name, f"из {name}\n")
    assert list(fortunes_ru.paragraphs(CorpusRequest(tmp_path, tmp_path))) == ["из art"]


@pytest.mark.parametrize("jobs", [1, 3])
def test_mapped_keeps_order_and_raises(jobs):
    assert list(progress.mapped(abs, range(-5, 0), jobs, "x")) == [5, 4, 3, 2, 1]
    with pytest.raises(ZeroDivisionError):
        list(progress.mapped(lambda n: 1 // n, [1, 0, 1], jobs, "x"))
