import dataclasses
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cascade.corpora.audio import AudioInfo
from cascade.data.overlap import Fingerprints, overlap_warnings, shared_recordings
from cascade.data.utterance_checks import CheckedUtterance


def checked(name="u", words="добрый день", speaker="anna", start=0.0, seconds=2.0, **other):
    """An utterance that passed, in a recording of its own."""
    info = AudioInfo(16000, 1, 160000)
    audio = other.pop("audio", Path(f"{name}.wav"))
    words = tuple(words.split())
    return CheckedUtterance(
        name, audio, words, speaker, start, seconds, info, f"digest of {audio}", **other
    )


def warnings(sets, training=("train_ru",)):
    """The warnings about lists of utterances."""
    return overlap_warnings(
        fingerprints_of(sets), training, lambda key, numbers: [sets[key][n] for n in numbers]
    )


def fingerprints_of(sets):
    fingerprints = {key: Fingerprints() for key in sets}
    for key, items in sets.items():
        for number, item in enumerate(items):
            fingerprints[key].add(number, item)
    return fingerprints


def test_clipping():
    items = [checked(f"u{n}", clipped=0.1 * (n != 1)) for n in range(6)]
    assert warnings({"train_ru": items[:2]}) == ["train_ru: u0 is clipped: record with less gain"]
    (five,) = warnings({"train_ru": items})
    assert five == "train_ru: u0, u2, u3 and 2 more are clipped: record with less gain"


def test_the_same_sentence_and_speaker_in_training_and_test():
    sets = {
        "train_ru": [checked("a", speaker="anna"), checked("b", "до свидания", "boris")],
        "test_ru": [checked("c", speaker="anna"), checked("d", "как дела", "clara")],
        "train_ext_en": [checked("e", speaker="anna")],
    }
    assert warnings(sets) == [
        "test_ru: c is the same sentence as one of the training",
        "test_ru: a speaker is also in the training: anna",
    ]


def test_a_copy_of_a_training_recording_under_another_name():
    sets = {
        "train_ru": [checked("a")],
        "test_ru": [
            dataclasses.replace(checked("b", "как дела", "clara"), digest="digest of a.wav")
        ],
    }
    (one,) = warnings(sets)
    assert one == "test_ru: b is the same recording as one of the training"


def test_unknown_speakers_are_not_taken_for_one():
    sets = {
        "train_ru": [checked("a", speaker="unknown")],
        "test_ru": [checked("b", "как дела", speaker="unknown")],
    }
    assert warnings(sets) == []


def test_overlapping_segments_of_a_recording():
    tape = Path("tape.wav")
    segments = [(0.0, 2.0), (1.5, 2.0), (4.0, 1.0)]
    items = [
        checked(f"s{n}", f"слово {n}", start=start, seconds=seconds, audio=tape)
        for n, (start, seconds) in enumerate(segments)
    ]
    (one,) = warnings({"train_ru": items})
    assert one == "train_ru: s1 is begun before another segment has ended"
    apart = [dataclasses.replace(item, audio=Path(f"{item.id}.wav")) for item in items]
    assert warnings({"train_ru": apart}) == []


SEGMENTS = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(0, 50), st.integers(1, 20)), max_size=20
)


@given(SEGMENTS)
def test_overlapping_segments_are_those_that_begin_before_an_end(segments):
    fingerprints = Fingerprints()
    for number, (name, start, length) in enumerate(segments):
        item = checked(str(number), start=start / 4, seconds=length / 4, audio=Path(name))
        fingerprints.add(number, item)
    expected = set()
    for name in "ab":
        end = 0.0
        spans = [(s, n, s + m) for n, (file, s, m) in enumerate(segments) if file == name]
        for start, number, until in sorted(spans):
            if start < end:
                expected.add(number)
            end = max(end, until)
    assert set(fingerprints.overlapping()) == expected


def test_the_channels_of_a_call_are_not_each_others_copies():
    call = Path("call.wav")
    first, second = (checked(f"c{n}", f"слово {n}", audio=call, channel=n) for n in (0, 1))
    assert (
        warnings({"train_ru": [first], "test_ru": [dataclasses.replace(second, speaker="b")]}) == []
    )
    assert warnings({"train_ru": [first, second]}) == []


def test_training_on_a_recording_of_the_test():
    sets = {"train_ru": [checked("a"), checked("b")], "test_ru": [checked("c"), checked("b")]}
    roles = {"train_ru": "train", "test_ru": "test"}

    def pick(key, numbers):
        return [sets[key][n] for n in numbers]

    assert shared_recordings(fingerprints_of(sets), roles, pick) == [
        "b (b.wav) is both in train_ru and test_ru."
    ]
    roles["train_ru"] = "valid"
    assert shared_recordings(fingerprints_of(sets), roles, pick) == []


def test_a_set_without_utterances():
    assert warnings({"train_ru": [], "test_ru": [checked()]}) == []
    assert Fingerprints().speaker_count() == 0


def test_sixty_four_bytes_an_utterance():
    fingerprints = Fingerprints()
    fingerprints.add(0, checked())
    columns = [c for c in vars(fingerprints).values() if hasattr(c, "itemsize")]
    assert sum(column.itemsize for column in columns) == 64
    assert np.all([len(column) == 1 for column in columns])


def test_what_other_sets_have_of_a_recording():
    at = {"audio": Path("long.wav")}
    sets = {
        "untranscribed": [
            checked("a", **at, start=0.0),
            checked("b", **at, start=2.0),  # begins where another ends
            checked("c", **at, start=3.5),
            checked("d", **at, start=1.0, seconds=8.0),
            checked("e", **at, start=5.0, channel=1),
            checked("f", audio=Path("other.wav"), start=5.0),
            checked("g", **at, start=9.0),
        ],
        "test_ru": [checked("x", **at, start=5.0), checked("w", **at, start=4.0)],
        "train_ru": [checked("y", **at, start=0.5, seconds=1.5)],
    }
    own, *others = fingerprints_of(sets).values()
    assert own.heard_in(others) == [0, 2, 3]
    assert own.heard_in(others[1:]) == [0, 3]
    assert own.heard_in([]) == Fingerprints().heard_in([own]) == []
    copy = dataclasses.replace(sets["test_ru"][0], audio=Path("copy.wav"), start=3.5)
    assert own.heard_in(fingerprints_of({"": [copy]}).values()) == [2]  # the same digest
