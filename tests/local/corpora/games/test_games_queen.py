import io

import numpy as np
import pytest
import soundfile
from game_files import RATE, cut, dog, jas, jas2, mp3, qtbl, tone

from cascade.runtime.errors import UserError
from local.corpora.games import games_queen
from local.corpora.games.game_lines import Line
from local.corpora.games.queen_cast import Cast

NAMES = (
    *("06SSSSJ1", "06002AJ1", "060009P2", "06XXXXP1", "190009P1", "790009P1", "030009P1"),
    *("C69Z_011", "C69Z_021", "C69Z_031", "C69Z_041", "C69Z_051", "JOE00411", "JOE00412"),
    "EFFECT1",
)
SOUNDS = {name: mp3(1.0, 200 + 10 * i) for i, name in enumerate(NAMES)}
FILES = {
    # Objects: 1 Bob, 2 Azura or the robot, 3 a thing, 4 the ape.
    "QUEEN.JAS": jas(
        [(True, True, False), (True,)],
        [(1, 1, 1), (1, 2, 2), (1, 2, 3), (2, 1, 4)],
        [(7, 4, 0)],
        [(1, 2)],
        2,
        4,
    ),
    "QUEEN2.JAS": jas2(
        ["It looks nice*03Very nice.", "ape.dog"], 2, [], ["BOB", "AZURA-H", "TMPD", "APE"]
    ),
    "BOB1.DOG": dog(
        6,
        [(0, "Excuse me."), (0x2A, "I'm even."), (0x2A, "I am odd.")],
        [(9, "*FLHow?*02")],
        ("Hello again.", "No sound."),
    ),
    "APE.DOG": dog(3, [], [(9, "Oop oop!")]),
    "PYGMY.DOG": dog(19, [], [(9, "Unga chunawa!")]),
    "SPARKY8.DOG": dog(79, [], [(9, "Mmmft grblt!")]),
    "C69Z.CUT": cut(
        [
            (0, "I am Joe."),
            (2, "I'm a robot."),
            (-2, "By whom?"),
            (3, "Things talk."),
            (1, " Hi Joe. "),
        ],
        ("bob1.DOG", 1),
    ),
    **{f"{name}.SB": sound for name, sound in SOUNDS.items()},
}


@pytest.fixture
def game(tmp_path):
    """Writes an archive, and lists its lines by name."""

    def game(files):
        path = tmp_path / games_queen.FOLDER / "queen.1c"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(qtbl(files))
        return {line.name: line for line in games_queen.lines(tmp_path)}

    return game


def test_lines(game):
    lines = game(FILES)
    assert {name: line.sound for name, line in lines.items()} == {
        name: sound for name, sound in SOUNDS.items() if name != "EFFECT1"
    }
    assert list(lines) == sorted(lines)
    assert {name: (line.text, line.speaker, line.problem) for name, line in lines.items()} == {
        "06SSSSJ1": ("Excuse me.", "queen_lavelle", None),
        "06002AJ1": ("I'm even.", "queen_lavelle", "two texts for this sound"),
        "060009P2": ("How?", "queen_coleman", None),
        "06XXXXP1": ("Hello again.", "queen_coleman", None),
        "C69Z_011": ("I am Joe.", "queen_lavelle", None),
        "C69Z_021": ("I'm a robot.", "queen_reitel", None),
        "C69Z_031": ("By whom?", None, None),
        "C69Z_041": ("Things talk.", None, None),
        "C69Z_051": ("Hi Joe.", "queen_coleman", None),
        "JOE00411": ("It looks nice", "queen_lavelle", None),
        "JOE00412": ("Very nice.", "queen_lavelle", None),
        "190009P1": ("Unga chunawa!", None, "an invented language"),
        "790009P1": ("Mmmft grblt!", None, "an animal, or somebody who is gagged"),
        "030009P1": ("Oop oop!", None, "an animal, or somebody who is gagged"),
    }


def test_a_file_is_missing(game):
    files = {name: data for name, data in FILES.items() if name != "QUEEN2.JAS"}
    with pytest.raises(UserError, match=r"queen\.1c lacks the file 'QUEEN2\.JAS'\. Delete"):
        game(files)


@pytest.mark.parametrize(
    ("names", "scene", "character"),
    [
        (("BOB",), "C1A", "BOB"),
        (("X10_JOE",), "C1A", "JOE"),
        (("SPARKY", "SPARKY-F"), "C1A", "SPARKY"),
        (("FRANK", "SPARKY"), "C1A", "SPARKY"),
        (("FRANK", "SPARKY"), "C69Z", "FRANK"),
        (("AMGUARD", "PRINCESS2"), "C18B", "AZURA"),
        (("AMGUARD", "PRINCESS2"), "C18D", "AMGUARD"),
        (("AMGUARD",), "C18B", "AMGUARD"),
        (("SPARKY",), "C69Z", "SPARKY"),
        (("HENRY", "DEATH"), "", "DEATH"),
        (("HENRY", "DEATH"), "C62A", None),
        (("FRANK", "ANDERSON"), "C41B", None),
        (("BOB", "FAYE"), "C1A", None),
        (("TAMMY",), "", "MARYLOU"),
        ((), "C1A", None),
    ],
)
def test_who_speaks(names, scene, character):
    persons = Cast([False, True], {1: names}, [], [])
    assert games_queen.who(1, scene, persons) == character
    assert games_queen.who(0, scene, persons) == "JOE"
    assert games_queen.who(None, scene, persons) is None


def line(sound: bytes) -> Line:
    return Line("JOE00011", "Oh no!", "queen_lavelle", sound)


def test_samples_of_a_low_rate_mp3():
    stream = io.BytesIO(mp3(1.0))
    assert soundfile.info(stream).samplerate == RATE  # MPEG-2.5
    samples = games_queen.samples(line(stream.getvalue()))
    assert RATE <= len(samples) <= 1.3 * RATE
    assert np.abs(samples[3000:9000]).max() == pytest.approx(0.75 * 0.5, abs=0.03)


def written(samples: np.ndarray, rate: int = RATE) -> bytes:
    """A recording without a codec, whose samples stay as they are."""
    stream = io.BytesIO()
    soundfile.write(stream, samples, rate, format="WAV", subtype="FLOAT")
    return stream.getvalue()


def test_a_click_at_the_start():
    quiet = 0.2 * tone(1.0)
    click = quiet.copy()
    click[1110] = 0.9
    repaired = games_queen.samples(line(written(click)))
    assert not repaired[1105:1118].any()
    quiet[1105:1118] = 0
    np.testing.assert_allclose(repaired, 0.75 * quiet, atol=1e-6)


def test_a_loud_word_is_no_click():
    loud = 1.8 * tone(1.0)
    np.testing.assert_allclose(games_queen.samples(line(written(loud))), 0.75 * loud, atol=1e-6)
    short = tone(0.05)
    assert len(games_queen.samples(line(written(short)))) == len(short)


def test_sounds_that_cannot_be_decoded():
    with pytest.raises(ValueError, match="Format not recognised"):
        games_queen.samples(line(b"no sound at all"))
    with pytest.raises(ValueError, match="it has 8000 Hz"):
        games_queen.samples(line(written(tone(0.5), 8000)))
