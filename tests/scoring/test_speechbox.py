from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade.runtime.errors import UserError
from cascade.scoring.speechbox import Counts, format_log, format_pair, read_log, table

ORIGINAL = """\
[2020-06-27 01:32:16] SpeechBox: INFO: ERRORS\t239410
[2020-06-27 01:32:16] SpeechBox: INFO: TERRORS\t230645
[2020-06-27 01:32:16] SpeechBox: INFO: ALL WORDS\t325870
[2020-06-27 01:32:16] SpeechBox: INFO: PH_ERRORS\t901680
[2020-06-27 01:32:16] SpeechBox: INFO: PH_TERRORS\t714640
[2020-06-27 01:32:16] SpeechBox: INFO: ALL PHONES\t1780720
[2020-06-27 01:32:16] SpeechBox: INFO: Memory using: 2728 MB; 2.66406 GB
"""
COUNTS = Counts(239410, 230645, 325870, 901680, 714640, 1780720, 2728)


def put(tmp_path, text, name="speechbox.log"):
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_the_original_log_is_read_and_written_byte_for_byte(tmp_path):
    assert read_log(put(tmp_path, ORIGINAL)) == COUNTS
    assert format_log(COUNTS, datetime(2020, 6, 27, 1, 32, 16)) == ORIGINAL


def test_the_original_figures(tmp_path):
    path = put(tmp_path, ORIGINAL)
    header, line = table([path]).splitlines()
    assert [cell.strip() for cell in header.split("|")] == ["log", "Wer/Werc", "Per/Perc"]
    cells = [cell.strip() for cell in line.split("|")]
    assert cells == [str(path), "73.4679/70.7782", "50.6357/40.1321"]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\t", "    "),
        lambda text: "".join(reversed(text.splitlines(keepends=True))),
        lambda text: text.replace("[2020-06-27 01:32:16] SpeechBox: INFO: ", ""),
        lambda text: "\ufeff" + text,
        lambda text: text.replace("27 01:32:16", "27T01:32:16.123"),
        lambda text: text + text,
        lambda text: f"SpeechBox: INFO: ERRORS are counted below\n\n{text}x: DEBUG: MY ERRORS\t7\n",
    ],
)
def test_variants_give_the_same_counts(tmp_path, change):
    assert read_log(put(tmp_path, change(ORIGINAL))) == COUNTS


def test_a_line_in_another_encoding_does_not_matter(tmp_path):
    assert read_log(put(tmp_path, "Файл\n".encode("cp1251") + ORIGINAL.encode())) == COUNTS


def test_a_figure_whose_counts_are_missing_is_not_available(tmp_path):
    some = "".join(line for line in ORIGINAL.splitlines(True) if "PH" not in line)
    result = read_log(put(tmp_path, some))
    assert (result.per, result.perc, result.memory_mb) == (None, None, 2728)
    assert table([tmp_path / "speechbox.log"]).splitlines()[1].endswith("73.4679/70.7782 | n/a")
    without_terrors = put(tmp_path, "ERRORS 1\nALL WORDS 3\n", "b.log")
    assert "33.3333/n/a | n/a" in table([without_terrors])


def test_nothing_to_score_has_no_rate():
    assert Counts(0, 0, 0, 0, 0, 0).wer is None
    assert format_pair(None, None) == "n/a"
    assert format_log(Counts(errors=0), datetime(2020, 1, 1)).count("\n") == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("TERRORS\t1\nERRORS\t2\nERRORS\t3\n", "line 3: ERRORS is 3 here and 2 before"),
        ("x: INFO: ALL WORDS\tmany\n", "line 1: ALL WORDS must be a whole number, not 'many'"),
        ("ERRORS\t-5\n", "not '-5'"),
        ("ERRORS\t12 34\n", "not '12 34'"),
        ("ERRORS\n", "not ''"),
        ("Memory using: much MB; 1 GB\n", "Memory using must be a whole number"),
        ("nothing here\n", "is not a SpeechBox log"),
        ("", "is not a SpeechBox log"),
    ],
)
def test_a_bad_log_is_named_with_its_line(tmp_path, text, message):
    path = put(tmp_path, text)
    with pytest.raises(UserError, match=r"speechbox.log") as caught:
        read_log(path)
    assert message in str(caught.value)


def test_a_log_that_is_not_there(tmp_path):
    with pytest.raises(UserError, match=r"none.log cannot be read"):
        read_log(tmp_path / "none.log")


NUMBER = st.none() | st.integers(0, 10**12)


@given(st.builds(Counts, *[NUMBER] * 7))
def test_what_is_written_is_read_again(tmp_path_factory, counts):
    path = put(tmp_path_factory.mktemp("logs"), format_log(counts))
    if counts == Counts():
        with pytest.raises(UserError):
            read_log(path)
    else:
        assert read_log(path) == counts


@pytest.mark.parametrize(
    ("mb", "gb"), [(2728, "2.66406"), (1024, "1"), (1, "0.000976562"), (1536, "1.5"), (0, "0")]
)
def test_gigabytes_have_six_significant_digits(mb, gb):
    assert format_log(Counts(memory_mb=mb)).endswith(f"Memory using: {mb} MB; {gb} GB\n")
