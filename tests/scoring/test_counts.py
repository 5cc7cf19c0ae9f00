from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade.runtime.errors import UserError
from cascade.runtime.files import write_text
from cascade.scoring.counts import HEADER, counts_tsv, read_counts, stacked, utterance_counts
from cascade.scoring.score import score

WORDS = score({"u2": ["a", "b"], "u1": ["c"]}, {"u1": ["c", "d"]})
PHONES = score({"u2": list("abc"), "u1": list("de")}, {"u2": list("axc"), "u1": ["d"]})
SPEAKERS = {"u1": "anna", "u2": "boris"}
FOUND = utterance_counts(WORDS, PHONES, SPEAKERS)


def test_the_file_has_a_line_an_utterance(tmp_path):
    assert counts_tsv(FOUND) == (
        "\t".join(HEADER)
        + "\nu1\tanna\t1\t0\t0\t1\t2\t0\t1\t0\nu2\tboris\t2\t0\t2\t0\t3\t1\t0\t0\n"
    )


def test_sums_are_those_of_the_score():
    for unit, result in (("words", WORDS), ("phones", PHONES)):
        assert FOUND.errors(unit).sum() == result.errors
        assert FOUND.tokens(unit).sum() == result.total


@pytest.mark.parametrize(
    ("words", "phones", "speakers"),
    [
        (score({"u1": ["c"]}, {}), PHONES, SPEAKERS),
        (WORDS, score({"u1": ["c"]}, {}), SPEAKERS),
        (WORDS, PHONES, {"u1": "anna"}),
    ],
)
def test_an_utterance_that_lacks_something_is_named(words, phones, speakers):
    with pytest.raises(
        UserError, match=r"'u2' lacks its words, its phones or its speaker.*stage 1"
    ):
        utterance_counts(words, phones, speakers)


TEXTS = st.dictionaries(
    st.text("uv12-", min_size=1, max_size=4), st.lists(st.sampled_from("ab"), max_size=5)
)


@settings(deadline=None)
@given(TEXTS, st.data())
def test_what_is_written_is_read_back(tmp_path_factory, ref, data):
    hyp = {u: data.draw(st.lists(st.sampled_from("abc"), max_size=5)) for u in ref}
    result = utterance_counts(score(ref, hyp), score(hyp, ref), dict.fromkeys(ref, "anna"))
    path = tmp_path_factory.mktemp("counts") / "counts.tsv"
    write_text(path, counts_tsv(result))
    read = read_counts(path)
    assert (read.utterances, read.speakers) == (result.utterances, result.speakers)
    for unit in ("words", "phones"):
        assert np.array_equal(read.counts[unit], result.counts[unit])
        assert read.errors(unit).shape == (len(ref),)


@pytest.mark.parametrize(
    "text",
    ["", "utterance speaker\n", counts_tsv(FOUND) + "u3\tanna\t1\n", counts_tsv(FOUND) + "u3\n"],
)
def test_another_file_is_refused(tmp_path, text):
    write_text(tmp_path / "counts.tsv", text)
    with pytest.raises(UserError, match=r"counts\.tsv is not a table of counts.*stage 5"):
        read_counts(tmp_path / "counts.tsv")


def test_a_missing_file_names_the_stage(tmp_path):
    with pytest.raises(UserError, match=r"counts\.tsv cannot be read.*Run stage 5"):
        read_counts(tmp_path / "counts.tsv")


def of(utterances: Sequence[str], ref: str = "abc"):
    result = score({f"u{name}": list(ref) for name in utterances}, {})
    return utterance_counts(result, result, dict.fromkeys(result.ref, "anna"))


def test_runs_are_stacked_by_seed():
    errors, tokens = stacked({"a": [FOUND, FOUND], "b": [FOUND, FOUND]}, "phones")
    assert tokens.tolist() == [2, 3]
    assert errors["a"].tolist() == errors["b"].tolist() == [[1, 1], [1, 1]]


@pytest.mark.parametrize("other", [of("xy"), of("x"), of("xy", "abcd")])
def test_runs_of_other_references_are_refused(other):
    runs = {"plain": [of("xyz")], "cascade": [other]}
    with pytest.raises(UserError, match=r"different words.*'cascade'"):
        stacked(runs, "words")
