import pytest

from cascade.config.sections import Dataset
from cascade.drafting.corpus_summary import DatasetSummary, UsableUtterance
from cascade.drafting.division import divided

TABLE = Dataset("train", "ru", "table", path="x")


@pytest.mark.parametrize(("speakers", "hours"), [(3, 20), (4, 50)])
def test_a_few_speakers_with_much_speech_are_split_by_utterance(speakers, hours):
    """One of them would be more than all that valid and test get."""
    usable = [
        UsableUtterance(f"{speaker}-{i}", f"s{speaker}", hours * 3600 / 500, 16000, ("да",))
        for speaker in range(speakers)
        for i in range(500)
    ]
    parts = divided([DatasetSummary(TABLE, usable, [])])
    assert [part.dataset.role for part in parts] == ["train", "valid", "test"]
    assert {part.dataset.split.by for part in parts} == {"utterance"}
    assert all(part.usable for part in parts)


@pytest.mark.parametrize(("sentences", "by"), [(20, "utterance"), (100, "sentence")])
def test_sentences_that_repeat_are_in_one_part(sentences, by):
    """Commands are not: a training without some of them would be no use."""
    usable = [
        UsableUtterance(f"u{i}", "anna", 3.0, 16000, ("да",), f"Предложение {i % sentences}.")
        for i in range(300)
    ]
    parts = divided([DatasetSummary(TABLE, usable, [])])
    assert {part.dataset.split.by for part in parts} == {by}
    texts = [{item.text for item in part.usable} for part in parts]
    assert all(texts)
    apart = sum(map(len, texts)) == len(set().union(*texts))
    assert apart == (by == "sentence")
