"""Streams: pieces of any size give the same, and what `transcribe` gives for the recording."""

import itertools
from dataclasses import dataclass, replace

import numpy as np
import pytest
import soundfile
from bundle_files import packed as packed_in

from cascade.bundle.reader import opened
from cascade.recognition.packed_system import PackedSystem
from cascade.recognition.recordings import transcribe
from cascade.streaming.live_system import load
from cascade.streaming.stream import AGREEING, EVERY, Final, Partial, Parts, Stream

MEANS = {"cmn": "online", "cmn_window": 80, "smooth": 0.5}
RATE, SECOND = 16000, 100 / 3  # samples and steps


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """A bundle with running means, of a network that has learnt nothing."""
    with opened(packed_in(tmp_path_factory.mktemp("stream"), **MEANS)) as bundle:
        yield bundle


@pytest.fixture(scope="module")
def parts(packed) -> Parts:
    return load(packed, 5)


def events(parts: Parts, samples: np.ndarray, sizes, pause: float | None = None) -> list:
    stream, at, found = Stream(parts, pause), 0, []
    for size in sizes:
        found += stream.accept(samples[at : at + size])
        at += size
    found += stream.accept(samples[at:])
    return [*found, *stream.finish()]


@pytest.mark.parametrize("seconds", [0.3, 1.6, 4.0])
def test_a_stream_gives_what_the_complete_recording_gives(packed, parts, wav, tmp_path, seconds):
    path = wav(tmp_path / "a.wav", seconds, seed=3)
    (expected,) = transcribe(PackedSystem(packed, 5), [path])
    samples, _ = soundfile.read(path, dtype="float32")
    random = np.random.default_rng(0)
    for sizes in ([], [160] * 30, [1600] * 5, random.integers(0, 3000, 20)):
        final = events(parts, samples, sizes)[-1]
        (part,) = expected.parts
        assert isinstance(final, Final)
        assert final.words == expected.words and final.phones == part.decoded.phones
        assert expected.phones  # the untrained network says something
        for one, other in zip(final.timed, expected.timed, strict=True):
            assert one == pytest.approx(other, abs=1e-3)


def test_events_do_not_depend_on_the_pieces(parts, wav, tmp_path):
    samples, _ = soundfile.read(wav(tmp_path / "a.wav", 6.0, seed=1), dtype="float32")
    whole = events(parts, samples, [], 0.8)
    assert sum(isinstance(event, Partial) for event in whole) > 10
    random = np.random.default_rng(1)
    for sizes in ([1] * 500, [160] * 600, random.integers(0, 4000, 30)):
        assert events(parts, samples, sizes, 0.8) == whole


@dataclass
class Script:
    """Stands for the network: gives one phone after the other, whatever it gets; " " is a blank."""

    table: list[str]
    text: str
    phones: int = 7

    def initial(self):
        return 0

    def __call__(self, steps, state):
        (_,) = steps  # one at a time
        log_probs = np.full((1, self.phones), -20.0, np.float32)
        phone = self.text[state] if state < len(self.text) else " "
        log_probs[0, 0 if phone == " " else self.table.index(phone)] = -0.01
        return log_probs, state + 1


def spoken(parts: Parts, text: str, pause: float | None = 0.8, longest: float = 40.0) -> list:
    """The events of a stream in which the network says ``text``, a phone or blank in each step."""
    script = Script(parts.decoder.phones, text, len(parts.decoder.phones))
    parts = replace(parts, network=script, longest=longest)
    samples = np.zeros(round(len(text) / SECOND * RATE) + 400, np.float32)
    return events(parts, samples, [160] * (len(samples) // 160), pause)


def of(kind, events: list) -> list:
    return [event for event in events if isinstance(event, kind)]


KOT, ATTA = "k  o  t ", "a  t   t  a "


def test_a_pause_ends_an_utterance(parts):
    text = " " * 20 + KOT + " " * 50 + ATTA + " " * 10 + KOT + " " * 45 + KOT
    finals = of(Final, spoken(parts, text))
    assert [final.words for final in finals] == [["кот"], ["атта", "кот"], ["кот"]]
    words = [word for final in finals for word in final.timed]
    starts = [text.index(KOT), text.index(ATTA), text.index(ATTA) + 22, text.rindex(KOT)]
    assert [start for _, start, _, _ in words] == pytest.approx([at / SECOND for at in starts])
    assert all(0 < sure <= 1 for *_, sure in words)
    for final in finals:
        assert final.begin <= final.timed[0][1] and final.timed[-1][1] < final.end
    (whole,) = of(Final, spoken(parts, text, None))
    assert whole.words == ["кот", "атта", "кот", "кот"]


def test_silence_says_nothing(parts):
    assert spoken(parts, " " * 300) == []
    (final,) = spoken(parts, " " * 300, None)
    assert final.words == []


def test_a_short_pause_is_none(parts):
    finals = of(Final, spoken(parts, KOT + " " * 20 + KOT))
    assert [final.words for final in finals] == [["кот", "кот"]]


def test_the_longest_utterance(parts):
    speech = (KOT + " ") * 40  # 360 steps
    finals = of(Final, spoken(parts, speech, longest=3.0))
    assert len(finals) == 4  # of 3 s, and the rest
    assert all(final.end - final.begin <= 3.0 + EVERY / SECOND for final in finals)
    brief = KOT * 8 + " " * 8 + KOT  # in the second half, a quarter of the pause is enough
    assert len(of(Final, spoken(parts, brief, longest=3.0))) == 2
    assert len(of(Final, spoken(parts, brief, longest=30.0))) == 1


def test_stable_words_stay(parts):
    found = spoken(parts, KOT + ATTA + KOT + " " * 12 + ATTA + " " * 60, 3.0)
    partials, final = of(Partial, found), found[-1]
    assert final.words == ["кот", "атта", "кот", "атта"]
    for one, other in itertools.pairwise(partials):
        assert other.stable[: len(one.stable)] == one.stable
    shown = [partial.stable + partial.rest for partial in partials]
    first = next(i for i, words in enumerate(shown) if words[:1] == ("кот",))
    stable = next(i for i, partial in enumerate(partials) if partial.stable[:1] == ("кот",))
    assert stable - first == AGREEING - 1
    assert partials[-1].stable == tuple(final.words)
