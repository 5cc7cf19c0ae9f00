import subprocess
import sys
from collections import Counter

import pytest
from support import ROOT

from cascade.config.layout import Layout
from cascade.inventory.phone_counts import Inventory
from cascade.inventory.report import details, table
from cascade.inventory.sharing import compare_phones
from cascade.runtime.files import write_text_table

RU = Inventory("ru", {"a": 5000, "tʲ": 300, "ɕ": 150, "XX": 5, "<": 1}, "stage 1: train_ru")
EN = Inventory("en", {"a": 90, "t": 5, "ʃ": 2, "h": 1}, "stage 1: train_ext_en")


def test_table():
    lines = table([compare_phones(RU, EN)], 1).splitlines()
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
        "ru: phones without features: < XX.",
        "en: only 98 running phones, so figures are rough.",
    ]
    rare = Inventory("de", {"a": 99_999, "œ̃": 1}, "texts")
    assert table([compare_phones(RU, rare)], 1).endswith(
        "\nde: phones rarer than 1 in 10,000 left out: œ̃."
    )


def test_details_list_every_phone_once():
    lines = [line.split() for line in details(compare_phones(RU, EN), 1).splitlines()]
    assert ["a", "5000/90"] in lines
    assert ["tʲ", "300", "t", "1", "5"] in lines
    assert ["ɕ", "150", "ʃ", "2", "(far)", "2"] in lines
    assert ["XX", "5", "no", "features", "known"] in lines
    assert Counter(line[0] for line in lines if line)["h"] == 1
    assert "only ru has 0:" in details(compare_phones(RU, RU), 1)


def test_columns_stand_under_each_other():
    text = Inventory("de", {"ɔ̃": 70, "ɕ": 30}, "")  # a combining tilde takes no column
    lines = details(compare_phones(text, EN), 9).splitlines()
    rows = [line.replace("\u0303", "") for line in lines if line.startswith(("  ɔ̃", "  ɕ"))]
    assert len(rows) == 2 and rows[0].index("70") == rows[1].index("30")


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
    for language in ("ru", "en", "cs"):
        assert f"<!-- {language} -->" in picture


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["mini"], "no transcripts and no texts in 'ru' yet"),
        (["mini"], "Run stage 0: ./run.sh --recipe mini --stop-stage 0"),
        (["mini", "--with", "en"], "'en' is a language of the recipe"),
        (["mini", "--within", "-1"], "--within must be a number of features, 0 or more, not -1"),
        (["mini", "--within", "nan"], "--within must be a number of features, 0 or more, not nan"),
        (["none"], "Unknown recipe 'none'. Known: "),
        (["mini", "--wiht", "cs"], "unknown key 'wiht'"),
    ],
)
def test_mistakes_get_one_sentence(tmp_path, options, message):
    done = phones(*options, "--exp", tmp_path, expect=1)
    assert message in done.stderr and done.stderr.startswith("cascade: ")
    assert not list(tmp_path.iterdir())
