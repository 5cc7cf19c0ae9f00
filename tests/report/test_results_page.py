import itertools
from copy import deepcopy

import pytest

from cascade.report.results_page import Speakers, results_page, summary


def system(cascade, share=None, **figures):
    return {
        "layers": "2+2" if cascade else "4",
        "neurons": 100,
        "cascade": cascade,
        "share": share,
        "ALL_WORDS": 976,
        "ALL_PHONES": 5206,
        **{"WER": 39.4467, "WERc": 36.6803, "PER": 24.2989, "PERc": 22.4357},
        "model_kb": 1323,
        **figures,
    }


def comparison(lower, cascade):
    """A comparison of plain with two systems: (reduction, adjusted p) of each."""
    pairs = [
        {
            "reference": "plain",
            "system": name,
            "reduction": reduction,
            "interval": [reduction - 2, reduction + 2],
            "p": p,
            "p_holm": p,
        }
        for name, (reduction, p) in (("cascade", cascade), ("lower", lower))
    ]
    pairs.append({**pairs[0], "reference": "cascade", "system": "lower"})
    rates = {name: {"percent": 1.0, "interval": None} for name in ("plain", "cascade", "lower")}
    return {"drawn": "utterances", "resamples": 20000, "rates": rates, "pairs": pairs}


def results(phones=((6.53, 0.0002), (-1.4, 0.17)), words=((2.8, 0.23), (0.2, 0.93))):
    test = {
        "files": 1208,
        "systems": {
            "plain": system(False),
            "cascade": system(True, "upper", model_kb=None, PER=None, PERc=None),
            "lower": system(True, "lower"),
        },
        "oov": 2.58,
        "oracle": {"WER": 6.1475},
        "significance": {"words": comparison(*words), "phones": comparison(*phones)},
    }
    return {"recipe": "mine", "seed": 7, "tests": {"call": test}, "training": {}}


def answer(*figures, speakers=None):
    question, item, *_ = summary(results(*figures), speakers or {}).split("\n\n")
    assert question == "**Does training with other languages help?**"
    return " ".join(item.split())


def rows(text, header):
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f"| {header} "))
    lines = itertools.takewhile(lambda line: line.startswith("|"), lines[start:])
    table = [[c.strip() for c in line.strip("|").split("|")] for line in lines]
    return [table[0], *table[2:]]


SIGNIFICANT = (5.0, 0.01)
NOT = (5.0, 0.06)
WORSE = (-5.0, 0.01)


def test_the_answer_is_about_the_best_system():
    assert answer() == (
        "- call: **yes, for phones.** `lower` makes 6.5 % fewer phone errors (95 % interval 4.5 to"
        " 8.5, p < 0.001) and 2.8 % fewer word errors (95 % interval 0.8 to 4.8, p = 0.23) than"
        " `plain`."
    )


@pytest.mark.parametrize(
    ("phones", "words", "expected"),
    [
        (SIGNIFICANT, SIGNIFICANT, "**yes.**"),
        (SIGNIFICANT, NOT, "**yes, for phones.**"),
        (NOT, SIGNIFICANT, "**yes, for words.**"),
        (NOT, NOT, "**not statistically significant.**"),
        (NOT, WORSE, "**no.**"),
        (WORSE, WORSE, "**no.**"),
    ],
)
def test_yes_and_no(phones, words, expected):
    worst = (-50.0, 0.9)
    assert answer((phones, worst), (words, worst)).startswith(f"- call: {expected} `lower` makes")


def test_a_significant_gain_comes_before_a_larger_one_that_is_not():
    assert "`cascade` makes 5.0 % fewer" in answer(((9.0, 0.06), SIGNIFICANT), (NOT, NOT))


@pytest.mark.parametrize(
    ("speakers", "who"),
    [
        ((1, 1, 0), "1 training speaker"),
        ((1, 0, 0), "1 unseen speaker"),
        ((12, 12, 0), "12 training speakers"),
        ((12, 0, 0), "12 unseen speakers"),
        ((12, 3, 0), "12 speakers, 3 of them in the training"),
        ((1, 0, 1), "1 speaker of untranscribed speech"),
        ((12, 0, 5), "12 speakers, 5 of them in untranscribed speech"),
        (
            (12, 3, 5),
            "12 speakers, 3 of them in the training and 5 of them in untranscribed speech",
        ),
    ],
)
def test_speakers_are_named_only_where_they_are_known(speakers, who):
    assert answer(speakers={"call": speakers}).startswith(f"- call ({who}): ")
    assert f"\n1,208 files of {who}, 976 words" in summary(results(), {"call": speakers})
    assert "speaker" not in summary(results(), {"other": speakers})


def taught_results(**untranscribed):
    """Results in which systems learned from the untranscribed speech that is given by system."""
    made = results(phones=((5.0, 0.001), (9.0, 0.001)))
    for name, speech in untranscribed.items():
        made["tests"]["call"]["systems"][name] |= {"teacher": "plain", "untranscribed": speech}
    return made


def test_a_system_with_a_teacher_is_not_compared_with_one_that_heard_less():
    assert "`cascade` makes" in summary(taught_results(), {})
    for others in {"cascade": ["a"]}, {"cascade": []}, {"cascade": ["a"], "plain": ["b"]}:
        text = summary(taught_results(**others), {})
        assert "`cascade` makes" not in text and "same untranscribed speech" not in text
    text = summary(taught_results(cascade=["a"]), {})
    assert "`lower` makes" in text
    systems = [name for name, *_ in rows(text, "system")]
    assert systems == ["system", "plain", "cascade, taught by plain", "lower"]
    assert "cascade" in [name for _, name, *_ in rows(text, "test")]  # with its differences


def test_a_system_with_a_teacher_is_compared_with_one_that_heard_the_same():
    made = taught_results(lower=["a"], cascade=["a"])
    test = made["tests"]["call"]
    test["systems"]["cascade"]["cascade"] = False  # of the target only
    last = test["significance"]["phones"]["pairs"][-1]
    last |= {"reduction": 30.0, "interval": [20.0, 40.0]}
    text = summary(made, {})
    assert "`lower` makes 30.0 % fewer phone errors (95 % interval 20.0 to 40.0" in " ".join(
        text.split()
    )
    assert "than `cascade`." in text
    _, section = text.split("## Differences between systems with the same untranscribed speech")
    header, row = rows(section, "test")
    assert header[:4] == ["test", "system", "compared with", "fewer phone errors"]
    assert row[:4] == ["call", "lower", "cascade", "**30.0 % (20.0 to 40.0)**"]


def test_the_table_says_what_is_shared():
    header, plain, cascade, lower = rows(summary(results(), {}), "system")
    assert header == ["system", "layers", "neurons", "shared", "Wer/Werc", "Per/Perc", "model, KB"]
    rates = ["39.4467/36.6803", "24.2989/22.4357"]
    assert plain == ["plain", "4", "100", "–", *rates, "1323"]
    assert cascade == ["cascade", "2+2", "100", "upper layers", rates[0], "n/a", "n/a"]
    assert lower == ["lower", "2+2", "100", "lower layers", *rates, "1323"]
    result = results()
    deep = result["tests"]["call"]["systems"]["lower"]
    deep["layers"] = "4+0"  # the outputs are apart
    assert rows(summary(result, {}), "system")[3][3] == "all layers"
    deep["share"], deep["layers"] = "all", "4"
    assert rows(summary(result, {}), "system")[3][3] == "everything"
    deep["encoder"] = "conformer"
    assert rows(summary(result, {}), "system")[3][1] == "4 conformer"


def test_sizes():
    sizes = summary(results(), {}).split("\n\n")[4]
    assert " ".join(sizes.split()) == (
        "1,208 files, 976 words, 5,206 phones, OOV 2.6 %. With correct phones, the same graph gives"
        " 6.1 % WER."
    )
    result = results()
    result["tests"]["call"]["open"] = True
    assert "OOV 2.6 %, spelt from pieces." in summary(result, {})


def test_every_difference_from_the_reference_is_in_one_table():
    result = results()
    result["tests"]["other"] = deepcopy(result["tests"]["call"])
    header, *body = rows(summary(result, {}), "test")
    assert header == ["test", "system", "fewer phone errors", "p", "fewer word errors", "p"]
    lower = ["**6.5 % (4.5 to 8.5)**", "< 0.001", "2.8 % (0.8 to 4.8)", "0.23"]
    cascade = ["-1.4 % (-3.4 to 0.6)", "0.17", "0.2 % (-1.8 to 2.2)", "0.93"]
    assert body == [
        [test, name, *cells]
        for test in ("call", "other")
        for name, cells in (("cascade", cascade), ("lower", lower))
    ]


def test_how_differences_are_computed():
    text = " ".join(summary(results(), {}).split())
    assert "paired bootstrap of utterances, 20,000 resamples" in text
    assert "adjusted for all pairs of systems" in text and "trained once (seed 7)" in text
    result = results()
    for of_unit in result["tests"]["call"]["significance"].values():
        of_unit["drawn"] = "speakers"
        del of_unit["pairs"][1:], of_unit["rates"]["lower"]
    text = " ".join(summary(result, {}).split())
    assert "bootstrap of speakers" in text and "adjusted" not in text


def test_one_system_has_no_answer_and_no_differences():
    result = results()
    test = result["tests"]["call"]
    test["systems"] = {"plain": test["systems"]["plain"]}
    for of_unit in test["significance"].values():
        of_unit |= {"pairs": [], "rates": {"plain": of_unit["rates"]["plain"]}}
    text = summary(result, {})
    assert text.startswith("## call\n") and "Differences" not in text


def test_the_page_says_where_the_rest_is_and_where_the_figures_come_from():
    environment = {"commit": "abc", "versions": {"torch": "2.13.0", "k": 1}, "command": "run\n  x"}
    page = results_page(results(), environment, {})
    assert page.startswith("# Results of mine\n\n**Does training with other languages help?**\n")
    assert summary(results(), {}) in page
    assert "[DETAILS.md](DETAILS.md)" in page and "`exp/mine/`" in page
    end = "\n\n## Environment\n\n- commit: abc\n- versions: torch 2.13.0, k 1\n- command: run x\n"
    assert page.endswith(end)


def test_the_page_says_which_tests_were_adapted_to():
    plain = summary(results(), {"call": Speakers(1, 0, 0)})
    adapted = results()
    adapted["tests"]["call"]["adapted"] = {"plain": 1, "cascade": 1}
    text = " ".join(summary(adapted, {"call": Speakers(1, 0, 0)}).split())
    assert "- call (1 unseen speaker, adapted to each speaker): **yes" in text
    assert "Recognised in two passes" in text and "two passes" not in plain
    assert "- call (adapted to each speaker): **yes" in " ".join(summary(adapted, {}).split())
    assert "too little" not in text
    few = " ".join(summary(adapted, {"call": Speakers(2, 0, 0)}).split())
    assert "too little was recognised; adapted to: `plain` 1, `cascade` 1." in few
