import numpy as np
import pytest
from game_files import cpt, dnr, say, scripts, sky_texts, speech, tone

from cascade.runtime.errors import UserError
from local.corpora.games import games_sky
from local.corpora.games.game_lines import Line
from local.corpora.games.sky_scripts import Call

PARTNER, RUNNING = (0, 4 * 120), (0, 4 * 12)
EMPTY = scripts([13])
SPEECH = {
    number: speech(tone(1, 100 + number % 97))
    for number in (50001, 50002, 50003, 50600, 50601, 55230)
}


@pytest.fixture
def game(tmp_path):
    """Writes files as the game's archive, and lists its lines by name."""

    def game(**changes):
        # Script 0x0040 of module 0 is a conversation with Vincent.
        talk = [*say(PARTNER, 2), *say(RUNNING, 1), 13]
        files = {
            **SPEECH,
            60400: scripts(*[[13]] * 0x3F, talk),
            60401: scripts([*say((2, 1), 0x1000), *say((2, 2), 0x1001), *say((2, 1), 0x1001), 13]),
            **dict.fromkeys(range(60402, 60407), EMPTY),
            **{60600 + section: sky_texts([]) for section in range(8)},
            60600: sky_texts(["?", "I am the hero.", "I'm a kid.", "Who says this?"]),
            60601: sky_texts(["Hello, Foster!", "Two say this."]),
            60607: sky_texts(["Nobody."]),
            59494: b"a clip of the intro",
            **changes,
        }
        folder = tmp_path / games_sky.FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        table, data = dnr(
            {int(number): data for number, data in files.items()}, range(60400, 60700)
        )
        (folder / "sky.dnr").write_bytes(table)
        (folder / "sky.dsk").write_bytes(data)
        (folder / "sky.cpt").write_bytes(cpt(["joey", "holo"]))
        return list(games_sky.lines(tmp_path))

    return game


def test_lines(game):
    lines = game()
    assert [(line.name, line.text, line.speaker) for line in lines] == [
        ("50001", "I am the hero.", "sky_foster"),
        ("50002", "I'm a kid.", "sky_vincent"),
        ("50003", "Who says this?", None),
        ("50600", "Hello, Foster!", "sky_joey"),
        ("50601", "Two say this.", "sky_hologram"),  # the first of several
        ("55230", "Nobody.", None),
    ]
    assert [line.sound for line in lines] == list(SPEECH.values())


def test_a_speech_file_without_a_text(game):
    with pytest.raises(UserError, match=r"sky\.dsk: its entry '60601' ends too early"):
        game(**{"60601": sky_texts(["Hello, Foster!"])})


@pytest.mark.parametrize(
    ("calls", "name"),
    [
        ([], None),
        ([Call(0x0001, 5)], "foster"),
        ([Call(0x0001, 5, variable=12)], "foster"),
        ([Call(0x4012, 5, variable=12)], "danielle"),
        ([Call(0x517C, 5, variable=12)], None),
        ([Call(0x2108, 5, variable=120)], "npc2108"),
        ([Call(0x0001, 5, variable=21)], None),
        ([Call(0x0001, 5, object=7)], "clerk"),
        ([Call(0x0001, 5, object=8)], None),
        ([Call(0x0001, 5, object=7), Call(0x0001, 5), Call(0x0002, 5)], "foster"),
    ],
)
def test_who_says_a_text(calls, name):
    assert games_sky.speaker(calls, {7: "sc42_clerk"}) == name


def test_a_mumbling_partner(game):
    talk = scripts(*[[13]] * 0x10E, [*say(PARTNER, 1), *say(PARTNER, 2), 13])
    texts = sky_texts(["?", "Mmf mgh gog!", "My scanner!", "Mmf mgh!"])
    lines = game(**{"60402": talk, "60600": texts})
    problems = {line.name: line.problem for line in lines if line.problem}
    assert problems == {"50001": "somebody who is gagged"}


def test_samples():
    sound = tone(1.0)
    samples = games_sky.samples(Line("50001", "Oh no!", None, speech(sound)))
    expected = np.concatenate([sound[:-100], sound[-150:-100], sound[-150:-100]])
    np.testing.assert_allclose(samples, expected, atol=0.01)
    with pytest.raises(ValueError, match="not packed with RNC1"):
        games_sky.samples(Line("50001", "Oh no!", None, b"\x81" * 100))
