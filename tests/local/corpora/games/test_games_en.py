from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from game_files import RATE, tone

from cascade.corpora import corpus
from cascade.corpora.corpus import CorpusRequest, Excluded, Utterance
from cascade.runtime.errors import UserError
from local.corpora.games import games_en
from local.corpora.games.game_lines import Line
from local.helpers import debian

LINES = {
    "queen": [
        Line("A1", "Excuse me Bob.", "queen_lavelle", b"1"),
        Line("A2", "Howdy!", "queen_coleman", b"2"),
        Line("A3", "What can I\tdo\nfor you?", "queen_coleman", b"3"),
        Line("A4", "Excuse me Bob.", "queen_lavelle", b"1"),
    ],
    "drascula": [Line("D1", "A TEXT THAT IS MUCH TOO LONG FOR ITS SOUND", "drascula_bj", b"4")],
    "sky": [Line("50001", "Never mind...", None, b"5")],
}


@pytest.fixture
def games(tmp_path, unpacked, monkeypatch):
    """Three games that need no files; counts how often their lines are listed."""
    counts = dict.fromkeys(LINES, 0)

    def fake(part):
        def lines(folder):
            assert folder == unpacked
            counts[part] += 1
            return iter(LINES[part])

        def samples(line):
            return tone(1.0, 100 * int(line.sound))

        package = debian.Package(part, "1", {"all": "0" * 64})
        return SimpleNamespace(
            PACKAGE=package, FOLDER="usr/", RATE=RATE, lines=lines, samples=samples
        )

    monkeypatch.setattr(games_en, "GAMES", {part: fake(part) for part in LINES})
    return counts


def listing(tmp_path, part=None, rate=16000):
    request = CorpusRequest(tmp_path / "dl", tmp_path / "data", part=part, rate=rate, jobs=2)
    return list(corpus.listing("games_en", request))


def test_corpus(tmp_path, games):
    items = listing(tmp_path)
    folder = tmp_path / "data/games_en/queen_16000"
    assert items == [
        Utterance("games_en-queen-A1", folder / "A1.wav", "Excuse me Bob.", "queen_lavelle"),
        Excluded("games_en-queen-A2", "fewer than 2 words", 1.0, True),
        Utterance(
            "games_en-queen-A3", folder / "A3.wav", "What can I do for you?", "queen_coleman"
        ),
        Excluded("games_en-queen-A4", "another line has the same recording", 1.0, True),
        Excluded("games_en-drascula-D1", "more than 25 letters a second", 1.0, True),
        Excluded("games_en-sky-50001", "the speaker is not known", 1.0, True),
    ]
    assert sorted(path.name for path in folder.glob("*.wav")) == ["A1.wav", "A3.wav"]
    samples, rate = soundfile.read(folder / "A1.wav")
    assert (rate, len(samples)) == (16000, 16000)
    expected = 0.5 * np.sin(2 * np.pi * 100 * np.arange(16000) / 16000)
    np.testing.assert_allclose(samples[500:-500], expected[500:-500], atol=0.005)


def test_a_game_is_made_once_for_each_rate(tmp_path, games):
    both = listing(tmp_path, "queen") + listing(tmp_path, "sky")
    before = (tmp_path / "data/games_en/queen_16000/A1.wav").stat().st_mtime_ns
    assert games == {"queen": 1, "drascula": 0, "sky": 1}
    assert listing(tmp_path, "queen") + listing(tmp_path, "sky") == both
    assert (tmp_path / "data/games_en/queen_16000/A1.wav").stat().st_mtime_ns == before
    assert games == {"queen": 1, "drascula": 0, "sky": 1}
    first = listing(tmp_path, "queen", rate=8000)[0]
    assert soundfile.info(first.audio).samplerate == 8000
    assert games["queen"] == 2


def test_the_same_bytes_again(tmp_path, games):
    for name in ("one", "two"):
        listing(tmp_path / name)
    files = [sorted((tmp_path / name / "data/games_en").rglob("*.*")) for name in ("one", "two")]
    assert len(files[0]) == 2 + 2 * 3  # two recordings, and a table and a marker for each game
    assert [f.read_bytes() for f in files[0]] == [f.read_bytes() for f in files[1]]


def test_a_sound_that_cannot_be_decoded(tmp_path, games, monkeypatch):
    def samples(line):
        raise ValueError("it is silent")

    monkeypatch.setattr(games_en.GAMES["sky"], "samples", samples)
    with pytest.raises(UserError, match=r"usr: the sound '50001' cannot be decoded \(it is silent"):
        listing(tmp_path, "sky")
    assert not (tmp_path / "data/games_en/sky_16000").exists()


def test_a_damaged_table(tmp_path, games):
    listing(tmp_path, "sky")
    table = tmp_path / "data/games_en/sky_16000/lines.tsv"
    table.write_text("50001\tsky_foster\n", encoding="utf-8")
    with pytest.raises(
        UserError, match=r"lines\.tsv, line 1 has not 5 fields\. Delete .*sky_16000"
    ):
        listing(tmp_path, "sky")


def test_no_such_game(tmp_path, games):
    with pytest.raises(UserError, match=r"'games_en' has no part 'tomb'\. Its parts: queen, dr"):
        listing(tmp_path, "tomb")
