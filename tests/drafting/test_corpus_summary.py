import dataclasses

import numpy as np
import pytest
import soundfile

from cascade.config.experiment import Experiment
from cascade.config.sections import Split
from cascade.corpora import corpus
from cascade.corpora.corpus import CorpusRequest
from cascade.corpora.split import select
from cascade.drafting.corpus_summary import DatasetSummary, summarise


@pytest.fixture
def summary(small, read, tmp_path, wav) -> DatasetSummary:
    """Of a table with a silent recording, two good ones, two odd texts and two missing files."""
    raw, layout = small
    folder = tmp_path / "train"
    soundfile.write(folder / "train0.wav", np.zeros(8000), 16000)
    with (folder / "table.tsv").open("a", encoding="utf-8") as table:
        for name, text in (("latin", "дa"), ("other", "неt")):
            wav(folder / f"{name}.wav")
            table.write(f"{name}.wav\t{text}\ts1\t\t\n")
        table.write("gone.wav\tда\ts9\t\t\nnone.wav\tда\t\t\t\n")
    recipe = read(raw)
    summary = summarise(Experiment(recipe, layout), recipe.datasets[0], 1)
    assert not list(tmp_path.rglob("*.utterances"))
    return summary


def test_no_recording_is_decoded(summary):
    usable = [item.id for item in summary.usable]
    assert usable == ["train0", "train1", "train2"]  # stage 0 would leave out the silent one
    assert (summary.hours, summary.rates) == (1.5 / 3600, {16000: 3})
    assert summary.words == {"да": 1, "о": 1, "нет": 1, "ёж": 1}
    assert summary.speakers == {"s0", "s1"}


def test_what_is_left_out_is_grouped_by_reason(summary):
    speakers = [(item.id, item.speaker) for item in summary.excluded]
    assert speakers == [("latin", "s1"), ("other", "s1"), ("gone", "s9"), ("none", "unknown")]
    assert summary.excluded_share == 4 / 7
    (letters, first), (missing, second) = summary.reasons()
    assert (letters, missing) == (2, 2)
    assert first.startswith("latin: the transcript has letters that the language does not have")
    assert second.startswith("gone: the audio file") and second.endswith("is missing")


@pytest.mark.parametrize("by", ["utterance", "sentence", "speaker"])
def test_the_parts_of_a_split_are_those_of_stage_0(summary, tmp_path, by):
    splits = [Split(between, by, seed=1) for between in ((0.0, 50.0), (50.0, 100.0))]
    parts = [summary.part(dataclasses.replace(summary.dataset, split=split)) for split in splits]
    for kind in ("usable", "excluded"):
        ids = sorted(item.id for part in parts for item in getattr(part, kind))
        assert ids == sorted(item.id for item in getattr(summary, kind))
    request = CorpusRequest(tmp_path, tmp_path, path=tmp_path / "train", language="ru")
    for part, split in zip(parts, splits, strict=True):
        listed = select(corpus.listing("table", request), split)
        assert {i.id for i in listed} == {i.id for i in (*part.usable, *part.excluded)}
    assert summary.part(summary.dataset).usable == summary.usable
