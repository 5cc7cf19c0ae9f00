import json

import pytest

from cascade.decoding.decoder import Decoded
from cascade.decoding.lattice import Hypothesis
from cascade.recognition import formats
from cascade.recognition.recordings import Part, Recording

TABLE = ["<eps>", "да", "<b>", "щ+|ɕ", "и|i"]
FIRST = Decoded(
    "a.wav",
    ["d", "a"],
    ["d", "ʌ"],
    ["d", "a"],
    ["да", "<b>"],
    [Hypothesis((1, 2), -3.5, -10.25), Hypothesis((3, 4), -4.0, -11.0)],
    [("да", 0.5, 0.25, 0.912345), ("<b>", 0.75, 0.5, 0.5)],
)
SECOND = Decoded(
    *("a.wav", ["i"], ["i"], ["i"], ["щи"]), [Hypothesis((3, 4), -1, -2)], [("щи", 0.1, 0.3, 1)]
)


@pytest.fixture
def recording():
    return Recording(7.25, [Part(0.0, 3.0, FIRST), Part(3.0, 7.25, SECOND)], TABLE)


def test_lines(recording):
    assert formats.words("a.wav", recording) == "a.wav\tда <b> щи"
    assert formats.phones("a.wav", recording) == "a.wav\td ʌ i"
    assert formats.times("a.wav", recording).splitlines() == [
        "a.wav\t0.50\t0.25\t0.91\tда",
        "a.wav\t0.75\t0.50\t0.50\t<b>",
        "a.wav\t3.10\t0.30\t1.00\tщи",
    ]
    assert formats.nbest("a.wav", recording).splitlines() == [
        "a.wav\t0.00\t1\t-13.7500\tда <b>",
        "a.wav\t0.00\t2\t-15.0000\tщи",
        "a.wav\t3.00\t1\t-3.0000\tщи",
    ]


def test_json_is_one_line_with_everything(recording):
    text = formats.as_json("a\nb.wav", recording)
    assert "\n" not in text
    row = json.loads(text)
    assert (row["file"], row["seconds"], row["text"]) == ("a\nb.wav", 7.25, "да <b> щи")
    first, second = row["parts"]
    assert first["words"][0] == {"word": "да", "begin": 0.5, "end": 0.75, "confidence": 0.9123}
    assert first["nbest"] == [{"text": "да <b>", "score": -13.75}, {"text": "щи", "score": -15.0}]
    assert (second["begin"], second["end"], second["phones"]) == (3.0, 7.25, "i")
    assert second["words"][0]["begin"] == 3.1


def test_subtitles(recording):
    assert formats.srt("a.wav", recording) == (
        "1\n00:00:00,500 --> 00:00:01,250\nда <b>\n\n2\n00:00:03,100 --> 00:00:03,400\nщи\n"
    )
    assert formats.vtt("a.wav", recording) == (
        "WEBVTT\n\n00:00:00.500 --> 00:00:01.250\nда &lt;b&gt;\n\n"
        "00:00:03.100 --> 00:00:03.400\nщи\n"
    )


def test_a_subtitle_has_two_lines_and_six_seconds_at_most():
    long = [("слово", 0.1 * i, 0.1, 1.0) for i in range(40)]
    made = list(formats.cues(long))
    assert [word for *_, text in made for word in text.split()] == ["слово"] * 40
    assert all(len(text) <= 85 for *_, text in made) and len(made) == 3
    slow = [("я", 0.5 * i, 0.4, 1.0) for i in range(40)]
    made = list(formats.cues(slow))
    assert max(end - begin for begin, end, _ in made) <= 6.0
    assert made[0][:2] == (0.0, 5.9) and made[1][0] == 6.0
    assert list(formats.cues([])) == []


def test_nothing_recognised_is_valid_everywhere():
    silent = Recording(1.0, [Part(0.0, 1.0, Decoded("a", [], [], [], [], [], []))], TABLE)
    assert formats.words("a", silent) == "a\t"
    assert (
        formats.times("a", silent) == formats.nbest("a", silent) == formats.srt("a", silent) == ""
    )
    assert formats.vtt("a", silent) == "WEBVTT\n"
    assert json.loads(formats.as_json("a", silent))["parts"][0]["words"] == []


def test_a_cue_has_two_lines_where_words_are_long_or_have_hyphens():
    text = "северо-западный юго-восточный социально-экономический научно-исследовательский"
    timed = [(word, 0.5 * i, 0.5, 0.9) for i, word in enumerate(text.split())]
    shown = [formats._wrapped(words).splitlines() for _, _, words in formats.cues(timed)]
    assert max(map(len, shown)) <= formats.LINES
    assert " ".join(line for lines in shown for line in lines) == text
