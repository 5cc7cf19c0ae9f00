from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade.config.experiment import Experiment
from cascade.report.phone_analysis import (
    CLASSES,
    by_class,
    changes,
    changes_tsv,
    class_counts,
    class_extents,
    class_of,
    phones_tsv,
    training_phones,
)
from cascade.runtime.files import write_text_table
from cascade.scoring.score import EPS, score

TRAINING = {"ru": Counter(a=5, b=3, ɨ=2), "en": Counter(a=9, w=4), "cs": Counter(b=1)}
REF = {"u1": list("abɨ"), "u2": list("awɨ"), "u3": []}
PLAIN = score(REF, {"u1": list("aaɨ"), "u2": list("aɨɨ"), "u3": list("b")})
CASCADE = score(REF, {"u1": list("ab"), "u2": list("aɨ"), "u3": []})
SCORES = {"plain": PLAIN, "cascade": CASCADE}


@pytest.mark.parametrize(
    ("phone", "name"), [("a", "shared"), ("b", "shared"), ("ɨ", "own"), ("w", "new"), ("x", "new")]
)
def test_classes(phone, name):
    assert class_of(phone, TRAINING) == name


def test_an_error_belongs_to_the_reference_s_phone_or_to_the_inserted_one():
    tokens, errors = class_counts(PLAIN, TRAINING)
    assert tokens.tolist() == [[2, 1, 0], [1, 1, 0], [0, 1, 0]]  # shared, own, new
    assert errors.tolist() == [[1, 0, 1], [0, 0, 0], [0, 1, 0]]


PHONES = st.lists(st.sampled_from("abɨwx"), max_size=6)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["u1", "u2", "u3"]), PHONES), st.data())
def test_classes_add_up_to_the_score(ref, data):
    result = score(ref, {u: data.draw(PHONES) for u in ref})
    tokens, errors = class_counts(result, TRAINING)
    assert tokens.sum(axis=0).tolist() == [len(ref[u]) for u in result.ref]
    assert errors.sum(axis=0).tolist() == [sum(result.counts[u][1:]) for u in result.counts]
    extents = class_extents(result, TRAINING)
    assert [extents[name]["tokens"] for name in CLASSES] == tokens.sum(axis=1).tolist()
    assert sum(e["phones"] for e in extents.values()) == len(set().union(*ref.values()))


def test_a_gain_in_the_shared_phones_is_found_there():
    random = np.random.default_rng(0)
    ref = {f"u{i:03}": list("aaaaɨɨɨɨ") for i in range(100)}

    def heard(rates):  # phone -> how often it is heard as another
        return {
            u: ["x" if random.random() < rates[phone] else phone for phone in phones]
            for u, phones in ref.items()
        }

    scores = {
        "plain": score(ref, heard({"a": 0.5, "ɨ": 0.5})),
        "cascade": score(ref, heard({"a": 0.2, "ɨ": 0.5})),
    }
    result = by_class(scores, TRAINING, ["anna"] * 100)
    assert list(result) == ["shared", "own"]
    assert result["shared"].pairs[0].interval[0] > 40
    assert result["own"].pairs[0].p > 0.05


def test_errors_fixed_and_introduced_the_largest_first():
    ref = {"u": list("aaaaabbb")}
    result = changes(
        {
            "plain": score(ref, {"u": list("xxxxabbb")}),
            "one": score(ref, {"u": list("xaaaayyb")}),
            "two": score(ref, {"u": list("xxxxabb")}),
        }
    )
    changed = [(c.system, c.operation, c.ref, c.hyp, c.before, c.after, c.more) for c in result]
    assert changed == [
        ("one", "substitution", "a", "x", 4, 1, -3),
        ("one", "substitution", "b", "y", 0, 2, 2),
        ("two", "deletion", "b", EPS, 0, 1, 1),
    ]
    assert {c.reference for c in result} == {"plain"}


def test_the_same_system_has_no_changes():
    assert changes({"plain": PLAIN, "again": PLAIN}) == []
    assert changes({"plain": PLAIN}) == []


def test_the_table_of_phones():
    assert phones_tsv(SCORES, TRAINING).splitlines() == [
        "phone\tclass\ttrain_ru\ttrain_en\ttrain_cs\ttest"
        "\tplain_sub\tplain_del\tplain_ins\tplain_per"
        "\tcascade_sub\tcascade_del\tcascade_ins\tcascade_per",
        "a\tshared\t5\t9\t0\t2\t0\t0\t0\t0.00\t0\t0\t0\t0.00",
        "b\tshared\t3\t0\t1\t1\t1\t0\t1\t200.00\t0\t0\t0\t0.00",
        "ɨ\town\t2\t0\t0\t2\t0\t0\t0\t0.00\t0\t1\t0\t50.00",
        "w\tnew\t0\t4\t0\t1\t1\t0\t0\t100.00\t0\t1\t0\t100.00",
    ]


def test_the_table_of_changes():
    header, *lines = changes_tsv(changes(SCORES), TRAINING).splitlines()
    assert header.split("\t")[:4] == ["reference", "system", "operation", "ref"]
    assert f"plain\tcascade\tdeletion\tɨ\t{EPS}\town\t0\t1\t+1" in lines
    assert f"plain\tcascade\tinsertion\t{EPS}\tb\tshared\t1\t0\t-1" in lines
    assert "plain\tcascade\tsubstitution\tw\tɨ\tnew\t1\t0\t-1" in lines
    assert len(lines) == 5


def test_shared_phones_are_those_of_training_transcripts(small, read):
    raw, layout = small
    borrowed = {"role": "train_ext", "language": "ru", "corpus": "table", "stream": "borrowed"}
    raw["datasets"].append(borrowed)  # the text of it is not the target's own speech
    recipe = read(raw)
    for key, phones in (("train_ru", "a b"), ("train_ext_en", "b c c"), ("test_ru", "c d")):
        write_text_table(layout.text(key, "phones"), {"u": phones.split()})
    result = training_phones(Experiment(recipe, layout))
    assert list(result) == ["ru", "en"]
    assert result == {"ru": Counter("ab"), "en": Counter("bcc")}
    assert [class_of(phone, result) for phone in "abcd"] == ["own", "shared", "new", "new"]
