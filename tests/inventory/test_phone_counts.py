from itertools import product

import pytest

from cascade.config.experiment import Experiment
from cascade.config.layout import Layout
from cascade.data.prepare import prepare
from cascade.inventory.phone_counts import Inventory, candidate_inventory, recipe_inventories
from cascade.runtime.errors import UserError
from cascade.runtime.files import write_text_table


@pytest.fixture
def layout(tmp_path) -> Layout:
    return Layout(tmp_path / "exp" / "small", tmp_path / "downloads", tmp_path / "data")


def with_texts(raw, tmp_path, **texts):
    for name, text in texts.items():
        (tmp_path / f"{name}.txt").write_text(text, encoding="utf-8")
        raw["languages"][name]["texts"] = [str(tmp_path / f"{name}.txt")]
    return raw


def test_phones_of_stage_1_come_first(raw, read, layout, tmp_path):
    keys = {"train_ru": "d a", "train_ext_en": "j ɛ s", "test_ru": "ɕ ɕ", "valid_ru": "ɕ"}
    for key, phones in keys.items():
        table = {f"{key}1": phones.split(), f"{key}2": phones.split()}
        write_text_table(layout.text(key, "phones"), table)
    ru, en = recipe_inventories(
        Experiment(read(with_texts(raw, tmp_path, ru="нет", en="no")), layout)
    )
    assert (ru.language, ru.counts, ru.source) == ("ru", {"d": 2, "a": 2}, "stage 1: train_ru")
    assert (en.counts, en.source) == ({"j": 2, "ɛ": 2, "s": 2}, "stage 1: train_ext_en")
    assert (ru.total, en.phones) == (4, {"j", "ɛ", "s"})


def test_then_the_words_of_stage_0(small, read):
    raw, layout = small
    recipe = read(raw)
    prepare(Experiment(recipe, layout), 1)
    ru, en = recipe_inventories(Experiment(recipe, layout))
    assert ru.source == "stage 0: train_ru, 4 words by espeak-ng"
    assert en.source == "stage 0: train_ext_en, 4 words by espeak-ng"
    assert ru.counts["nʲ"] == 1 and ru.counts["d"] == 1
    assert en.counts["j"] == 1 and en.counts["s"] == 2  # yes, it's


def test_then_texts_of_the_recipe(raw, read, layout, tmp_path):
    lines = "Да! Да, 1000 раз.\nДа, нет.\nWesnoth, да.\n"  # digits and other letters are no use
    ru, en = recipe_inventories(
        Experiment(read(with_texts(raw, tmp_path, ru=lines, en="no")), layout)
    )
    assert ru.source == f"texts: {tmp_path / 'ru.txt'}, 2 words by espeak-ng"
    assert set(ru.counts) < {"d", "a", "ɑ", "nʲ", "e", "ɛ", "t"} and ru.counts["d"] == 1
    assert en.language == "en" and "n" in en.phones


def test_then_a_dictionary_but_no_list_of_exceptions(raw, read, layout, tmp_path):
    file = tmp_path / "lexicon.txt"
    raw = with_texts(raw, tmp_path, ru="да")
    raw["languages"]["en"]["lexicon"] = str(file)
    words = ["".join(letters) for letters in product("abcdefghij", repeat=3)]
    write_text_table(file, {word: ["θ", "AH"] for word in words[:999]})
    with pytest.raises(UserError, match=r"no texts in 'en' .*Run stage 0: ./run.sh --recipe small"):
        recipe_inventories(Experiment(read(raw), layout))
    write_text_table(file, {word: ["θ", "AH"] for word in words})
    with file.open("a", encoding="utf-8") as lines:
        lines.write("abc θ AX\n")  # another pronunciation; the first one counts
    _, en = recipe_inventories(Experiment(read(raw), layout))
    assert en.counts == {"θ": 1000, "AH": 1000}
    assert en.source == f"{file}, each word once, 1000 words by espeak-ng"


def test_what_is_missing_is_reported_before_any_work(raw, read, layout):
    raw["languages"]["ru"]["texts"] = ["texts_ru"]  # would be fetched
    with pytest.raises(UserError, match="no transcripts and no texts in 'en'"):
        recipe_inventories(Experiment(read(raw), layout))
    assert not layout.data.exists()


def test_a_candidate_in_a_text_of_one_s_own(layout, tmp_path):
    file = tmp_path / "cs.txt"
    file.write_text("Příliš žluťoučký kůň.\nKůň. 12\nКонь.\nL'elfe et Wesnoth\n", encoding="utf-8")
    inventory = candidate_inventory("cs", file, layout)
    assert (inventory.language, inventory.source) == (
        "cs",
        f"words of {file}, 6 words by espeak-ng",
    )
    assert {"p", "r\u031d", "ʃ", "ʒ", "c", "ɲ"} <= inventory.phones
    assert "nʲ" not in inventory.counts  # the Russian line is in another script


@pytest.mark.parametrize(
    ("voice", "text", "message"),
    [
        ("xx-none", "да", "espeak-ng failed for voice 'xx-none'"),
        ("../x", "да", "'../x' is not a voice of espeak-ng"),
        ("", "да", "'' is not a voice of espeak-ng"),
        ("cs", "", r"no free text in 'cs'\. Give a text: --with cs=FILE"),
        ("cs", "12 13", "No word in 'cs' has a pronunciation"),
        ("cs", None, r"none\.txt cannot be read: No such file"),
        ("cs", b"\xff\xfe", r"none\.txt is not UTF-8"),
    ],
)
def test_bad_candidates(layout, tmp_path, voice, text, message):
    file = tmp_path / "none.txt"
    if text is not None:
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UserError, match=message):
        candidate_inventory(voice, file, layout)


def test_rare_phones_are_not_the_languages_own():
    counts = {"a": 29_998, "b": 3, "c": 2, "d": 1}
    inventory = Inventory("x", counts, "")
    assert inventory.total == 30_004
    assert inventory.phones == {"a"} and inventory.rare == ["b", "c", "d"]
    assert Inventory("x", counts | {"b": 4}, "").phones == {"a", "b"}
