from pathlib import Path

import pytest
from game_files import jas, jas2

from cascade.runtime.errors import UserError
from local.corpora.games import queen_cast
from local.corpora.games.binary import Binary
from local.corpora.games.queen_files import Sentence

# Objects 1 to 5: in the first room a thing and two persons, in the second a person and a thing.
ROOMS = [(False, True, True), (True, False)]
ACTORS = [(1, 2, 1), (1, 1, 2), (2, 1, 1), (2, 1, 2), (2, 1, 1)]
DESCRIPTIONS = ["It looks nice*03", "bob1.dog", "c1a.CUT", "It's a wrench."]
TABLES = jas(ROOMS, ACTORS, [(7, 0, 0), (7, 1, 3)], [(2, 2), (1, 1), (9, 2)], 4, 2)
NAMES = jas2(DESCRIPTIONS, 2, ["It doesn't open", "No."], ["BOB", "FAYE"])


def files(tables: bytes = TABLES, names: bytes = NAMES) -> tuple[Binary, Binary]:
    path = Path("queen.1c")
    return Binary(tables, path, "big", "QUEEN.JAS"), Binary(names, path, "big", "QUEEN2.JAS")


def test_a_cast():
    cast = queen_cast.cast(*files())
    assert [number for number in range(-3, 9) if cast.is_person(number)] == [2, 3, 4]
    assert cast.actors == {2: ("FAYE",), 3: ("BOB",), 4: ("BOB", "FAYE")}
    assert cast.talks == [("BOB1.DOG", 3)]  # object 1 is a thing
    assert [sentence for sentence in cast.remarks if sentence.text] == [
        Sentence("JOE0001", "It doesn't open", 0),
        Sentence("JOE0002", "No.", 0),
        Sentence("JOE0041", "It looks nice*03", 0),
        Sentence("JOE0044", "It's a wrench.", 0),
    ]


@pytest.mark.parametrize(
    ("tables", "names", "why"),
    [
        (TABLES[:100], NAMES, "'QUEEN.JAS' ends too early"),
        (TABLES.replace(b"CEM10", b"CEM11"), NAMES, "'QUEEN.JAS' has tables that end at the wrong"),
        (TABLES, NAMES[:150], "'QUEEN2.JAS' has 21 lines, fewer than its tables say"),
        (jas(ROOMS, [(1, 1, 3)], names=2), NAMES, "'QUEEN.JAS' has an actor with the name 3"),
    ],
)
def test_a_damaged_cast(tables, names, why):
    with pytest.raises(UserError, match=why):
        queen_cast.cast(*files(tables, names))
