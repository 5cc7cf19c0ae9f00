from pathlib import Path

import pytest
from support import CYRILLIC

from cascade.config.experiment import Experiment
from cascade.data.prepare import prepare
from cascade.runtime.errors import UserError
from cascade.runtime.files import read_text_table
from cascade.text import lang
from cascade.text.phones import BLANK, read_phones

LEXICONS = {
    "ru": "да d a\nо o\nнет n e t\nёж j o ʃ\n",
    "en": "yes j ɛ s\noh o\nno n o\nit's ɪ t s\n",
}


@pytest.fixture
def words(small, read, tmp_path):
    """Transcripts, pronunciations and phones of a small recipe, and its layout."""
    raw, layout = small
    for name, lexicon in LEXICONS.items():
        path = tmp_path / f"lexicon_{name}.txt"
        path.write_text(lexicon, encoding="utf-8")
        raw["languages"][name]["lexicon"] = str(path)
    experiment = Experiment(read(raw), layout)
    prepare(experiment, 1)
    lang.build(experiment)
    return experiment


def test_transcripts_in_words_and_phones(words):
    layout = words.layout
    by_unit = {unit: read_text_table(layout.text("train_ru", unit)) for unit in ("words", "phones")}
    assert list(by_unit["words"].values()) == [["да"], ["о", "нет"], ["ёж"]]
    assert list(by_unit["phones"].values()) == [["d", "a"], ["o", "n", "e", "t"], ["j", "o", "ʃ"]]
    assert list(by_unit["words"]) == list(by_unit["phones"])
    assert set(read_text_table(layout.text("train_ru", "speakers"))) == set(by_unit["words"])
    lexicon = (layout.lang / "lexicon_en.txt").read_text(encoding="utf-8")
    assert lexicon.splitlines() == sorted(LEXICONS["en"].splitlines())


def test_the_phones_of_all_languages_and_those_of_the_target(words):
    layout = words.layout
    target = ["a", "d", "e", "j", "n", "o", "t", "ʃ"]
    assert read_phones(layout.phones_of("ru")) == [BLANK, *target]
    assert read_phones(layout.phones) == [BLANK, *sorted({*target, "s", "ɛ", "ɪ"})]
    sharing = (layout.lang / "sharing.tsv").read_text(encoding="utf-8").splitlines()
    assert [line.split("\t")[1] for line in sharing if line[0] in "oʃɪ"] == ["ru+en", "en", "ru"]


def test_a_word_that_espeak_cannot_pronounce(words, monkeypatch):
    monkeypatch.setattr("cascade.text.lexicon.look_up", lambda words, language: {"да": ()})
    with pytest.raises(UserError, match="No pronunciation for 1 words"):
        lang.build(words)


def test_phones_that_may_be_typing_errors_are_named(words, caplog):
    Path(words.recipe.languages["ru"].lexicon).write_text("нет nn e t\n", encoding="utf-8")
    lang.build(words)
    expected = "lexicon_ru.txt: only words of this file have the phone 'nn', such as 'нет'."
    assert any(message.endswith(expected) for message in caplog.messages)


def test_a_manifest_that_lost_its_cuts(words):
    key = words.dataset_keys("train")[0]
    words.layout.cuts(key).write_bytes(b"")
    with pytest.raises(UserError, match=rf"{key}\.jsonl\.gz has no cuts: it is damaged\."):
        lang.build(words)


def test_capitals_in_a_transcript_are_read_as_such(small, read, tmp_path):
    raw, layout = small
    table = tmp_path / "train" / "table.tsv"
    text = table.read_text(encoding="utf-8")
    assert "\tо нет" in text.lower()
    table.write_text(text.replace("Да", "МГУ да").replace("да\t", "МГУ да\t"), encoding="utf-8")
    raw["languages"]["ru"]["hints"] = ["capitals"]
    raw["languages"]["ru"]["letters"] = CYRILLIC
    experiment = Experiment(read(raw), layout)
    prepare(experiment, 1)
    lang.build(experiment)
    words = read_text_table(layout.text("train_ru", "words"))
    phones = read_text_table(layout.text("train_ru", "phones"))
    assert ["мгу", "да"] in words.values()
    assert [*"ɛmɡɛu", "d", "ɑ"] in phones.values()
    assert read_text_table(layout.as_written) == {"МГУ": [*"ɛmɡɛu"]}
    assert read_text_table(layout.lang / "lexicon_ru.txt")["мгу"] == ["m", "ɡ", "u"]


def test_the_phones_of_a_test_do_not_depend_on_target_minutes(small, read, tmp_path):
    """The training has a word in small letters, which the test has in capitals."""
    raw, layout = small
    for role, old, new in (("train", "ёж", "мгу"), ("test", "ёж", "МГУ ёж")):
        table = tmp_path / role / "table.tsv"
        text = table.read_text(encoding="utf-8")
        assert old in text
        table.write_text(text.replace(old, new), encoding="utf-8")
    raw["languages"]["ru"] |= {"hints": ["capitals"], "letters": CYRILLIC}
    found: set[bool] = set()
    for seed in range(9):
        if len(found) == 2:
            break
        experiment = Experiment(read({**raw, "seed": seed, "target_minutes": "0.01"}), layout)
        prepare(experiment, 1)
        lang.build(experiment)
        found.add("мгу" in str(read_text_table(layout.text("train_ru", "words")).values()))
        phones = read_text_table(layout.text("test_ru", "phones")).values()
        assert any(one[:3] == ["m", "ɡ", "u"] for one in phones)
    assert found == {True, False}
