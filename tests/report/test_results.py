import json

import pytest

from cascade.report.results import (
    SystemResult,
    TestResult,
    markdown,
    results,
    table,
    write,
)
from cascade.runtime.errors import UserError
from cascade.runtime.files import as_json
from cascade.scoring.speechbox import Counts

# The original's log of the plain network, and counts made up to give the cascade's rates.
PLAIN = Counts(239410, 230645, 325870, 901680, 714640, 1780720, 2728)
CASCADE = Counts(172360, 157225, 325870, 548450, 393384, 1780720, 2800)


TRAINED = {"plain": {"best_step": 40, "valid_per": 51.25, "ablation": {"whole": 51.25}}}


def build(systems, **extra):
    return results("ru_en", 0, {"festvox_ru": TestResult(200, systems, extra)}, TRAINED)


def both(plain=PLAIN, cascade=CASCADE):
    return {
        "plain": SystemResult((4,), 100, False, plain, 1500),
        "cascade": SystemResult([2, 2], 100, True, cascade, 1501, "upper"),
    }


def test_results_json_has_the_keys_in_order():
    found = build(both(), oov=21.25)
    assert list(found) == ["recipe", "seed", "tests", "training"]
    test = found["tests"]["festvox_ru"]
    assert list(test) == ["files", "systems", "oov"]
    assert list(test["systems"]) == ["plain", "cascade"]
    assert test["systems"]["plain"] == {
        "layers": "4",
        "neurons": 100,
        "cascade": False,
        "share": None,
        "ERRORS": 239410,
        "TERRORS": 230645,
        "ALL_WORDS": 325870,
        "PH_ERRORS": 901680,
        "PH_TERRORS": 714640,
        "ALL_PHONES": 1780720,
        "WER": 73.4679,
        "WERc": 70.7782,
        "PER": 50.6357,
        "PERc": 40.1321,
        "memory_mb": 2728,
        "model_kb": 1500,
    }
    assert " ".join(test["systems"]["cascade"]) == (
        "layers neurons cascade share ERRORS TERRORS ALL_WORDS PH_ERRORS PH_TERRORS ALL_PHONES "
        "WER WERc PER PERc memory_mb model_kb"
    )
    assert test["systems"]["cascade"]["layers"] == "2+2"


def test_the_file_is_indented_by_two_and_ends_with_a_line_end():
    text = as_json(build(both()))
    assert text.startswith('{\n  "recipe": "ru_en",\n  "seed": 0,\n  "tests": {\n')
    assert text.endswith("\n}\n")
    assert json.loads(text) == build(both())


def test_what_is_not_known_is_null_and_not_available():
    found = build({"plain": SystemResult((4,), 100, False, Counts(errors=1, all_words=3))})
    system = found["tests"]["festvox_ru"]["systems"]["plain"]
    assert (system["WER"], system["WERc"], system["PER"]) == (33.3333, None, None)
    assert '"PER": null' in as_json(found)
    row = table(found).splitlines()[4]
    assert [c.strip() for c in row.strip("|").split("|")] == [
        "plain",
        "4",
        "100",
        "no",
        "33.3333/n/a",
        "n/a",
        "n/a",
    ]


def test_words_that_are_spelt():
    assert "OOV 21.2 %, spelt from pieces." in table(build(both(), oov=21.2, open=True))


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_table():
    text = table(json.loads(as_json(build(both(), oov=21.25))))
    title, _, header, rule, plain, cascade, _, sizes = text.splitlines()
    assert title == "## festvox_ru"
    assert cells(header)[:4] == ["system", "layers", "neurons", "cascade"]
    assert cells(header)[4:] == ["Wer/Werc", "Per/Perc", "model, KB"]
    assert set(rule) == set("|-")
    rates = ["73.4679/70.7782", "50.6357/40.1321"]
    assert cells(plain) == ["plain", "4", "100", "no", *rates, "1500"]
    rates = ["52.8923/48.2478", "30.7993/22.0913"]
    assert cells(cascade) == ["cascade", "2+2", "100", "yes", *rates, "1501"]
    assert sizes == "200 files, 325,870 words, 1,780,720 phones, OOV 21.2 %."


def test_what_stands_beside_has_a_table_of_its_own():
    found = build(
        both(),
        phone_ngram={
            "plain": {"PER": 45.25, "PERc": 40.5},
            "cascade": {"PER": None, "PERc": None},
        },
        confidence={
            "plain": {"words": 9, "correct": 5, "NCE": 0.12345, "AUC": 0.75},
            "cascade": {"words": 9, "correct": 9, "NCE": None, "AUC": None},
        },
    )
    assert found["tests"]["festvox_ru"]["phone_ngram"]["plain"]["PER"] == 45.25
    rows = [line for line in table(found).splitlines() if line.startswith("|")][4:]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    assert cells[0] == ["beside these", "Per/Perc with a phone n-gram", "confidence: NCE", "AUC"]
    assert cells[2] == ["plain", "45.2500/40.5000", "0.123", "0.750"]
    assert cells[3] == ["cascade", "n/a", "n/a", "n/a"]


@pytest.mark.parametrize(
    ("share", "cell"), [("upper", "yes"), ("lower", "lower shared"), ("all", "all shared")]
)
def test_the_table_says_what_is_shared(share, cell):
    found = build({"x": SystemResult([2, 2], 100, True, CASCADE, 1501, share)})
    assert table(found).splitlines()[4].split("|")[4].strip() == cell


def test_what_the_comparison_says_follows_the_sizes():
    said = {
        "significance": {
            unit: {"rates": {"plain": {"percent": 50.0, "interval": [49.0, 51.0]}}, "pairs": []}
            for unit in ("words", "phones")
        },
        "phone_classes": {},
        "phone_changes": {},
        "verdicts": ["cascade makes fewer errors."],
    }
    lines = table(json.loads(as_json(build(both(), **said)))).splitlines()
    assert lines[7:] == [
        "200 files, 325,870 words, 1,780,720 phones.",
        "",
        "- cascade makes fewer errors.",
        "",
        "| 95 % intervals   | WER                 | PER                 |",
        "|------------------|---------------------|---------------------|",
        "| plain            | 50.0 (49.0 to 51.0) | 50.0 (49.0 to 51.0) |",
    ]


def test_different_references_are_refused():
    other = Counts(1, 1, 325871, 1, 1, 1780720)
    with pytest.raises(UserError, match=r"festvox_ru.*plain 325870, cascade 325871"):
        build(both(PLAIN, other))


def test_markdown_tells_where_the_figures_come_from():
    environment = {"commit": "abc", "versions": {"torch": "2.13.0", "k": 1}, "command": "run\n  x"}
    text = markdown(build(both()), environment)
    assert text.startswith("# Results of ru_en\n")
    assert "20,000 times utterances are drawn" in text
    assert table(build(both())) in text
    assert "| plain             | 40          | 51.2    |" in text
    assert text.endswith(
        "\n## Environment\n\n- commit: abc\n- versions: torch 2.13.0, k 1\n- command: run x\n"
    )


def test_write(tmp_path):
    found = build(both())
    write(tmp_path, found, {})
    write(tmp_path, found, {"date": "today"})
    assert sorted(p.name for p in tmp_path.iterdir()) == ["RESULTS.md", "results.json"]
    assert (tmp_path / "results.json").read_bytes() == as_json(found).encode()
    assert "- date: today" in (tmp_path / "RESULTS.md").read_text(encoding="utf-8")
