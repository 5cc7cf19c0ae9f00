import json
from collections import Counter

from cascade.report.comparisons import compare_systems
from cascade.report.phone_analysis import changes
from cascade.scoring.counts import utterance_counts
from cascade.scoring.score import score

TRAINING = {"ru": Counter("abɨ"), "en": Counter("ab")}
REF = {f"u{i:02}": list("aabɨ") for i in range(40)}
WORDS = score({u: ["да", "нет"] for u in REF}, {u: ["да"] for u in REF})
HEARD = {"plain": "aaaɨ", "cascade": "aabɨ", "wide": "abbɨ"}


def compare(*systems, training=TRAINING):
    heard = {s: {u: list(HEARD[s]) if u < "u30" else list("bbb") for u in REF} for s in systems}
    scores = {system: score(REF, hyp) for system, hyp in heard.items()}
    speakers = dict.fromkeys(REF, "anna")
    counts = {s: utterance_counts(WORDS, phones, speakers) for s, phones in scores.items()}
    compared = compare_systems("mine", counts, scores, training, changes(scores))
    return json.loads(json.dumps(compared, allow_nan=False))


def test_two_systems():
    compared = compare("plain", "cascade")
    phones, words, shared, own = compared["verdicts"]
    assert phones.startswith("cascade makes 50.0 % fewer phone errors than plain on mine (95 %")
    assert words.startswith(
        "The difference between cascade and plain on mine is not statistically significant: as many"
    )
    assert shared.startswith("cascade makes 60.0 % fewer errors in shared phones than plain")
    assert "as many errors in the target's own phones" in own
    assert {
        k: v for k, v in compared["phone_classes"]["shared"].items() if k in ("phones", "tokens")
    } == {
        "phones": 2,
        "tokens": 120,
    }
    assert compared["phone_changes"]["cascade"] == {
        "fewer": [{"operation": "substitution", "ref": "b", "hyp": "a", "before": 30, "after": 0}],
        "more": [],
    }


def test_every_pair_is_compared_and_sentences_are_about_the_first_system():
    compared = compare("plain", "cascade", "wide")
    pairs = compared["significance"]["phones"]["pairs"]
    assert [(p["reference"], p["system"]) for p in pairs] == [
        ("plain", "cascade"),
        ("plain", "wide"),
        ("cascade", "wide"),
    ]
    assert all(p["p"] <= p["p_holm"] for p in pairs)
    assert len(compared["verdicts"]) == 8
    for sentence in compared["verdicts"]:
        assert "plain" in sentence and "adjusted for 3 pairs" in sentence


def test_one_system_has_intervals_and_no_verdict():
    compared = compare("plain")
    assert (compared["verdicts"], compared["phone_changes"]) == ([], {})
    rate = compared["significance"]["phones"]["rates"]["plain"]
    assert rate["percent"] == 37.5
    assert rate["interval"][0] < 37.5 < rate["interval"][1]


def test_without_another_language_there_are_no_classes():
    compared = compare("plain", "cascade", training={"ru": TRAINING["ru"]})
    assert compared["phone_classes"] == {}
    assert len(compared["verdicts"]) == 2
