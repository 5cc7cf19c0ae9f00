import random
from collections import Counter

import kaldialign
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import random_texts

from cascade.config.sections import Language
from cascade.runtime.errors import UserError
from cascade.scoring.score import EPS, Score, counts_of, score, score_files
from cascade.scoring.speechbox import Counts
from cascade.text.words import WordNormalizer


def of(ref: str, hyp: str) -> Score:
    return score({"u": ref.split()}, {"u": hyp.split()})


@pytest.mark.parametrize(
    ("ref", "hyp", "sub", "dele", "ins"),
    [
        ("a b c", "a b c", 0, 0, 0),
        ("a b c", "a x c", 1, 0, 0),
        ("a b c", "a c", 0, 1, 0),
        ("a b c", "a b x c", 0, 0, 1),
        ("a b c d e f g", "x b d e f y g", 1, 1, 1),
        ("a b c", "", 0, 3, 0),
        ("", "a b", 0, 0, 2),
        ("", "", 0, 0, 0),
        ("a b", "x y z", 2, 0, 1),
        ("a", "a a a", 0, 0, 2),
        # A draw: three substitutions cost as much as two deletions and two insertions.
        ("a b c", "c x y", 3, 0, 0),
        ("a b c d", "d x y z a", 4, 0, 1),
    ],
)
def test_planted_errors(ref, hyp, sub, dele, ins):
    result = of(ref, hyp)
    assert (result.sub, result.dele, result.ins) == (sub, dele, ins)
    assert result.total == len(ref.split())
    assert (result.errors, result.terrors) == (sub + dele + ins, sub + dele)
    assert result.counts["u"] == (result.total - sub - dele, sub, ins, dele)
    assert result.partial == []


def test_pairs_and_operations():
    result = of("a b c d", "a x d e")
    assert result.pairs("u") == [("a", "a"), ("b", EPS), ("c", "x"), ("d", "d"), (EPS, "e")]
    assert result.ops == [
        ("correct", "a", "a", 1),
        ("correct", "d", "d", 1),
        ("deletion", "b", EPS, 1),
        ("insertion", EPS, "e", 1),
        ("substitution", "c", "x", 1),
    ]


def test_a_missing_hypothesis_counts_as_deletions():
    result = score({"u2": ["a", "b"], "u1": ["c"]}, {"u1": ["c"]})
    assert (result.sub, result.dele, result.ins, result.partial) == (0, 2, 0, ["u2"])
    assert list(result.ref) == list(result.hyp) == ["u1", "u2"]


def test_an_empty_hypothesis_is_not_missing():
    assert score({"u": ["a"]}, {"u": []}).partial == []


def test_order_does_not_matter():
    ref = {f"u{i}": list("abcde")[i % 3 :] for i in range(20)}
    hyp = {u: ["a", *reversed(tokens)] for u, tokens in ref.items()}
    shuffled = list(hyp.items())
    random.Random(0).shuffle(shuffled)
    one, other = score(ref, dict(shuffled)), score(dict(reversed(ref.items())), hyp)
    assert one == other
    assert [one.pairs(u) for u in ref] == [other.pairs(u) for u in ref]


CYRILLIC = WordNormalizer(Language("абвгдеёжзийклмнопрстуфхцчшщъыьэюя", "ru", fold={"ё": "е"}))


def test_one_rule_for_reference_and_hypothesis():
    ref = {"u": ["Ёж", "кто-то", "…", "за́мок", "12", "да"]}
    hyp = {"u": ["еж", "кто", "то", "замок", "12", "ДА!"]}
    result = score(ref, hyp, CYRILLIC)
    assert (result.errors, result.total) == (0, 6)
    assert result.ref["u"] == result.hyp["u"] == ["еж", "кто", "то", "замок", "12", "да"]
    assert score(ref, hyp).errors > 0


@settings(deadline=None)
@given(st.lists(st.lists(st.text("аёАЁ-…1 ́", max_size=4), max_size=5), max_size=5), st.data())
def test_normalized_before_or_while_scoring(texts, data):
    """Scored by a rule, texts count as those that the rule makes of them."""
    ref = {f"u{i}": text for i, text in enumerate(texts)}
    hyp = {u: data.draw(st.permutations(text)) for u, text in ref.items()}
    plain = [
        {u: [w for words in CYRILLIC(text) for w in words] for u, text in side.items()}
        for side in (ref, hyp)
    ]
    assert score(ref, hyp, CYRILLIC) == score(*plain)


def test_a_word_like_the_gap_sign_is_refused():
    with pytest.raises(UserError, match="gap"):
        of("a ***", "a")


TEXT = st.dictionaries(
    st.text("uv12", min_size=1, max_size=4), st.lists(st.sampled_from("abc"), max_size=12)
)


@given(TEXT)
def test_identical_texts_have_no_errors(text):
    result = score(text, text)
    assert (result.errors, result.total) == (0, sum(map(len, text.values())))
    assert all(op == "correct" for op, *_ in result.ops)


@settings(deadline=None)
@given(TEXT, st.data())
def test_what_happens_to_hypotheses(ref, data):
    """Lost, they are deletions; in another order, nothing; doubled, all insertions."""
    hyp = {u: data.draw(st.lists(st.sampled_from("abcd"), max_size=12)) for u in ref}
    result = score(ref, hyp)
    order = data.draw(st.permutations(list(hyp)))
    assert score(ref, {u: hyp[u] for u in order}) == result
    kept = set(data.draw(st.lists(st.sampled_from(order)))) if order else set()
    fewer = score(ref, {u: hyp[u] for u in kept})
    assert fewer.partial == sorted(ref.keys() - kept)
    for u in ref:
        assert fewer.counts[u] == (result.counts[u] if u in kept else (0, 0, 0, len(ref[u])))
    twice = score(ref, {u: [*tokens, *tokens] for u, tokens in ref.items()})
    assert (twice.sub, twice.dele, twice.ins) == (0, 0, twice.total)


@settings(deadline=None)
@given(TEXT, st.data())
def test_against_other_aligners(ref, data):
    hyp = {u: data.draw(st.lists(st.sampled_from("abcd"), max_size=12)) for u in ref}
    result = score(ref, hyp)
    assert result.terrors <= result.total
    ops: Counter = Counter()
    for u in ref:
        correct, sub, ins, dele = result.counts[u]
        pairs = result.pairs(u)
        assert [r for r, _ in pairs if r != EPS] == ref[u]
        assert [h for _, h in pairs if h != EPS] == hyp[u]
        assert correct == sum(r == h for r, h in pairs)
        assert sub == sum(r != h and EPS not in (r, h) for r, h in pairs)
        assert (correct + sub + dele, correct + sub + ins) == (len(ref[u]), len(hyp[u]))
        assert 4 * sub + 3 * (ins + dele) == distance(ref[u], hyp[u], 4, 3)
        theirs = kaldialign.edit_distance(ref[u], hyp[u], sclite_mode=True)
        assert 4 * sub + 3 * (ins + dele) == 4 * theirs["sub"] + 3 * (theirs["ins"] + theirs["del"])
        assert sub + ins + dele >= distance(ref[u], hyp[u], 1, 1)
        ops.update(pairs)
    assert ops == {(r, h): n for _, r, h, n in result.ops}


def distance(ref, hyp, substitution, gap):
    """Levenshtein's, with weights."""
    row = [gap * j for j in range(len(hyp) + 1)]
    for r in ref:
        last, row = row, [row[0] + gap]
        for j, h in enumerate(hyp):
            paired = last[j] + (substitution if r != h else 0)
            row.append(min(paired, last[j + 1] + gap, row[j] + gap))
    return row[-1]


def test_many_lengths_at_once_as_one_by_one():
    """Batches and their padding change nothing."""
    ref, hyp = random_texts(300, seed=3)
    ref["long"], hyp["long"] = ["a", "b"] * 2000, ["b", "c", "a"] * 1200
    together = score(ref, hyp)
    for u in ref:
        assert score({u: ref[u]}, {u: hyp[u]}).pairs(u) == together.pairs(u)


def put(tmp_path, ref: str, hyp: str):
    (tmp_path / "ref").write_text(ref, encoding="utf-8")
    (tmp_path / "hyp").write_text(hyp, encoding="utf-8")
    return tmp_path / "ref", tmp_path / "hyp"


def test_files(tmp_path):
    rule = WordNormalizer(Language("abcd", "en", fold={"a": "b"}))
    result = score_files(*put(tmp_path, "u1 a b\nu2 c\nu3 d\n", "u2 c\nu1\n"), rule)
    assert (result.sub, result.dele, result.ins, result.total) == (0, 3, 0, 4)
    assert result.partial == ["u3"]


@pytest.mark.parametrize(
    ("hyp", "named"),
    [
        ("u1 a\nu1 b\n", ["hyp", "line 2", "u1"]),
        ("u1 a\n\nu10 b\n", ["hyp", "line 3", "u10", "ref"]),
    ],
)
def test_doubled_and_superfluous_hypotheses_are_errors(tmp_path, hyp, named):
    with pytest.raises(UserError) as caught:
        score_files(*put(tmp_path, "u1 a\n", hyp))
    assert all(word in str(caught.value) for word in named)


def test_files_that_cannot_be_read(tmp_path):
    ref, hyp = put(tmp_path, "u1 a\n", "")
    hyp.write_bytes(b"u1 \xff\xfe\n")
    with pytest.raises(UserError, match=r"hyp.*UTF-8"):
        score_files(ref, hyp)
    with pytest.raises(UserError, match="none"):
        score_files(ref, tmp_path / "none")


def test_a_hypothesis_without_a_reference_is_an_error():
    with pytest.raises(UserError, match="'v'"):
        score({"u": []}, {"v": []})


def test_counts_of():
    words, phones = of("a b c", "a x c d"), of("a b c d", "b c d")
    assert counts_of(words, phones, 9) == Counts(2, 1, 3, 1, 1, 4, 9)
