from collections import Counter

import pytest

from cascade.config.sections import Dataset
from cascade.drafting.corpus_summary import DatasetSummary, UsableUtterance
from cascade.drafting.division import divided

TABLE = Dataset("train", "ru", "table", path="x")


def spoken(number: int, text: str, speaker: str = "anna", seconds: float = 3.0):
    words = tuple(text.lower().split())
    return UsableUtterance(f"{speaker}-{number}", speaker, seconds, 16000, words, text)


def split_by(parts) -> set[str]:
    return {part.dataset.split.by for part in parts}


def in_two_parts(parts) -> list[str]:
    """The texts that more than one part has."""
    texts = Counter(text for part in parts for text in {item.text for item in part.usable})
    return [text for text, count in texts.items() if count > 1]


@pytest.mark.parametrize(("speakers", "hours"), [(3, 20), (4, 50)])
def test_a_few_speakers_with_much_speech_are_split_by_utterance(speakers, hours):
    """One of them would be more than all that valid and test get."""
    usable = [
        spoken(i, f"{i} {speaker}", f"s{speaker}", hours * 3600 / 500)
        for speaker in range(speakers)
        for i in range(500)
    ]
    parts = divided([DatasetSummary(TABLE, usable, [])])
    assert [part.dataset.role for part in parts] == ["train", "valid", "test"]
    assert split_by(parts) == {"utterance"}
    assert all(part.usable for part in parts)


@pytest.mark.parametrize("speakers", [["anna"], ["anna", "boris"]])
def test_sentences_that_repeat_are_in_one_part(speakers):
    usable = [spoken(i, f"один {i % 9} два {i}", one) for one in speakers for i in range(99)]
    usable += [spoken(100 + i, item.text) for i, item in enumerate(usable[:50])]
    parts = divided([DatasetSummary(TABLE, usable, [])])
    assert split_by(parts) == {"sentence"} and not in_two_parts(parts)
    assert sum(len(part.usable) for part in parts) == len(usable)


@pytest.mark.parametrize("words", [10, 60])
def test_every_command_is_trained(words):
    """By sentence, those of the test would never be heard in training."""
    usable = [spoken(i, f"слово{i % words}") for i in range(100 * words)]
    parts = divided([DatasetSummary(TABLE, usable, [])])
    assert split_by(parts) == {"utterance"} and len(in_two_parts(parts)) == words


def test_speakers_come_before_sentences():
    usable = [spoken(i, f"один {i % 9}", f"s{i % 20}") for i in range(200)]
    assert split_by(divided([DatasetSummary(TABLE, usable, [])])) == {"speaker"}


def test_a_set_without_a_part_of_a_role_is_left_out():
    many = [spoken(i, f"один {i % 9} два {i % 150}") for i in range(300)]
    few = [spoken(i, "один два", "boris") for i in range(50)]
    other = Dataset("train", "ru", "table", path="y")
    parts = divided([DatasetSummary(TABLE, many, []), DatasetSummary(other, few, [])])
    assert split_by(parts) == {"sentence"}
    assert all(part.usable for part in parts) and len(parts) == 4
