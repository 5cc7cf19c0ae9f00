import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter

import pytest
from support import ROOT

from cascade.config.layout import Layout
from cascade.inventory.chart import COLUMNS, GROUPS, chart
from cascade.inventory.phone_counts import Inventory
from cascade.inventory.report import details, table
from cascade.inventory.sharing import compare
from cascade.runtime.files import write_text_table

RU = Inventory("ru", {"a": 5000, "tʲ": 300, "ɕ": 150, "XX": 5, "<": 1}, "stage 1: train_ru")
EN = Inventory("en", {"a": 90, "t": 5, "ʃ": 2, "h": 1}, "stage 1: train_ext_en")
LONG = Inventory(
    "long", dict.fromkeys("pbtdcɟkɡqɢʔmnɲŋrfvszʃʒxɣhjwliyueoəɛɔæaɑ", 1) | {"ts": 9}, ""
)


def svg(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text)


def test_table():
    lines = table([compare(RU, EN)], 1).splitlines()
    assert lines[0].split() == [
        "phones",
        "shared",
        "own",
        "covers",
        "within",
        "1",
        "running",
        "from",
    ]
    assert lines[1].split() == ["ru", "5", "5,456", "stage", "1:", "train_ru"]
    assert lines[2].split()[:8] == ["en", "4", "1", "3", "91.64", "%", "97.14", "%"]
    assert lines[-2:] == [
        "ru: no neighbours are known for < XX.",
        "en: 98 running phones are few to judge by.",
    ]
    rare = Inventory("de", {"a": 99_999, "œ̃": 1}, "texts")
    assert table([compare(RU, rare)], 1).endswith("\nde: left out, rarer than 1 in 10,000: œ̃.")


def test_details_list_every_phone_once():
    lines = [line.split() for line in details(compare(RU, EN), 1).splitlines()]
    assert ["a", "5000/90"] in lines
    assert ["tʲ", "300", "t", "1", "5"] in lines
    assert ["ɕ", "150", "ʃ", "2", "(far)", "2"] in lines
    assert ["XX", "5", "no", "features", "known"] in lines
    assert Counter(line[0] for line in lines if line)["h"] == 1
    assert "ru alone has 0:" in details(compare(RU, RU), 1)


def test_columns_stand_under_each_other():
    text = Inventory("de", {"ɔ̃": 70, "ɕ": 30}, "")  # a combining tilde takes no column
    lines = details(compare(text, EN), 9).splitlines()
    rows = [line.replace("\u0303", "") for line in lines if line.startswith(("  ɔ̃", "  ɕ"))]
    assert len(rows) == 2 and rows[0].index("70") == rows[1].index("30")


@pytest.mark.parametrize("others", [[EN], [EN, LONG], [LONG, RU]])
def test_chart_shows_every_phone_of_every_language(others):
    text = chart([compare(RU, other) for other in others], 1)
    assert text == chart([compare(RU, other) for other in others], 1)
    said = Counter(node.text for node in svg(text).iter() if node.text)
    for phone in RU.phones.union(*(other.phones for other in others)):
        assert said[phone] == sum(phone in i.phones for i in (RU, *others)), phone


def test_chart_keeps_to_its_width():
    root = svg(chart([compare(RU, LONG)], 1))
    wide, high = (float(n) for n in root.get("viewBox").split()[2:])
    boxes = [
        {k: float(n.get(k, 0)) for k in ("x", "y", "width", "height")}
        for n in root[1:]
        if n.tag.endswith("rect")
    ]
    assert all(b["x"] >= 0 and b["x"] + b["width"] <= wide for b in boxes)
    assert all(b["y"] >= 0 and b["y"] + b["height"] <= high for b in boxes)
    cells = [(b["x"], b["y"]) for b in boxes if b["height"] == 40]
    assert len(cells) == len(set(cells)) > COLUMNS


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
def test_groups(phone, group):
    one = Inventory("x", {phone: 1}, "")
    said = {node.text for node in svg(chart([compare(one, one)], 1)).iter()}
    assert said & set(GROUPS) == {group}


def phones(*options: object, expect: int = 0) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "cascade", "phones", *map(str, options)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == expect, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def test_the_command(tmp_path):
    layout = Layout(tmp_path / "mini", tmp_path, tmp_path)
    write_text_table(layout.text("train_ru", "phones"), {"u": ["d", "a", "t"]})
    write_text_table(layout.text("train_ext_en", "phones"), {"u": ["d", "æ"]})
    (tmp_path / "cs.txt").write_text("Ahoj!\n", encoding="utf-8")
    done = phones("mini", "--exp", tmp_path, "--with", f"cs={tmp_path / 'cs.txt'}", "--within", 2)
    rows = [line.split()[:8] for line in done.stdout.splitlines()[:4]]
    assert rows[0][4:6] == ["within", "2"]
    assert rows[1][:2] == ["ru", "3"]
    assert [row[0] for row in rows[2:]] == ["cs", "en"]  # both cover a third; by name
    assert "ru and en share 1 phones" in done.stdout
    picture = (tmp_path / "mini" / "phones.svg").read_text(encoding="utf-8")
    assert {"ru", "en", "cs"} <= {node.text for node in svg(picture).iter()}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["mini"], "no transcripts and no texts in 'ru' yet"),
        (["mini"], "Run stage 0: ./run.sh --recipe mini --stop-stage 0"),
        (["mini", "--with", "en"], "'en' is a language of the recipe"),
        (["mini", "--within", "-1"], "--within must be a number of features from 0 on"),
        (["mini", "--within", "nan"], "--within must be a number"),
        (["none"], "There is no recipe 'none'"),
        (["mini", "--wiht", "cs"], "unknown key 'wiht'"),
    ],
)
def test_mistakes_get_one_sentence(tmp_path, options, message):
    done = phones(*options, "--exp", tmp_path, expect=1)
    assert message in done.stderr and done.stderr.startswith("cascade: ")
    assert not list(tmp_path.iterdir())
