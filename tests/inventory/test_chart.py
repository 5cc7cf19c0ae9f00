import html
import re
import warnings
import xml.etree.ElementTree as ET
from collections import Counter

import pytest

from cascade.inventory.chart import CELL, GROUPS, STYLES, draw
from cascade.inventory.phone_counts import Inventory
from cascade.inventory.sharing import compare_phones

RU = Inventory("ru", {"a": 5000, "tʲ": 300, "ɕ": 150, "XX": 5, "<": 1}, "stage 1: train_ru")
EN = Inventory("en", {"a": 90, "t": 5, "ʃ": 2, "h": 1}, "stage 1: train_ext_en")
LONG = Inventory(
    "long", dict.fromkeys("pbtdcɟkɡqɢʔmnɲŋrfvszʃʒxɣhjwliyueoəɛɔæaɑ", 1) | {"ts": 9}, ""
)
SVG, LINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}href"


@pytest.fixture
def chart(tmp_path):
    """The text of the picture of some languages beside the first one."""

    def chart(target: Inventory, *others: Inventory, limit: float = 1) -> str:
        with warnings.catch_warnings(action="error"):  # such as a glyph that the font lacks
            draw(tmp_path / "a.svg", [compare_phones(target, other) for other in others], limit)
        return (tmp_path / "a.svg").read_text(encoding="utf-8")

    return chart


def texts(svg: str) -> Counter[str]:
    """All text in a picture: letters are drawn, and a comment says what."""
    return Counter(html.unescape(text) for text in re.findall(r"<!-- (.*?) -->", svg))


def cells(svg: str) -> dict[str, list[tuple[float, float]]]:
    """The middles of the cells of each kind."""
    root = ET.fromstring(svg)
    groups = [g for g in root.iter(f"{SVG}g") if g.get("id", "").startswith("PathCollection")]
    return {
        kind: [(float(use.get("x")), float(use.get("y"))) for use in group.iter(f"{SVG}use")]
        for kind, group in zip(STYLES, groups, strict=False)
    }


@pytest.mark.parametrize("others", [[EN], [EN, LONG], [LONG, RU]])
def test_every_phone_of_every_language_is_shown(chart, others):
    svg = chart(RU, *others)
    assert svg == chart(RU, *others)
    shown = texts(svg)
    for phone in RU.phones.union(*(other.phones for other in others)):
        assert shown[phone] == sum(phone in i.phones for i in (RU, *others)), phone


def test_cells_are_shared_own_or_missing(chart):
    svg = chart(RU, EN)
    # a of both; t, ʃ, h, tʲ, ɕ, XX, < of one; the first five of these have neighbours
    assert {kind: len(places) for kind, places in cells(svg).items()} == {
        "shared": 2,
        "own": 7,
        "missing": 5,
    }
    shown = texts(svg)
    assert shown["≈t"] == shown["≈tʲ"] == 1, "one feature away"
    assert not shown["≈ʃ"] and shown["–"] == 3, "ɕ and ʃ are two, h has none near"
    assert texts(chart(RU, EN, limit=2))["≈ʃ"] == 1


def test_the_coverage_is_written(chart):
    text = "1 of its 4 phones are in ru: 91.6 % of the running speech, 97.1 % with neighbours"
    assert texts(chart(RU, EN))[text] == 1


def test_no_cell_is_outside_or_above_another(chart):
    svg = chart(RU, LONG)
    width, height = map(float, ET.fromstring(svg).get("viewBox").split()[2:])
    places = [place for of_kind in cells(svg).values() for place in of_kind]
    assert len(places) > 60
    for x, y in places:
        assert CELL / 2 <= x <= width - CELL / 2 and CELL / 2 <= y <= height - CELL / 2
    for n, (x, y) in enumerate(places):
        assert all(abs(x - u) > CELL - 1 or abs(y - v) > CELL - 1 for u, v in places[:n])


def test_a_group_longer_than_a_band_is_divided(chart):
    many = Inventory("x", dict.fromkeys((a + b for a in "pbtdkɡ" for b in ["", *"ʲʷˠːʰ"]), 1), "")
    svg = chart(many, many)
    assert texts(svg)["plosives"] == 2
    assert len(set(cells(svg)["shared"])) == 72


def test_names_and_phones_are_text_and_never_formulas(chart):
    phones = {"$x^2$": 5, r"$\frac": 5, r"$\frac$": 5, "<b>": 5, "&amp;": 5, "-->": 5, "a": 5}
    strange = Inventory("a<b", phones, "")
    svg = chart(strange, EN)
    assert "Oblique" not in svg, "letters of a formula"
    assert ET.fromstring(svg).find(f"{SVG}title").text == "Phones of a<b beside those of en"
    for phone in phones.keys() - {"-->", "a"}:
        assert texts(svg)[phone] == 1, phone


def test_the_font_has_every_letter_of_the_chart(chart):
    letters = dict.fromkeys("".join(GROUPS.values()), 1)
    marked = dict.fromkeys(("t͡s", "tʃʲ", "ɔ̃", "r̝", "aː", "ˈa", "n̩", "t̪", "kʷ", "ɫ̩", "ɚ", "˥"), 1)
    assert chart(Inventory("x", letters | marked, ""), EN)  # warnings are errors


def test_no_letter_is_in_two_groups():
    letters = "".join(GROUPS.values())
    assert len(letters) == len(set(letters))


@pytest.mark.parametrize(
    ("phone", "group"),
    [
        ("ã", "open vowels"),  # one code point, and not in the table
        ("ɔ̃", "mid vowels"),
        ("ç", "fricatives"),  # not the c that it decomposes to
        ("tʃʲ", "affricates"),
        ("tʲ", "plosives"),
        ("XX", "others"),
    ],
)
def test_groups(chart, phone, group):
    one = Inventory("x", {phone: 1}, "")
    assert texts(chart(one, one)).keys() & set(GROUPS) == {group}
