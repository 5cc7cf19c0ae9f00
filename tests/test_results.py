import json

import pytest

from cascade.errors import UserError
from cascade.results import (
    SystemResult,
    TestResult,
    as_json,
    markdown,
    results,
    table,
    write,
)
from cascade.speechbox import Counts

# The original's log of the plain network, and counts made up to give the cascade's rates.
PLAIN = Counts(239410, 230645, 325870, 901680, 714640, 1780720, 2728)
CASCADE = Counts(172360, 157225, 325870, 548450, 393384, 1780720, 2800)


def build(systems, **extra):
    return results("ru_en", 0, {"festvox_ru": TestResult(200, systems, extra)})


def both(plain=PLAIN, cascade=CASCADE):
    return {
        "plain": SystemResult((4,), 100, False, plain, 1500),
        "cascade": SystemResult([2, 2], 100, True, cascade, 1501),
    }


def test_results_json_has_the_keys_in_order():
    found = build(both(), oov=21.25)
    assert list(found) == ["recipe", "seed", "tests"]
    test = found["tests"]["festvox_ru"]
    assert list(test) == ["files", "systems", "oov"]
    assert list(test["systems"]) == ["plain", "cascade"]
    assert test["systems"]["plain"] == {
        "layers": "4",
        "neurons": 100,
        "cascade": False,
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
        "layers neurons cascade ERRORS TERRORS ALL_WORDS PH_ERRORS PH_TERRORS ALL_PHONES "
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


def test_the_table():
    text = table(json.loads(as_json(build(both(), oov=21.25))))
    assert text == (
        "## festvox_ru\n"
        "\n"
        "| system  | layers | neurons | cascade | Wer/Werc        | Per/Perc        | model, KB |\n"
        "| ------- | ------ | ------- | ------- | --------------- | --------------- | --------- |\n"
        "| plain   | 4      | 100     | no      | 73.4679/70.7782 | 50.6357/40.1321 | 1500      |\n"
        "| cascade | 2+2    | 100     | yes     | 52.8923/48.2478 | 30.7993/22.0913 | 1501      |\n"
        "\n"
        "200 files, 325,870 words, 1,780,720 phones, OOV 21.2 %.\n"
        "\n"
        "cascade against plain: 39.2 % fewer phone errors, 28.0 % fewer word errors.\n"
    )


def test_worse_and_equal_are_said():
    worse = Counts(239410, 230645, 325870, 991848, 714640, 1780720)
    assert "10.0 % more phone errors, as many word errors." in table(build(both(PLAIN, worse)))


@pytest.mark.parametrize(
    "systems",
    [
        {"plain": both()["plain"]},
        {"cascade": both()["cascade"]},
        {**both(), "plain2": both()["plain"]},
        both(Counts(), Counts()),
        both(Counts(0, 0, 10, 0, 0, 10), Counts(1, 1, 10, 1, 1, 10)),
    ],
)
def test_no_comparison_where_there_is_none(systems):
    assert "against" not in table(build(systems))


def test_several_cascades_are_each_compared():
    systems = {**both(), "big": SystemResult((3, 3), 200, True, PLAIN)}
    assert "cascade against plain: 39.2 %" in table(build(systems))
    assert "big against plain: as many phone errors, as many word errors." in table(build(systems))


def test_different_references_are_refused():
    other = Counts(1, 1, 325871, 1, 1, 1780720)
    with pytest.raises(UserError, match=r"festvox_ru.*plain 325870, cascade 325871"):
        build(both(PLAIN, other))


def test_markdown_tells_where_the_figures_come_from():
    environment = {"commit": "abc", "versions": {"torch": "2.13.0", "k": 1}, "command": "run\n  x"}
    text = markdown(build(both()), environment)
    assert text.startswith("# Results of ru_en\n")
    assert table(build(both())) in text
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
