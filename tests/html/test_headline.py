import numpy as np
import pytest

from cascade.html.headline import question, trained_on
from cascade.html.speech import SpeechSet

BORROWED = {"role": "train_ext", "language": "ru", "corpus": "voices", "stream": "borrowed"}
BORROWED |= {"voices": "borrowed", "minutes": 1}


def speech(role, language, corpus, *speakers):
    """Two minutes."""
    numbers = np.array([60.0, 60.0])
    return SpeechSet("key", role, language, corpus, "", speakers, numbers, numbers)


def test_the_question_names_what_the_target_trains_beside(raw, read):
    assert question(read(raw)) == "Does training beside English help Russian?"
    raw["datasets"].append(BORROWED)
    assert question(read(raw)) == "Does training beside English and other speech help Russian?"


@pytest.mark.parametrize(("corpus", "kind"), [("voices", "synthetic"), ("festvox_ru", "more")])
def test_synthetic_speech_is_called_so(raw, read, corpus, kind):
    sets = [
        speech("train", "ru", "festvox_ru", "anna"),
        speech("train_ext", "en", "asterisk_en", "kate"),
        speech("train_ext", "ru", corpus, "a", "b"),
        speech("valid", "ru", "festvox_ru", "anna"),
    ]
    assert trained_on(read(raw), sets) == (
        "Trained on 2 min of Russian (1 speaker), beside 2 min of English (1 speaker) and"
        f" 2 min of {kind} Russian (2 speakers)"
    )
