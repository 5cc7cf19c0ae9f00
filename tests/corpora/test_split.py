from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade.config.sections import Split
from cascade.corpora.corpus import Excluded, Utterance
from cascade.corpora.split import choose, contains, group, position, select
from cascade.runtime.errors import UserError

BY = st.sampled_from(["speaker", "utterance", "sentence"])
NAMES = st.lists(st.text(min_size=1), unique=True, max_size=30)


def utterance(name, speaker="unknown"):
    return Utterance(name, Path("a.wav"), f"text {len(name)}", speaker)


def thirds(by, seed=0):
    spans = ((0.0, 33.3), (33.3, 66.6), (66.6, 100.0))
    return [Split(span, by, seed) for span in spans]


@given(NAMES, st.integers(0, 4), BY, st.integers(0, 9))
def test_each_utterance_is_in_one_part(names, speakers, by, seed):
    items = [
        utterance(n, f"s{i % speakers}" if speakers else "unknown") for i, n in enumerate(names)
    ]
    items += [Excluded(f"left out {n}", "a reason") for n in names]
    chosen = [list(select(items, split)) for split in thirds(by, seed)]
    assert sorted(i.id for some in chosen for i in some) == sorted(i.id for i in items)
    if by == "sentence":
        texts = [{i.text for i in some if isinstance(i, Utterance)} for some in chosen]
        assert sum(map(len, texts)) == len(set().union(*texts))
    if by == "speaker":
        speakers_in = [{i.speaker for i in some if isinstance(i, Utterance)} for some in chosen]
        for one, other in ((0, 1), (0, 2), (1, 2)):
            assert speakers_in[one] & speakers_in[other] <= {"unknown"}


@given(NAMES, st.text(min_size=1), BY)
def test_what_is_added_moves_no_other(names, new, by):
    items = [utterance(name, f"s{len(name)}") for name in names if name != new]
    for split in thirds(by):
        before = [item.id for item in select(items, split)]
        after = [
            i.id for i in select([utterance(new, f"s{len(new)}"), *items], split) if i.id != new
        ]
        assert before == after


def test_without_a_split_all_is_taken():
    items = [utterance("a"), Excluded("b", "a reason")]
    assert list(select(items, None)) == items


def test_positions_are_evenly_spread():
    positions = [position(f"u{i}", 0) for i in range(10_000)]
    assert min(positions) >= 0 and max(positions) < 100
    counts, _ = np.histogram(positions, bins=10, range=(0, 100))
    assert counts.min() > 900 and counts.max() < 1100
    assert position("u0", 0) != position("u0", 1)


@pytest.mark.parametrize("speakers", [3, 4, 10, 300])
def test_few_speakers_are_in_every_part(speakers):
    seconds = {f"speaker s{i}": 60.0 for i in range(speakers)}
    parts = choose(seconds, {"train": 80.0, "valid": 10.0, "test": 10.0}, "speaker")
    assert [parts[r].between for r in parts] == [(0.0, 80.0), (80.0, 90.0), (90.0, 100.0)]
    sizes = {r: sum(contains(split, name) for name in seconds) for r, split in parts.items()}
    assert sum(sizes.values()) == speakers and min(sizes.values()) >= 1
    assert sizes["train"] == max(sizes.values())
    assert abs(sizes["test"] - speakers / 10) <= max(1, speakers / 50)


def test_one_speaker_of_most_trains():
    seconds = {"speaker a": 3000.0, "speaker b": 100.0, "speaker c": 100.0}
    parts = choose(seconds, {"train": 80.0, "valid": 10.0, "test": 10.0}, "speaker")
    assert contains(parts["train"], "speaker a")


def test_an_unknown_speaker_is_placed_by_the_utterance():
    assert group("u", "unknown", "да", "speaker") == "utterance u"
    assert group("u", "anna", "да", "utterance") == "utterance u"
    assert group("u", "anna", "да", "speaker") == "speaker anna"


def test_a_sentence_is_in_one_part_whoever_reads_it():
    texts = [f"Sentence {n}." for n in range(60)]
    items = [
        Utterance(f"{n} {speaker}", Path("a.wav"), form(text), speaker)
        for speaker, form in (("anna", str), ("boris", str.upper), ("clara", lambda t: t[:-1]))
        for n, text in enumerate(texts)
    ]
    chosen = [{i.id.split()[0] for i in select(items, split)} for split in thirds("sentence")]
    assert all(chosen) and sum(map(len, chosen)) == len(texts)


def test_marks_do_not_tell_sentences_apart():
    same = {group(u, "anna", text, "sentence") for u, text in (("a", "за́мок!"), ("b", "Замок"))}
    assert same == {"sentence замок"}
    assert group("a", "anna", "?!", "sentence") == "utterance a"


@pytest.mark.parametrize(
    ("split", "what"),
    [
        ({"between": [80, 70]}, "split.between must be two percentages"),
        ({"between": [0, 101]}, "split.between must be"),
        ({"between": [10]}, "split.between must be"),
        (
            {"between": [0, 80], "by": "sex"},
            "split.by must be one of speaker, utterance, sentence, not 'sex'",
        ),
        ({"betwen": [0, 80]}, "unknown key 'betwen'.*'between'"),
    ],
)
def test_bad_splits(raw, read, split, what):
    raw["datasets"][0]["split"] = split
    with pytest.raises(UserError, match=what):
        read(raw)


def test_a_split_of_a_recipe(raw, read):
    raw["datasets"][0]["split"] = {"between": [0, 80], "seed": 3}
    assert read(raw).datasets[0].split == Split((0.0, 80.0), "speaker", 3)
