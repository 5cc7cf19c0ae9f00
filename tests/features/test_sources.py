"""Features that are computed for each batch: the same bytes as stored ones."""

import shutil

import kaldiio
import numpy as np
import pytest
import soundfile
from stored_features import PHONES

from cascade.config.experiment import Experiment
from cascade.data.prepare import prepare
from cascade.features.batches import UtteranceSet
from cascade.features.dump import cms_init, dump
from cascade.features.sources import FeatureReader, archive_of, sum_of_frames
from cascade.runtime.errors import UserError
from cascade.runtime.files import read_text_table, write_text_table

KINDS = ("scp", "num_frames", "feature_digests", "feature_cuts")


@pytest.fixture
def both_ways(small, read, tmp_path):
    """Returns what stage 2 leaves with and without stored features: bytes by name, and a set.

    The recordings have blanks in their names; one has another rate, two channels and segments.
    """
    raw, layout = small
    folder = tmp_path / "my  speech"
    shutil.move(tmp_path / "train", folder)
    random = np.random.default_rng(3)
    soundfile.write(folder / "tape 1.wav", 0.1 * random.standard_normal((44100, 2)), 22050)
    with (folder / "table.tsv").open("a", encoding="utf-8") as table:
        table.write("tape 1.wav\tда\ts1\t0.25\t1\ntape 1.wav\tнет\ts1\t1.0\t1.75\n")
    raw["datasets"][0]["path"] = str(folder)

    def run(stored):
        recipe = read(raw, {"store_features": str(stored).lower()})
        experiment = Experiment(recipe, layout)
        if not layout.cuts("train_ru").exists():
            prepare(experiment, 1)
        for dataset in recipe.datasets:
            dump(experiment, dataset, 1)
        cms_init(["train_ru"], layout, ["valid_ru"])
        names = list(read_text_table(layout.scp("train_ru")))
        write_text_table(layout.text("train_ru", "phones"), {name: ["a"] for name in names})
        mean = np.zeros(recipe.features.filters)
        data = UtteranceSet(layout, ["train_ru"], PHONES, recipe.features, mean)
        files = {kind: getattr(layout, kind)("train_ru").read_bytes() for kind in KINDS}
        files["cms_init"] = layout.cms_init.read_bytes()
        return files, [data.features(i) for i in range(len(data))], data

    return run, layout, folder


def test_computed_features_are_the_stored_ones_bit_for_bit(both_ways):
    run, _, _ = both_ways
    before, stored, data = run(True)
    after, computed, other = run(False)
    assert list(data.ids) == list(other.ids) and len(stored) == 5
    for one, two in zip(stored, computed, strict=True):
        assert one.dtype == two.dtype and one.shape == two.shape
        assert one.tobytes() == two.tobytes()
    same = ("num_frames", "feature_digests", "cms_init")
    assert {kind: after[kind] for kind in same} == {kind: before[kind] for kind in same}
    assert after["scp"] != before["scp"]
    assert all(line.count(b" ") == 1 for line in after["scp"].splitlines())


def test_no_features_of_training_speech_are_on_the_disk(both_ways):
    run, layout, _ = both_ways
    run(False)
    links = sorted(path.name for path in layout.feats.glob("*.ark"))
    assert links == ["test_ru.1.ark", "valid_ru.1.ark"]
    for line in layout.scp("train_ru").read_text().splitlines():
        place = line.split()[1]
        archive = archive_of(place)
        shapes = {matrix.shape for _, matrix in kaldiio.load_ark(archive)}
        assert shapes == {(40,)}
        assert sum_of_frames(place).dtype == np.float64
    for line in layout.scp("valid_ru").read_text().splitlines():
        assert kaldiio.load_mat(line.split()[1]).shape == (50, 40)


def test_a_recording_that_changed_is_noticed_by_the_training(both_ways, wav):
    run, _, folder = both_ways
    _, _, data = run(False)
    index = list(data.ids).index("train1")
    path = folder / "train1.wav"
    for change in ("content", "length", "gone"):
        if change == "gone":
            path.unlink()
        else:
            wav(path, seconds={"content": 0.5, "length": 0.3}[change], seed=77)
        with pytest.raises(UserError, match=r"train1\.wav .*Run stage 0 again\.$"):
            data.features(index)


def test_features_of_the_corpus_itself_are_read_where_they_are(tmp_path):
    matrix = np.random.default_rng(0).normal(size=(20, 13)).astype(np.float32)
    kaldiio.save_ark(str(tmp_path / "a.ark"), {"a": matrix})
    mean = round(float(matrix.mean(dtype=np.float64)), 4)
    place = f'{{"features":"{tmp_path}/a.ark:2","audio":"{tmp_path}/a.ark","mean":{mean}}}'
    np.testing.assert_array_equal(FeatureReader(16000, 40)("a", place), matrix)
