import json
from pathlib import Path

import pytest

from cascade.alignment import formats
from cascade.alignment.aligner import AlignedUtterance, TimedPhone, TimedWord
from cascade.corpora.audio import AudioInfo
from cascade.data.utterance_checks import CheckedUtterance


def aligned(name: str, start: float, speaker: str = "anna", word: str = "да") -> AlignedUtterance:
    info = AudioInfo(16000, 1, 160000)
    item = CheckedUtterance(name, Path("a.wav"), (word,), speaker, start, 1.0, info, "")
    phones = [
        TimedPhone("d", start + 0.25, start + 0.5),
        TimedPhone("a", start + 0.5, start + 0.75),
    ]
    return AlignedUtterance(item, [TimedWord(word, -0.5, phones)], -0.5)


def test_tiers_of_one_speaker_and_of_several():
    tiers, overlapping = formats.tiers([aligned("b", 2.0), aligned("a", 0.0)])
    assert tiers["words"] == [(0.25, 0.75, "да"), (2.25, 2.75, "да")]
    assert tiers["phones"][:2] == [(0.25, 0.5, "d"), (0.5, 0.75, "a")]
    assert not overlapping
    tiers, overlapping = formats.tiers([aligned("a", 0.0), aligned("b", 0.2, "boris")])
    assert list(tiers) == ["anna - words", "anna - phones", "boris - words", "boris - phones"]
    assert not overlapping
    tiers, overlapping = formats.tiers([aligned("a", 0.0), aligned("b", 0.2)])
    assert overlapping == ["b"] and len(tiers["words"]) == 1


def read(text: str) -> list[tuple[float, float, str]]:
    """Read intervals as Praat does."""
    lines = [line.strip() for line in text.splitlines()]
    rows = []
    for i, line in enumerate(lines):
        if line.startswith("intervals ["):
            xmin, xmax, label = (one.partition(" = ")[2] for one in lines[i + 1 : i + 4])
            assert label[0] == label[-1] == '"'
            rows.append((float(xmin), float(xmax), label[1:-1].replace('""', '"')))
    return rows


def test_a_textgrid_covers_the_recording_and_keeps_quotes():
    tiers, _ = formats.tiers([aligned("a", 0.0, word='"д"а')])
    rows = read(formats.textgrid(tiers, 10.0))
    assert rows[:3] == [(0, 0.25, ""), (0.25, 0.75, '"д"а'), (0.75, 10.0, "")]
    assert [row[2] for row in rows[3:]] == ["", "d", "a", ""]


def test_ctm_and_json():
    one = aligned("u", 1.0)
    assert formats.ctm("my files/a", one, "words") == "my_files/a 1 1.25 0.50 да 0.6065\n"
    assert formats.ctm("a", one, "phones").splitlines()[1] == "a 1 1.50 0.25 a 0.6065"
    row = json.loads(formats.as_json("a", one, True))
    assert (row["begin"], row["end"], row["fits"]) == (1.0, 2.0, True)
    assert row["words"][0]["phones"][0] == {"phone": "d", "begin": 1.25, "end": 1.5}
    assert row["score"] == pytest.approx(-0.5)
