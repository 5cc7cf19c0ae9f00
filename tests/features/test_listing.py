"""Utterances that stay on disk, in lists of any order."""

import tracemalloc

import numpy as np
import pytest
from stored_features import CMS, PHONES, SETTINGS, data

from cascade.config.layout import Layout
from cascade.features.batches import UtteranceSet
from cascade.features.order import EpochOrder
from cascade.runtime.errors import UserError


def test_values_are_those_of_the_lists(dumped):
    utterances = data(dumped([30, 60, 45], ["a b", "c c a", "b"]))
    assert list(utterances.ids) == ["train_ru-0", "train_ru-1", "train_ru-2"]
    assert [labels.tolist() for labels in utterances.labels] == [[1, 2], [3, 3, 1], [2]]
    assert utterances.labels[0].dtype == np.int16
    assert utterances.ids[-1] == "train_ru-2" and utterances.archives.tolist() == [0, 0, 0]
    with pytest.raises(IndexError):
        utterances.ids[3]


def test_the_last_line_needs_no_line_break(dumped):
    layout = dumped([30, 60])
    for path in (layout.scp("train_ru"), layout.text("train_ru", "phones")):
        path.write_text(path.read_text().rstrip("\n"))
    utterances = data(layout)
    assert utterances.ids[1] == "train_ru-1" and utterances.features(1).shape == (60, 4)
    assert utterances.labels[1].tolist() == [1, 2]


def test_lists_may_have_another_order_and_more_utterances(dumped):
    layout = dumped([30, 60, 45, 50], ["a", "b", "c", "a b"])
    expected = {name: data(layout).features(i) for i, name in enumerate(data(layout).ids)}
    text = layout.text("train_ru", "phones")
    lines = text.read_text().splitlines(keepends=True)
    text.write_text(lines[3] + lines[0] + lines[2])
    utterances = data(layout)
    assert list(utterances.ids) == ["train_ru-3", "train_ru-0", "train_ru-2"]
    assert utterances.frames.tolist() == [50, 30, 45]
    for index, name in enumerate(utterances.ids):
        np.testing.assert_array_equal(utterances.features(index), expected[name])


def test_an_utterance_that_a_list_lacks(dumped):
    layout = dumped([30, 60])
    with layout.text("train_ru", "phones").open("a") as text:
        text.write("new a b\n")
    with pytest.raises(UserError, match=r"num_frames lacks the utterance 'new'|scp lacks the"):
        data(layout)


def peak_of(layout, count):
    """Bytes of Python and NumPy at most, for a set of so many utterances and one epoch of it."""
    for path in (layout.scp("big"), layout.num_frames("big"), layout.text("big", "phones")):
        path.parent.mkdir(parents=True, exist_ok=True)
    with (
        layout.scp("big").open("w") as scp,
        layout.num_frames("big").open("w") as frames,
        layout.text("big", "phones").open("w") as text,
    ):
        for i in range(count):
            scp.write(f"big-{i} data/feats/{i // 100}.ark:{i}\n")
            frames.write(f"big-{i} {200 + i % 300}\n")
            text.write(f"big-{i} {'a b c ' * 10}\n")
    tracemalloc.start()
    utterances = UtteranceSet(layout, ["big"], PHONES, SETTINGS, CMS)
    order = EpochOrder(utterances, 40, 0, 4)
    assert sum(len(order[position]) for position in range(len(order))) == count
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_memory_does_not_grow_with_the_corpus(tmp_path):
    layout = Layout(tmp_path, tmp_path, tmp_path)
    small, large = peak_of(layout, 1000), peak_of(layout, 8000)
    assert (large - small) / 7000 < 60  # bytes an utterance; a line of text has more
