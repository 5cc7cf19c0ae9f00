import math
from types import SimpleNamespace

import numpy as np

from cascade.config.sections import Features, Limits
from cascade.decoding.decoder import Decoded
from cascade.recognition.recordings import Part, Recogniser, Recording, cuts, transcribe


def test_parts_are_one_recording_in_order_at_their_times():
    parts = [
        Part(0.0, 2.0, Decoded("x", ["a"], ["b"], ["b"], ["да"], [], [("да", 0.5, 0.25, 0.9)])),
        Part(2.0, 4.5, Decoded("x", [], [], [], [], [], [])),
        Part(4.5, 6.0, Decoded("x", ["c", "d"], ["e"], ["e"], ["о"], [], [("о", 0.25, 0.1, 0.8)])),
    ]
    recording = Recording(6.0, parts, [])
    assert recording.phones == ["b", "e"]
    assert recording.words == ["да", "о"]
    assert recording.timed == [("да", 0.5, 0.25, 0.9), ("о", 4.75, 0.1, 0.8)]


class Decoder:
    seconds = 0.03
    words = ("да",)

    def __call__(self, name, log_probs):
        return Decoded(name, [], [], ["d", "a"], ["да"], [], [])


def test_a_limit_that_is_infinite_cuts_nothing(wav, tmp_path):
    recogniser = Recogniser(
        lambda samples: np.zeros((len(samples) // 160, 40)),
        lambda matrix: np.zeros((len(matrix) // 3, 5)),
        Decoder(),
    )
    for most, parts in ((1.0, 4), (math.inf, 1)):
        model = SimpleNamespace(
            features=Features(stack=3, rate=16000),
            limits=Limits(max_seconds=most),
            load=lambda: recogniser,
        )
        (recording,) = transcribe(model, [wav(tmp_path / "a.wav", 3.0)])
        assert len(recording.parts) == parts


def test_cuts():
    blank = np.ones(100, dtype=bool)
    blank[[5, 30, 31, 40, 55, 60, 90]] = False
    assert cuts(blank, 100) == []
    assert cuts(blank, 99) == [48]  # in the middle of 41 to 54
    assert cuts(np.zeros(100, dtype=bool), 50) == [50]
    places = [0, *cuts(blank, 20), 100]
    assert max(np.diff(places)) <= 20 and min(np.diff(places)) > 0
    assert cuts(np.ones(0, dtype=bool), 1) == []


def test_parts_have_at_least_one_step():
    assert cuts(np.zeros(4, dtype=bool), 0.5) == [1, 2, 3]
    assert cuts(np.array([True, False]), 1) == [1]  # a pause at the very beginning
    assert cuts(np.array([True, False, False]), 2.5) == [1]
