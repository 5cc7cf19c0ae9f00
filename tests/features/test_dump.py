import dataclasses
import json

import kaldiio
import numpy as np
import pytest
import soundfile
from lhotse import CutSet, Fbank, FbankConfig

from cascade.config.experiment import Experiment
from cascade.data.prepare import prepare
from cascade.features import dump as features
from cascade.features import store
from cascade.features.cmn import read_cms_init
from cascade.features.dump import cms_init
from cascade.runtime.errors import UserError
from cascade.runtime.files import read_text_table


@pytest.fixture
def prepared(small, read):
    """A recipe and its layout after stage 0."""
    raw, layout = small
    recipe = read(raw)
    prepare(Experiment(recipe, layout), 1)
    return recipe, layout


def dump(recipe, key, layout, jobs=1, **options):
    """Stage 2 of the data set with this key."""
    experiment = Experiment(recipe, layout)
    (dataset,) = (d for d in recipe.datasets if experiment.dataset_key(d) == key)
    return features.dump(experiment, dataset, jobs, **options)


def test_cuts_scp_and_lhotses_own_extractor_agree(prepared, tmp_path):
    recipe, layout = prepared
    dump(recipe, "train_ru", layout, 1)
    matrices = kaldiio.load_scp(str(layout.scp("train_ru")))
    frames = read_text_table(layout.num_frames("train_ru"))
    cuts = list(CutSet.from_file(layout.feature_cuts("train_ru")))
    assert list(matrices) == [cut.id for cut in cuts] == ["train0", "train1", "train2"]
    extractor = Fbank(FbankConfig(sampling_rate=16000, num_filters=40))
    for cut in cuts:
        samples, rate = soundfile.read(tmp_path / "train" / f"{cut.id}.wav", dtype="float32")
        expected = extractor.extract(samples, rate)
        assert expected.shape == (50, 40) and expected.std() > 0.5
        np.testing.assert_allclose(matrices[cut.id], expected, atol=1e-5)
        assert cut.has_features and cut.num_features == 40
        assert frames[cut.id] == ["50"] and cut.num_frames == 50


def test_shared_arks_stand_in_the_experiments_own_folder(prepared):
    recipe, layout = prepared
    stray = layout.feats / "train_ru.7.ark"  # of another choice of utterances
    stray.parent.mkdir(parents=True)
    stray.symlink_to("gone.ark")
    dump(recipe, "train_ru", layout, 1)
    assert [path.name for path in layout.feats.glob("*.ark")] == ["train_ru.1.ark"]
    from_ark = dict(kaldiio.load_ark(str(layout.feats / "train_ru.1.ark")))
    matrices = kaldiio.load_scp(str(layout.scp("train_ru")))
    assert from_ark.keys() == matrices.keys()
    for name, matrix in matrices.items():
        np.testing.assert_array_equal(from_ark[name], matrix)
    (folder,) = layout.feature_store.iterdir()
    assert (layout.feats / "train_ru.1.ark").samefile(folder / "1.ark")


def test_lhotse_loads_the_features_of_the_cuts(prepared):
    recipe, layout = prepared
    dump(recipe, "train_ru", layout, 1)
    matrices = kaldiio.load_scp(str(layout.scp("train_ru")))
    for cut in CutSet.from_file(layout.feature_cuts("train_ru")):
        np.testing.assert_array_equal(cut.load_features(), matrices[cut.id])


def test_scp_lines_can_be_read_one_by_one(prepared):
    recipe, layout = prepared
    dump(recipe, "valid_ru", layout, 1)
    for line in layout.scp("valid_ru").read_text().splitlines():
        name, where = line.split(" ", 1)
        assert kaldiio.load_mat(where).shape == (50, 40), name


def test_a_segment_of_a_recording(small, read, wav, tmp_path):
    raw, layout = small
    folder = tmp_path / "test"
    wav(folder / "tape.wav", seconds=2)
    (folder / "table.tsv").write_text(
        "id\tpath\ttext\tstart\tend\na\ttape.wav\tда\t0.25\t1\nb\ttape.wav\tнет\t1.0\t2.005\n"
    )
    recipe = read(raw)
    prepare(Experiment(recipe, layout), 1)
    dump(recipe, "test_ru", layout, 1)
    samples, rate = soundfile.read(folder / "tape.wav", dtype="float32")
    extractor = Fbank(FbankConfig(sampling_rate=16000, num_filters=40))
    first, second = kaldiio.load_scp(str(layout.scp("test_ru"))).values()
    np.testing.assert_allclose(first, extractor.extract(samples[4000:16000], rate), atol=1e-5)
    np.testing.assert_allclose(second, extractor.extract(samples[16000:], rate), atol=1e-5)
    assert [c.num_frames for c in CutSet.from_file(layout.feature_cuts("test_ru"))] == [75, 100]


def contents(layout, key):
    """What stage 2 wrote for a data set, and what it made in the store."""
    files = [*layout.feats.glob(f"{key}.*"), *layout.feature_store.glob("*/[!.s]*")]
    return {file.name: file.read_bytes() for file in files}


def test_the_same_bytes_whatever_the_number_of_jobs(prepared, monkeypatch):
    recipe, layout = prepared
    monkeypatch.setattr(store, "SHARD", 2)
    dump(recipe, "train_ru", layout, 1)
    first = contents(layout, "train_ru")
    names = ["jsonl.gz", "num_frames", "scp", "sha256"]
    names += ["1.ark", "2.ark"]  # links
    made = ["1.ark", "2.ark", "feats.scp", "index.jsonl.gz"]
    assert sorted(first) == sorted(made + [f"train_ru.{name}" for name in names])
    dump(recipe, "train_ru", layout, 2, force=True)
    assert contents(layout, "train_ru") == first


def test_a_part_is_taken_from_the_features_of_all(small, read, listed, caplog):
    raw, layout = small
    raw["datasets"][0]["path"] = str(listed("many", ["да"] * 9, [0.3 + 0.1 * i for i in range(9)]))
    caplog.set_level("INFO", "cascade")
    by_minutes = {}
    for minutes in ("all", "0.02"):
        recipe = read(raw, {"target_minutes": minutes})
        prepare(Experiment(recipe, layout), 1)
        result = dump(recipe, "train_ru", layout)
        scp = kaldiio.load_scp(str(layout.scp("train_ru")))
        lines = layout.scp("train_ru").read_text().splitlines()
        digests = read_text_table(layout.feature_digests("train_ru"))
        cuts = list(CutSet.from_file(layout.feature_cuts("train_ru")))
        assert [cut.id for cut in cuts] == list(scp) == list(digests)
        for cut in cuts:
            np.testing.assert_array_equal(cut.load_features(), scp[cut.id])
        by_minutes[minutes] = (lines, digests, result.output_digests)
    (everything, digests, known), (some, fewer, others) = by_minutes.values()
    assert 0 < len(some) < len(everything) == 9
    assert set(some) < set(everything) and fewer.items() < digests.items()
    assert known == others  # the same arks, of the same time
    assert caplog.text.count("computed now: it is new") == 1


def test_lists_of_two_runs_of_stage_0_are_not_mixed(prepared, small, read, listed):
    recipe, layout = prepared
    cuts = layout.cuts("train_ru").read_bytes()
    raw, _ = small
    raw["datasets"][0]["path"] = str(listed("others", ["да", "нет"]))
    prepare(Experiment(read(raw), layout), 1)
    layout.cuts("train_ru").write_bytes(cuts)
    with pytest.raises(UserError, match=r"train_ru.* 'train0'.* lacks it. Run stage 0 again"):
        dump(recipe, "train_ru", layout)
    assert not layout.scp("train_ru").exists()


def test_cms_init_is_the_mean_of_all_frames(small, read, listed):
    raw, layout = small
    raw["datasets"][0]["path"] = str(listed("uneven", ["да", "нет", "ёж"], [0.3, 1.0, 0.5]))
    recipe = read(raw, {"features.filters": "23"})
    prepare(Experiment(recipe, layout), 1)
    for key in ("train_ru", "valid_ru"):
        dump(recipe, key, layout)
    cms_init(["train_ru"], layout)
    frames = np.concatenate(list(kaldiio.load_scp(str(layout.scp("train_ru"))).values()))
    assert frames.shape == (180, 23)
    init = read_cms_init(layout.cms_init)
    np.testing.assert_allclose(init, frames.mean(axis=0, dtype=np.float64), atol=0.00051)
    assert json.loads(layout.cms_init.read_text()) == init.tolist()
    cms_init(["train_ru", "valid_ru"], layout)
    both = [kaldiio.load_scp(str(layout.scp(key))) for key in ("train_ru", "valid_ru")]
    frames = np.concatenate([matrix for table in both for matrix in table.values()])
    np.testing.assert_allclose(read_cms_init(layout.cms_init), frames.mean(axis=0), atol=0.0006)


def test_a_recording_that_changed_since_stage_0(prepared, wav, tmp_path):
    recipe, layout = prepared
    wav(tmp_path / "train" / "train1.wav", seed=77)  # as long as before
    with pytest.raises(UserError, match=r"train1\.wav has changed since stage 0 checked it"):
        dump(recipe, "train_ru", layout)
    assert not layout.scp("train_ru").exists()
    prepare(Experiment(recipe, layout), 1)
    dump(recipe, "train_ru", layout)
    samples, rate = soundfile.read(tmp_path / "train" / "train1.wav", dtype="float32")
    extractor = Fbank(FbankConfig(sampling_rate=16000, num_filters=40))
    matrix = kaldiio.load_scp(str(layout.scp("train_ru")))["train1"]
    np.testing.assert_allclose(matrix, extractor.extract(samples, rate), atol=1e-5)


def test_a_rate_and_a_channel_of_the_recording(small, read, tmp_path):
    raw, layout = small
    time = np.arange(22050) / 22050
    two = np.stack([np.sin(2 * np.pi * hz * time) * 0.3 for hz in (440, 2200)], axis=1)
    soundfile.write(tmp_path / "test" / "test1.wav", two, 22050)
    means = []
    for channel in ("mix", "0", "1"):
        raw["datasets"][3]["channel"] = channel
        recipe = read(raw, {"limits.max_excluded": "100%"})  # the others have no channel 1
        prepare(Experiment(recipe, layout), 1)
        dump(recipe, "test_ru", layout, 1)
        features = kaldiio.load_scp(str(layout.scp("test_ru")))["test1"]
        cut = {cut.id: cut for cut in CutSet.from_file(layout.feature_cuts("test_ru"))}["test1"]
        assert features.shape == (100, 40) == (cut.num_frames, cut.num_features)
        np.testing.assert_array_equal(cut.load_features().reshape(100, 40), features)
        means.append(features.mean(axis=0))
    both, low, high = means
    assert np.argmax(low) < np.argmax(high)
    assert both[np.argmax(low)] > high[np.argmax(low)] + 3
    assert both[np.argmax(high)] > low[np.argmax(high)] + 3


def test_features_of_two_sizes_are_refused(prepared):
    recipe, layout = prepared
    dump(recipe, "train_ru", layout, 1)
    other = dataclasses.replace(recipe.features, filters=23)
    dump(dataclasses.replace(recipe, features=other), "test_ru", layout)
    with pytest.raises(UserError, match=r"train_ru have 40 values a frame, those of test_ru 23"):
        cms_init(["train_ru"], layout, ["test_ru"])
