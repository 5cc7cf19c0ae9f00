import pytest
from game_files import rnc as packed

from local.corpora.games import rnc


@pytest.mark.parametrize(
    ("steps", "end", "unpacked"),
    [
        ([], b"only literal bytes", b"only literal bytes"),
        ([(b"abc", 3, 6)], b"d", b"abcabcabcd"),
        ([(b"x", 1, 40), (b"", 20, 2), (b"yz", 2, 5)], b"", b"x" * 43 + b"yzyzyzy"),
        ([(bytes(range(256)) * 3, 700, 300)], b"", None),
    ],
)
def test_what_was_packed(steps, end, unpacked):
    if unpacked is None:
        first = bytes(range(256)) * 3
        unpacked = first + first[len(first) - 700 :][:300]
    assert rnc.unpack(packed(*steps, end=end)) == unpacked


def test_two_blocks():
    one = packed((b"abc", 3, 6), end=b"d")
    assert one[17] == 1  # the number of blocks
    with pytest.raises(ValueError, match="the packed data end too early"):
        rnc.unpack(one[:17] + b"\2" + one[18:])


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "the data are not packed with RNC1"),
        (b"RNC\2" + bytes(20), "the data are not packed with RNC1"),
        (packed((b"abc", 3, 6), end=b"defghi")[:-4], "the packed data end too early"),
        (packed((b"abc", 4, 6)), "a copy begins before the data"),
        (b"RNC\1\0\0\0\1\0\0\0\x40" + bytes(5) + b"\1" + bytes(60), "1"),
    ],
)
def test_damaged_data(data, why):
    with pytest.raises(ValueError, match=why):
        rnc.unpack(data)


def test_another_length_than_the_header_says():
    data = packed((b"abc", 3, 60), end=b"d")
    with pytest.raises(ValueError, match="more data are unpacked than the header says"):
        rnc.unpack(data[:4] + b"\0\0\0\5" + data[8:])
    with pytest.raises(ValueError, match="64 bytes are unpacked, and the header says 65"):
        rnc.unpack(data[:4] + b"\0\0\0\x41" + data[8:])


def test_a_code_without_a_meaning():
    head = b"RNC\1\0\0\0\1\0\0\0\x40" + bytes(5) + b"\1"
    # No symbols in any of the three tables, one round: its number of literal bytes has no code.
    bits = f"{0:02b}{0:015b}" + "1" + "0" * 15
    words = [int(bits[i : i + 16][::-1], 2) for i in range(0, 32, 16)]
    stream = b"".join(word.to_bytes(2, "little") for word in words) + bytes(60)
    with pytest.raises(ValueError, match="a code without a meaning"):
        rnc.unpack(head + stream)
