"""Who speaks in Flight of the Amazon Queen, and what Joe says about things.

``QUEEN.JAS`` has the tables of rooms, objects and actors, ``QUEEN2.JAS`` their names and texts, one
a line::

    I don't see anything special*24
    bob1.dog
    It looks nice*03
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from local.corpora.games.binary import Binary
from local.corpora.games.queen_files import Sentence, beginning

PERSON = (-3, -4)  # images of objects that are persons
VERBS, RESPONSES = 12, 40


@dataclass(frozen=True)
class Cast:
    """The persons of the game.

    ``persons`` tells of each object, counted from 1, whether it is a person. ``actors`` are the
    names of who may stand at the place of a person: more than one where the state of the game
    decides. ``remarks`` are Joe's. ``talks`` are pairs of a dialogue, such as BOB1.DOG, and the
    object that Joe talks to.
    """

    persons: list[bool]
    actors: dict[int, tuple[str, ...]]
    remarks: list[Sentence]
    talks: list[tuple[str, int]]

    def is_person(self, number: int) -> bool:
        return 0 < number < len(self.persons) and self.persons[number]


def cast(tables: Binary, names: Binary) -> Cast:
    """Read QUEEN.JAS and QUEEN2.JAS; raises `UserError` for other contents."""
    data = beginning(tables)
    room_count, name_count, object_count, description_count = data.row(4)
    persons = [False] + [data.row(8)[7] in PERSON for _ in range(object_count)]
    ends = data.row(room_count + 1)  # of the rooms' objects; room i has those up to ends[i]
    data.row(room_count)
    for width in (5, 5):  # items, graphics
        _table(data, width)
    for _ in range(room_count):
        data.signed()
        for _ in range(data.signed()):
            data.row(8)
    data.row(4 * object_count)
    _table(data, 3)
    _table(data, 4)
    commands = _table(data, 10)
    for width in (3, 3, 3):
        _table(data, width)
    states = _table(data, 4)
    data.signed()
    _table(data, 2)
    actor_count, animation_count, actor_name_count, _ = data.row(4)
    rows = [data.row(12) for _ in range(actor_count)]
    _table(data, 3)
    if data.take(5) != b"CEM10":
        raise data.damaged("has tables that end at the wrong place")

    lines = names.data.decode("cp437").split("\r\n")
    before = description_count + name_count + room_count + VERBS
    first = before + RESPONSES + animation_count
    actor_names = ["", *lines[first : first + actor_name_count]]
    if len(lines) < first + actor_name_count:
        raise names.damaged(f"has {len(lines)} lines, fewer than its tables say")
    descriptions = ["", *lines[:description_count]]

    remarks = [*lines[before : before + RESPONSES], *descriptions[1:]]
    talks = []
    for command, _, _, description in states:
        if not 0 < description < len(descriptions) or not 0 < command <= len(commands):
            continue
        name = descriptions[description].upper()
        if name.endswith(".DOG"):
            objects = commands[command - 1][1:3]
            talks += [(name, i) for i in objects if 0 < i < len(persons) and persons[i]]
    by_place = defaultdict(list)
    for room, bob, number, *_ in rows:
        if not 0 <= number < len(actor_names):
            raise tables.damaged(f"has an actor with the name {number}, which does not exist")
        by_place[room, bob].append(actor_names[number])
    actors = {}
    for number, place in _places(persons, ends):
        actors[number] = tuple(dict.fromkeys(by_place[place]))
    sentences = [
        Sentence(f"JOE{i:04d}", text, 0)
        for i, text in enumerate(remarks, start=1)
        if not text.upper().endswith((".CUT", ".DOG"))
    ]
    return Cast(persons, actors, sentences, talks)


def _places(persons: list[bool], ends: list[int]) -> Iterator[tuple[int, tuple[int, int]]]:
    """Each person's object, with its place: the room, and how many persons of it come so far."""
    for room, (start, end) in enumerate(pairwise(ends), start=1):
        bob = 0
        for number in range(start + 1, min(end + 1, len(persons))):
            bob += persons[number]
            if persons[number]:
                yield number, (room, bob)


def _table(data: Binary, width: int) -> list[list[int]]:
    """The next table: how many rows, then the rows; one without rows has one that means nothing."""
    return [data.row(width) for _ in range(max(1, data.signed()))]
