import pytest
from game_files import cpt, dnr, numbers, rnc, sky_texts

from cascade.runtime.errors import UserError
from local.corpora.games import sky_files


@pytest.fixture
def archive(tmp_path):
    """Writes files as the game's archive, and reads that."""

    def archive(files, plain=(), cut=0):
        table, data = dnr(files, plain)
        (tmp_path / "sky.dnr").write_bytes(table)
        (tmp_path / "sky.dsk").write_bytes(data[: len(data) - cut])
        return sky_files.archive(tmp_path)

    return archive


def test_an_archive(archive):
    packed = b"\x81".ljust(22, b"\x80") + rnc((b"ab", 2, 4), end=b"c")
    game = archive({7: b"plain", 8: packed, 9: packed}, plain=[7, 9])
    assert game.stored(8) == game.stored(9) == game.plain(9).data == packed
    assert game.plain(7).data == b"plain"
    assert game.plain(8).data == packed[:22] + b"abababc"


def test_a_damaged_archive(archive, tmp_path):
    game = archive({7: b"plain", 8: bytes(22) + rnc((b"ab", 3, 4))}, cut=1)
    with pytest.raises(UserError, match=r"sky\.dsk: its entry '6' is missing"):
        game.stored(6)
    with pytest.raises(UserError, match=r"sky\.dsk: its entry '8' ends too early, at byte"):
        game.stored(8)
    game = archive({8: bytes(22) + rnc((b"ab", 3, 4))})
    with pytest.raises(UserError, match=r"sky\.dsk: its entry '8' \(a copy begins before the data"):
        game.plain(8)
    (tmp_path / "sky.dnr").write_bytes(b"\2\0\0\0" + bytes(8))
    with pytest.raises(UserError, match=r"sky\.dnr ends too early, at byte 12"):
        sky_files.archive(tmp_path)


def test_texts(archive):
    texts = [f"No. {i}: don't MOVE - it's `me'..." for i in range(70)]
    texts[40] = "A long one. " * 30  # its length needs a skip byte of the other kind
    game = archive({60602: sky_texts(texts)}, plain=[60602])
    assert sky_files.texts(game, 2, set()) == {}
    wanted = {0, 1, 31, 32, 39, 40, 41, 63, 64, 69}
    assert sky_files.texts(game, 2, wanted) == {i: texts[i] for i in wanted}


def test_codes():
    by_code = sky_files._codes()
    codes = {char: code for code, char in by_code.items()}
    known = {" ": "000", "e": "0010", "a": "0011", "o": "01000", "n": "01011", ".": "01100"}
    assert {char: codes[char] for char in known} == known
    assert (codes["r"], codes["\0"]) == ("0111", "100000")
    assert len(by_code) == 123 and sum(2.0 ** -len(code) for code in by_code) == 1


def test_damaged_texts(archive):
    data = sky_texts(["Oh no!"])
    game = archive({60600: data[:-3]}, plain=[60600])
    with pytest.raises(UserError, match="its entry '60600' ends too early"):
        sky_files.texts(game, 0, {0})
    game = archive({60600: numbers(6, 7, 0, order="<") + bytes(5000)}, plain=[60600])
    with pytest.raises(
        UserError, match="its entry '60600' has a text of more than 1000 characters"
    ):
        sky_files.texts(game, 0, {0})


def test_names(tmp_path):
    path = tmp_path / "sky.cpt"
    path.write_bytes(cpt(["joey", "joey_park", "foster"]))
    assert sky_files.names(path) == {1: "joey", 2: "joey_park", 3: "foster"}
    path.write_bytes(cpt(["joey", "joey_park", "foster"])[:-1])
    with pytest.raises(UserError, match=r"sky\.cpt ends too early, at byte"):
        sky_files.names(path)
