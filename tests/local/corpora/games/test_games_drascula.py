import numpy as np
import pytest
from game_files import RATE, als, dat, tone

from cascade.runtime.errors import UserError
from local.corpora.games import games_drascula
from local.corpora.games.game_lines import Line

TABLES = [
    ["", "I'VE SEEN IT", "NO SOUND"],
    ["", *(f"D{i}" for i in range(1, 84))],
    ["", "HIC"],
    *[["", f"TEXT {i}"] for i in range(7)],
]


@pytest.fixture
def game(tmp_path):
    """The folder of the package with texts and some sounds."""
    folder = tmp_path / games_drascula.FOLDER
    folder.mkdir(parents=True)
    (folder / "drascula.dat").write_bytes(dat(TABLES))
    for name in ("0", "1", "D1", "D67", "D68", "D78", "D79", "B1", "B9", "VB1", "S1"):
        (folder / f"{name}.ALS").write_bytes(als(tone(0.5)))
    return tmp_path


def test_lines(game):
    lines = list(games_drascula.lines(game))
    assert [(line.name, line.text, line.speaker) for line in lines] == [
        ("1", "I'VE SEEN IT", "drascula_hacker"),
        ("D1", "D1", "drascula_drascula"),
        ("D67", "D67", "drascula_drascula"),
        ("D68", "D68", "drascula_blindman"),
        ("D78", "D78", "drascula_blindman"),
        ("D79", "D79", None),
        ("B1", "HIC", "drascula_drunk"),
        ("VB1", "TEXT 6", "drascula_vonbraun"),
    ]
    assert all(line.sound == als(tone(0.5)) for line in lines)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "has no table of 501 texts"),
        (dat(TABLES, languages=5), "has no table of 501 texts"),
        (dat(TABLES)[:2000], "ends too early, at byte 2000"),
        (dat(TABLES[:9]), "ends too early"),
    ],
)
def test_damaged_texts(game, data, why):
    path = game / games_drascula.FOLDER / "drascula.dat"
    path.write_bytes(data)
    with pytest.raises(UserError, match=rf"drascula\.dat {why}.*Delete"):
        list(games_drascula.lines(game))


def test_long_silences_are_cut_off():
    silence = np.zeros(RATE)
    sound = np.concatenate([silence, tone(0.5), silence, tone(0.5), silence])
    samples = games_drascula.samples(Line("1", "NO", None, als(sound)))
    assert len(samples) / RATE == pytest.approx(0.1 + 2 + 0.1, abs=0.01)
    assert np.abs(samples).max() == pytest.approx(0.5, abs=0.01)
    short = als(tone(0.5))
    assert len(games_drascula.samples(Line("1", "NO", None, short))) == pytest.approx(
        0.5 * RATE, abs=20
    )


def test_a_silent_sound():
    for sound in (b"", als(np.zeros(100))):
        with pytest.raises(ValueError, match="it is silent"):
            games_drascula.samples(Line("1", "NO", None, sound))
