import dataclasses
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cascade.config.sections import Language
from cascade.corpora.audio import AudioInfo
from cascade.data.overlap import Fingerprints, overlap_warnings, shared_recordings
from cascade.data.utterance_checks import CheckedUtterance

RUSSIAN = Language("абвгдеёжзийклмнопрстуфхцчшщъыьэюя", "ru", fold={"ё": "е"})


def checked(name="u", words="добрый день", speaker="anna", start=0.0, seconds=2.0, **other):
    """An utterance that passed, in a recording of its own."""
    info = AudioInfo(16000, 1, 160000)
    audio = other.pop("audio", Path(f"{name}.wav"))
    words = tuple(words.split())
    return CheckedUtterance(
        name, audio, words, speaker, start, seconds, info, f"digest of {audio}", **other
    )


def role(key):
    return next(r for r in ("train_ext", "train", "valid", "test") if key.startswith(r))


def warnings(sets):
    """The warnings about lists of utterances, by keys such as ``test_ru``."""
    roles = {key: role(key) for key in sets}
    target = {key for key in sets if key.split("_")[-1].startswith("ru")}
    return overlap_warnings(
        fingerprints_of(sets), roles, target, lambda key, numbers: [sets[key][n] for n in numbers]
    )


def fingerprints_of(sets):
    fingerprints = {key: Fingerprints(RUSSIAN) for key in sets}
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


def test_a_second_stream_of_the_target_is_training_too():
    sets = {
        "train_ru": [checked("a")],
        "train_ext_ru": [checked("b", "как дела", "clara")],
        "train_ext_en": [checked("c", "see you", "clive")],
        "valid_ru": [checked("d", "как дела", "doris")],
        "test_ru": [
            checked("e", "где он", "clara"),
            checked("f", "see you", "clive"),
            dataclasses.replace(checked("g", "и так", "gleb"), digest="digest of c.wav"),
        ],
    }
    assert warnings(sets) == [
        "valid_ru: d is the same sentence as one of the training",
        "test_ru: g is the same recording as one of the training",
        "test_ru: a speaker is also in the training: clara",
    ]


def test_a_test_that_chooses_the_models():
    tape = Path("tape.wav")
    sets = {
        "train_ru": [checked("a")],
        "valid_ru": [checked("b", "как дела", "boris", audio=tape, start=3.0)],
        "test_ru": [
            checked("c", "где он", "boris", audio=tape, start=4.2, seconds=0.8),
            checked("d", "и так", "boris", audio=tape, start=5.0),
        ],
    }
    assert warnings(sets) == [
        "test_ru: c is also in valid, which chooses the models: use other speech"
    ]


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
    fingerprints = Fingerprints(RUSSIAN)
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
    sets = fingerprints_of({"first": [first], "second": [second]})
    mean = fingerprints_of({"": [dataclasses.replace(first, channel=None)]})[""]
    assert sets["first"].overlapping_with([sets["second"]]) == []
    assert sets["first"].overlapping_with([mean]) == mean.overlapping_with(sets.values()) == [0]


def test_training_on_a_recording_of_the_test():
    sets = {"train_ru": [checked("a"), checked("b")], "test_ru": [checked("c"), checked("b")]}
    roles = {"train_ru": "train", "test_ru": "test"}

    def pick(key, numbers):
        return [sets[key][n] for n in numbers]

    assert shared_recordings(fingerprints_of(sets), roles, pick) == [
        "b (b.wav) is both in train_ru and test_ru."
    ]
    # Other boundaries, and a channel that the training does not name.
    sets["test_ru"][1] = checked("b", start=0.7, seconds=9.0, channel=0)
    assert shared_recordings(fingerprints_of(sets), roles, pick) == [
        "b (b.wav) is both in train_ru and test_ru."
    ]
    # Neighbours may overlap a little, and nothing is both short and shared.
    sets["test_ru"][1] = checked("b", start=1.6)
    assert shared_recordings(fingerprints_of(sets), roles, pick) == []
    sets["test_ru"][1] = checked("b", start=1.6, seconds=0.3)
    assert len(shared_recordings(fingerprints_of(sets), roles, pick)) == 1
    sets["test_ru"][1] = checked("b")
    roles["train_ru"] = "valid"
    assert shared_recordings(fingerprints_of(sets), roles, pick) == []


def test_a_set_without_utterances():
    assert warnings({"train_ru": [], "test_ru": [checked()]}) == []
    assert Fingerprints(RUSSIAN).speaker_count() == 0


def test_fifty_eight_bytes_an_utterance():
    fingerprints = Fingerprints(RUSSIAN)
    fingerprints.add(0, checked())
    columns = [c for c in vars(fingerprints).values() if hasattr(c, "itemsize")]
    assert sum(column.itemsize for column in columns) == 58
    assert np.all([len(column) == 1 for column in columns])


def test_what_other_sets_have_of_a_recording():
    at = {"audio": Path("long.wav")}
    sets = {
        "untranscribed": [
            checked("a", **at, start=0.0),
            checked("b", **at, start=2.0),  # begins where another ends
            checked("c", **at, start=3.5),
            checked("d", **at, start=1.0, seconds=8.0),
            checked("e", **at, start=5.0, channel=1),  # part of a recording with all channels
            checked("f", audio=Path("other.wav"), start=5.0),
            checked("g", **at, start=9.0),
        ],
        "test_ru": [checked("x", **at, start=5.0), checked("w", **at, start=4.0)],
        "train_ru": [checked("y", **at, start=0.5, seconds=1.5)],
    }
    own, *others = fingerprints_of(sets).values()
    assert own.heard_in(others) == [0, 2, 3, 4]
    assert own.heard_in(others[1:]) == [0, 3]
    assert own.heard_in([]) == Fingerprints(RUSSIAN).heard_in([own]) == []
    copy = dataclasses.replace(sets["test_ru"][0], audio=Path("copy.wav"), start=3.5)
    assert own.heard_in(fingerprints_of({"": [copy]}).values()) == [2]  # the same digest
