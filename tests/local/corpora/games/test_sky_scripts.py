from pathlib import Path

import pytest
from game_files import numbers, say, scripts

from cascade.runtime.errors import UserError
from local.corpora.games.binary import Binary
from local.corpora.games.sky_scripts import Call, calls


def read(data: bytes, module: int = 2) -> list[Call]:
    return list(calls(Binary(data, Path("sky.dsk"), "little", "60402"), module))


def test_who_says_what():
    first = [5, 9, *say((2, 16), 77), *say((0, 4 * 12), 78, 38), 13]
    menu = [2, 79, 2, 1, 11, 2, 4 * 70]
    # Not said: another function, a text out of a variable.
    others = [*say((2, 16), 80, 99), 2, 16, 0, 81, 2, 0, 11, 3, 4 * 35, 11, 0, 4 * 35]
    switch = [14, 2, 1, 50, 2, 60, 70]
    third = [*menu, *switch, 7, *others, *say((0, 4 * 120), 82, 35), 13]
    assert read(scripts(first, [], third)) == [
        Call(0x2001, 77, object=16),
        Call(0x2001, 78, variable=12),
        Call(0x2003, 79),
        Call(0x2003, 82, variable=120),
    ]


def test_scripts_in_another_order():
    words = [3, 12, 3, *say((2, 5), 1), *say((2, 6), 2)]
    spoken = read(numbers(*words, order="<"), 0)
    assert [(call.script, call.object, call.text) for call in spoken] == [(2, 5, 1), (1, 6, 2)]


@pytest.mark.parametrize(
    ("script", "code"), [([21], 21), ([2], 2), ([14, 3, 1, 2], 14), ([2, 1, 11, 3], 11)]
)
def test_damaged_scripts(script, code):
    with pytest.raises(UserError, match=rf"entry '60402' has an instruction {code} that is not"):
        read(scripts(script))


def test_no_scripts():
    assert read(b"") == []
