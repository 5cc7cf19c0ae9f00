import dataclasses
import itertools

import kaldiio
import numpy as np
import pytest
import torch
from stored_features import CMS, STILL, as_bytes, data, frames_of

from cascade.config.sections import Features
from cascade.config.systems import Augment
from cascade.features.augment import another_recording, mask
from cascade.features.cmn import online_cmn, utterance_cmn
from cascade.runtime.errors import UserError
from cascade.text.phones import frames_needed


@pytest.mark.parametrize(
    ("labels", "frames"),
    [([], 0), ([1], 1), ([1, 2, 3], 3), ([1, 1], 3), ([1, 1, 1, 2, 2], 8), ([1, 2, 1], 3)],
)
def test_frames_needed(labels, frames):
    assert frames_needed(labels) == frames


def test_inputs_are_normalised_then_stacked(dumped):
    layout = dumped([50, 31])
    matrix = kaldiio.load_scp(str(layout.scp("train_ru")))["train_ru-0"]
    inputs = data(layout).inputs(0)
    assert inputs.shape == (16, 12) and inputs.dtype == np.float32
    normal = online_cmn(matrix, CMS, 20, 10)
    np.testing.assert_array_equal(inputs[0], normal[:3].reshape(-1))
    np.testing.assert_array_equal(inputs[15, 4:8], normal[46])
    whole = data(layout, settings=Features(filters=4, stack=1, cmn="utterance")).inputs(0)
    np.testing.assert_array_equal(whole, utterance_cmn(matrix))


def test_some_utterances_lose_their_complete_mean_in_training(dumped):
    names = 60
    layout = dumped([50] * names)
    sets = data(layout, settings=Features(filters=4, stack=1, cmn_window=20, cmn_global=10))
    matrices = kaldiio.load_scp(str(layout.scp("train_ru")))

    def share(augment: Augment) -> float:
        """The share of utterances with their complete mean; the others have the running one."""
        complete = 0
        for index, name in enumerate(sets.ids):
            inputs = sets.batch([index], augment, seed=3).inputs[0]
            own, running = utterance_cmn(matrices[name]), online_cmn(matrices[name], CMS, 20, 10)
            kinds = np.array_equal(inputs, own), np.array_equal(inputs, running)
            assert sum(kinds) == 1
            complete += kinds[0]
        return complete / names

    assert share(STILL) == 0
    assert 0.3 < share(dataclasses.replace(STILL, utterance_mean=0.5)) < 0.7
    assert share(dataclasses.replace(STILL, utterance_mean=1.0)) == 1


def test_what_is_recognised_is_smoothed_and_what_is_augmented_is_not(dumped):
    layout = dumped([50, 31])
    sharp, smooth = (
        data(layout, settings=Features(filters=4, stack=1, cmn="utterance", smooth=share))
        for share in (0, 0.5)
    )
    x, y = sharp.inputs(0), smooth.inputs(0)
    expected = x[0, 0] + x[1, 0] + x[0, 1] + x[1, 1] - (x[1, 0] + x[2, 0] + x[1, 1] + x[2, 1])
    assert y[0, 0] - y[1, 0] == pytest.approx(expected / 4, abs=1e-5)
    still = Augment(stretch=0, warp=0, channel=0, time_masks=0, filter_masks=0)
    a, b = (one.inputs(0, still, np.random.default_rng(1)) for one in (sharp, smooth))
    assert np.array_equal(a, b)


def test_a_batch_is_padded_and_its_labels_joined(dumped):
    batch = data(dumped([30, 60, 45], ["a b", "c c a", "b"])).batch([2, 1])
    assert batch.ids == ("train_ru-2", "train_ru-1")
    assert batch.inputs.shape == (2, 20, 12) and batch.inputs.dtype == torch.float32
    assert batch.lengths.tolist() == [15, 20]
    assert (batch.inputs[0, 15:] == 0).all() and (batch.inputs[0, 14] != 0).all()
    assert batch.labels.tolist() == [2, 3, 3, 1] and batch.labels.dtype == torch.int64
    assert batch.label_lengths.tolist() == [1, 3]


def test_too_short_for_ctc_is_left_out_and_listed(dumped):
    # 9 frames are 3 stacked: enough for three phones, not for a repeated one among them.
    layout = dumped([9, 9, 8, 2], ["a b c", "a a b", "a b c", "a"])
    utterances = data(layout)
    assert list(utterances.ids) == ["train_ru-0"] and len(utterances) == 1
    assert [(key, item.id) for key, item in utterances.excluded] == [
        ("train_ru", f"train_ru-{i}") for i in (1, 2, 3)
    ]
    assert utterances.excluded[0][1].reason == "3 frames are too few for 3 phones"
    assert utterances.excluded[0][1].seconds == 0.09
    assert not utterances.excluded[0][1].selection  # a fault, not a choice


def test_keep_short_keeps_what_is_too_short(dumped):
    utterances = data(dumped([9, 9, 8], ["a b c", "a a b", "a b c"]), keep_short=True)
    assert len(utterances) == 3 and utterances.excluded == []
    assert utterances.batch([0, 1, 2]).lengths.tolist() == [3, 3, 2]


def test_several_data_sets_are_one_set(dumped):
    dumped([30, 40], key="train_ext_en_x")
    layout = dumped([50], key="train_ext_en_y")
    utterances = data(layout, ["train_ext_en_x", "train_ext_en_y"])
    names = ["train_ext_en_x-0", "train_ext_en_x-1", "train_ext_en_y-0"]
    assert list(utterances.ids) == names
    assert utterances.frames.tolist() == [30, 40, 50]
    assert len(utterances.inputs(2)) == 16


@pytest.mark.parametrize("seconds", [0.5, 2.0, 10.0])
def test_in_order_covers_all_once(dumped, seconds):
    utterances = data(dumped([*frames_of(40), 190, 190]))
    batches = list(utterances.in_order(seconds))
    assert sorted(itertools.chain(*batches)) == list(range(42))
    lengths = [utterances.frames[i] for batch in batches for i in batch]
    assert lengths == sorted(lengths, reverse=True)
    for batch in batches:
        assert len(batch) == 1 or utterances.frames[batch[0]] * len(batch) <= seconds * 100
    assert batches == list(utterances.in_order(seconds))


def test_in_order_of_nothing(dumped):
    assert list(data(dumped([])).in_order(10)) == []


def test_augmentation_differs_from_epoch_to_epoch_and_not_with_the_company(dumped):
    utterances = data(dumped([90, 90, 90]))
    alone, other = utterances.batch([1], Augment(), 7), utterances.batch([1], Augment(), 8)
    assert as_bytes(alone)[1] != as_bytes(other)[1]
    together = utterances.batch([0, 1], Augment(), 7)
    length = alone.lengths[0]
    assert together.lengths[1] == length
    np.testing.assert_array_equal(together.inputs[1, :length], alone.inputs[0])


def test_two_copies_have_one_length_and_two_augmentations(dumped):
    utterances = data(dumped([90, 60]))
    strong = Augment(filter_masks=0)  # which might hide all four filters
    one, two = utterances.batch([1, 0], strong, 7), utterances.batch([1, 0], strong, 7, copies=2)
    assert two.ids == one.ids * 2
    for doubled, single in ((two.lengths, one.lengths), (two.label_lengths, one.label_lengths)):
        assert doubled.tolist() == single.tolist() * 2
    assert two.labels.tolist() == one.labels.tolist() * 2
    np.testing.assert_array_equal(two.inputs[:2], one.inputs)
    assert not np.isclose(two.inputs[2:], one.inputs).all(axis=(1, 2)).any()
    still = utterances.batch([1, 0], STILL, 7, copies=2).inputs
    np.testing.assert_array_equal(still[2:], still[:2])


def test_augmented_inputs_are_masked_after_normalising(dumped):
    layout = dumped([90])
    settings = Augment(stretch=0.1, warp=1.0, time_masks=1, filter_masks=1, filter_width=2)
    inputs = data(layout).inputs(0, settings, np.random.default_rng(3))
    random = np.random.default_rng(3)
    matrix = kaldiio.load_scp(str(layout.scp("train_ru")))["train_ru-0"]
    features = online_cmn(another_recording(matrix, settings, random, 6), CMS, 20, 10)
    mask(features, settings, 3, random)
    np.testing.assert_array_equal(inputs, features[: len(inputs) * 3].reshape(len(inputs), -1))
    assert (inputs == 0).any()


def test_augmentation_never_shortens_below_what_ctc_needs(dumped):
    texts = ["a b c a b c", "a a a", "a b", "c"]
    utterances = data(dumped([18, 16, 8, 3], texts))
    assert len(utterances) == 4
    lengths = []
    for seed in range(60):
        batch = utterances.batch([0, 1, 2, 3], Augment(stretch=0.5), seed)
        lengths.append(batch.lengths.tolist())
    needed = [frames_needed(labels) for labels in utterances.labels]
    assert needed == [6, 5, 2, 1]
    assert np.min(lengths, axis=0).tolist() == needed
    assert np.max(lengths, axis=0).tolist() > [6, 6, 2, 1]  # they are stretched, too


def test_features_that_went_away(dumped):
    layout = dumped([30])
    utterances = data(layout)
    (layout.feats / "train_ru.1.ark").unlink()
    with pytest.raises(UserError, match=r"features of 'train_ru-0' .* Run stage 2 again"):
        utterances.batch([0])


@pytest.mark.parametrize("left", [0, 5, 100])
def test_features_that_are_cut_short(dumped, left):
    layout = dumped([30])
    ark = layout.feats / "train_ru.1.ark"
    ark.write_bytes(ark.read_bytes()[:left])
    with pytest.raises(UserError, match="Run stage 2 again"):
        data(layout).batch([0])
