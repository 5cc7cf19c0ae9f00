from pathlib import Path

import pytest
from game_files import cut, dog, qtbl

from cascade.runtime.errors import UserError
from local.corpora.games import queen_files
from local.corpora.games.binary import Binary
from local.corpora.games.queen_files import Sentence


def entry(data: bytes, name: str) -> Binary:
    return Binary(data, Path("queen.1c"), "big", name)


def test_an_archive(tmp_path):
    path = tmp_path / "queen.1c"
    path.write_bytes(qtbl({"A.DOG": b"abc", "JOE00011.SB": b"", "B-2_.CUT": b"de"}))
    files = queen_files.archive(path)
    contents = {name: file.data for name, file in files.items()}
    assert contents == {"A.DOG": b"abc", "JOE00011.SB": b"", "B-2_.CUT": b"de"}


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "ends too early, at byte 0"),
        (b"RIFF" + bytes(20), "does not begin with QTBL"),
        (qtbl({"A.SB": b"abc"}, compression=2), "has sounds that are not MP3"),
        (qtbl({"A.SB": b"abc"})[:-1], "ends too early, at byte 38"),
        (qtbl({"A.SB": b"abc", "B.SB": b""})[:40], "ends too early, at byte 40"),
        (qtbl({"../A.SB": b"abc"}), r"has a file with the name '\.\./A\.SB'"),
    ],
)
def test_a_damaged_archive(tmp_path, data, why):
    path = tmp_path / "queen.1c"
    path.write_bytes(data)
    with pytest.raises(UserError, match=rf"queen\.1c {why}\. Delete"):
        queen_files.archive(path)


def test_a_dialogue():
    joe = [(0, "Excuse me.*03"), (9, "Odd"), (0x2A, "I'm even.")]
    partner = [(9, "Yes?"), (-1, "No!")]
    for levels in (1, -2):  # negative: Joe may not leave
        file = entry(dog(6, joe, partner, ("Hello again.", ""), levels), "BOB1.DOG")
        assert queen_files.dialogue(file, 17) == [
            Sentence("06SSSSJ", "Excuse me.*03", 0),
            Sentence("060009J", "Odd", 0),
            Sentence("06002AJ", "I'm even.", 0),
            Sentence("060009P", "Yes?", 17),
            Sentence("06FFFFP", "No!", 17),
            Sentence("06XXXXP", "Hello again.", 17),
            Sentence("06XXXXJ", "", 0),
        ]
    with pytest.raises(UserError, match=r"its entry 'BOB1\.DOG' ends too early, at byte 100"):
        queen_files.dialogue(entry(file.data[:120], "BOB1.DOG"), 17)


def test_a_cutaway():
    records = [(3, "Hey!*FL"), (0, "What?"), (-1, "Me?"), (-2, "A *LETTER*"), (4, ""), (-4, "3*4")]
    file = entry(cut(records, ("bob1.DOG", 3), animated=[4]), "C6B.CUT")
    scene = queen_files.cutaway(file, {3}.__contains__)
    assert (scene.dialogue, scene.partner) == ("BOB1.DOG", 3)
    assert scene.sentences == [
        Sentence("C6B__01", "Hey!*FL", 3),
        Sentence("C6B__02", "What?", 0),
        Sentence("C6B__03", "Me?", 0),
        Sentence("C6B__04", "A *LETTER*", None, undivided=True),
        Sentence("C6B__05", "", 4),
        Sentence("C6B__06", "3*4", None, undivided=True),
    ]
    assert list(scene.sentences[3].parts()) == [("C6B__041", "A *LETTER*")]


def test_a_damaged_cutaway():
    data = cut([(3, "Hey!"), (0, "What?")], animated=[0])
    with pytest.raises(UserError, match=r"'C6B\.CUT' has records that end at the wrong place"):
        queen_files.cutaway(entry(data[:27] + bytes([data[27] + 6]) + data[28:], "C6B.CUT"), bool)
    with pytest.raises(UserError, match=r"'C6B\.CUT' ends too early"):
        queen_files.cutaway(entry(data[:80], "C6B.CUT"), bool)


def test_parts_are_numbered_in_hexadecimal():
    sentence = Sentence("C1A__01", "*".join(["ab", *["12cd"] * 15]), 0)
    parts = list(sentence.parts())
    assert [name for name, _ in parts[8:]][:3] == ["C1A__019", "C1A__01A", "C1A__01B"]
    assert parts[-1] == ("C1A__0110", "cd")
