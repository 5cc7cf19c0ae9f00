import json

import pytest

from cascade.report.results import SystemResult, TestResult, results_json, write
from cascade.runtime.errors import UserError
from cascade.runtime.files import as_json
from cascade.scoring.speechbox import Counts

# The original's log of the plain network, and counts made up to give the cascade's rates.
PLAIN = Counts(239410, 230645, 325870, 901680, 714640, 1780720, 2728)
CASCADE = Counts(172360, 157225, 325870, 548450, 393384, 1780720, 2800)


TRAINED = {"plain": {"best_step": 40, "valid_per": 51.25, "ablation": {"whole": 51.25}}}


def build(systems, **extra):
    return results_json("ru_en", 0, {"festvox_ru": TestResult(200, systems, extra)}, TRAINED)


def both(plain=PLAIN, cascade=CASCADE):
    return {
        "plain": SystemResult((4,), 100, False, plain, 1500),
        "cascade": SystemResult([2, 2], 100, True, cascade, 1501, "upper"),
    }


def test_results_json_has_the_keys_in_order():
    result = build(both(), oov=21.25)
    assert list(result) == ["recipe", "seed", "tests", "training"]
    test = result["tests"]["festvox_ru"]
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


def test_an_encoder_is_named_where_it_is_not_the_lstm():
    (test,) = build({"blstm": SystemResult((4,), 100, False, PLAIN, encoder="blstm")})[
        "tests"
    ].values()
    assert test["systems"]["blstm"]["encoder"] == "blstm"


def test_the_file_is_indented_by_two_and_ends_with_a_line_end():
    text = as_json(build(both()))
    assert text.startswith('{\n  "recipe": "ru_en",\n  "seed": 0,\n  "tests": {\n')
    assert text.endswith("\n}\n")
    assert json.loads(text) == build(both())


def test_what_is_not_known_is_null_and_not_available():
    result = build({"plain": SystemResult((4,), 100, False, Counts(errors=1, all_words=3))})
    system = result["tests"]["festvox_ru"]["systems"]["plain"]
    assert (system["WER"], system["WERc"], system["PER"]) == (33.3333, None, None)
    assert '"PER": null' in as_json(result)


def test_different_references_are_refused():
    other = Counts(1, 1, 325871, 1, 1, 1780720)
    with pytest.raises(UserError, match=r"festvox_ru.*plain 325870, cascade 325871"):
        build(both(PLAIN, other))


def test_extra_figures_do_not_hide_others():
    with pytest.raises(ValueError, match="files"):
        build(both(), files=3)


def test_write(tmp_path):
    result = build(both())
    write(tmp_path, result, {}, {})
    write(tmp_path, result, {"date": "today"}, {})
    names = ["DETAILS.md", "RESULTS.md", "results.json"]
    assert sorted(p.name for p in tmp_path.iterdir()) == names
    assert (tmp_path / "results.json").read_bytes() == as_json(result).encode()
    page = (tmp_path / "RESULTS.md").read_text(encoding="utf-8")
    assert page.startswith("# Results of ru_en\n\n## festvox_ru\n")
    assert "[DETAILS.md](DETAILS.md)" in page and page.endswith("- date: today\n")
    assert (tmp_path / "DETAILS.md").read_text(encoding="utf-8").startswith("# Details of ru_en\n")


def test_errors_of_characters_stand_beside_those_of_words():
    result = SystemResult((4,), 100, False, Counts(1, 1, 3, 1, 1, 9), characters=(2, 12))
    system = build({"plain": result})["tests"]["festvox_ru"]["systems"]["plain"]
    assert (system["CHAR_ERRORS"], system["ALL_CHARS"], system["CER"]) == (2, 12, 16.6667)
