from pathlib import Path

import pytest

from cascade.runtime.errors import UserError
from local.corpora.games.binary import Binary


def test_numbers_in_both_orders():
    assert Binary(b"\xff\xfe\x01", Path("a"), "big").signed() == -2
    little = Binary(b"\xff\xfe\x01", Path("a"), "little", at=1)
    assert (little.unsigned(1), little.at, little.unsigned(1)) == (0xFE, 2, 1)
    assert Binary(b"\0\1\xff\xff", Path("a"), "big").row(2) == [1, -1]
    assert Binary(b"caf\x82\0x", Path("a"), "big").text("cp850") == "café"


def test_what_ends_too_early(tmp_path):
    data = Binary(b"abc", tmp_path / "game.1c", "big", "A.CUT")
    for read in (lambda: data.take(4), lambda: data.row(2), lambda: data.unsigned(4)):
        data.at = 0
        with pytest.raises(
            UserError, match=r"game\.1c: its entry 'A\.CUT' ends too early, at byte"
        ):
            read()
    for place in (-1, 4):
        data.at = place
        with pytest.raises(UserError, match=r"ends too early, at byte 3\. Delete .* and run again"):
            data.take(1)
    data.at = 0
    with pytest.raises(UserError, match="has a string without an end"):
        data.text("ascii")
