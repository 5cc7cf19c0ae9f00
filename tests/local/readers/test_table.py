from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cascade.corpora.corpus import CorpusRequest
from cascade.runtime.errors import UserError
from local.readers import table


def read(tmp_path: Path, content: str | bytes, name: str = "table.tsv"):
    """The utterances of a table with ``content``."""
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(table.utterances(CorpusRequest(tmp_path, tmp_path, path=path)))


def test_columns_that_are_not_used_are_told(tmp_path, caplog):
    caplog.set_level("INFO", "cascade")
    read(tmp_path, "path\ttext\tstrat\tage\na.wav\tда\t1\t2\nb.wav\tнет\t1\t2\n")
    (message,) = caplog.messages
    assert "columns that are not used: strat, age (used: path, text, speaker, start, " in message


def test_all_columns(tmp_path):
    rows = "id\ttext\tpath\tspeaker\tstart\tend\tage\nx\tда нет\ta/b.wav\tIvan P\t1.5\t3\t20\n"
    (one,) = read(tmp_path, rows)
    assert (one.id, one.text, one.speaker) == ("x", "да нет", "Ivan_P")
    assert (one.start, one.end) == (1.5, 3.0)
    assert one.audio == tmp_path / "a/b.wav"


def test_defaults(tmp_path):
    (one,) = read(tmp_path, "path\ttext\tspeaker\tend\nclips/my a.b.wav\tyes\t\t\n")
    assert (one.id, one.speaker, one.start, one.end) == ("clips-my_a.b", "unknown", 0.0, None)


def test_parts_of_a_recording_are_named_by_their_times(tmp_path):
    rows = "path\ttext\tstart\tend\nlong.wav\ta\t0\t3\nlong.wav\tb\t3\t6.25\nlong.wav\tc\t7\t\n"
    names = [u.id for u in read(tmp_path, rows)]
    assert names == ["long-0000000-0003000", "long-0003000-0006250", "long-0007000"]


def test_absolute_paths(tmp_path):
    rows = f"path\ttext\n{tmp_path}/in.wav\ta\n/else/where.wav\tb\n"
    near, far = read(tmp_path, rows)
    assert (near.id, far.id) == ("in", "else-where")
    assert far.audio == Path("/else/where.wav")


def test_byte_order_mark_and_windows_line_ends(tmp_path):
    utterances = read(tmp_path, b"\xef\xbb\xbfpath\ttext\r\na.wav\tone\r\n\r\nb.wav\ttwo\r\n")
    assert [u.text for u in utterances] == ["one", "two"]


def test_tsv_takes_quotes_as_they_are(tmp_path):
    (one,) = read(tmp_path, 'path\ttext\na.wav\t"well" he said\n')
    assert one.text == '"well" he said'


def test_csv(tmp_path):
    (one,) = read(tmp_path, 'Path,Text\na.wav,"yes, ""now"""\n', "mine.csv")
    assert one.text == 'yes, "now"'


def test_semicolons(tmp_path):
    (one,) = read(tmp_path, 'path;text\r\na.wav;"yes, now; then"\r\n', "mine.CSV")
    assert one.text == "yes, now; then"
    with pytest.raises(UserError, match="separated by semicolons"):
        read(tmp_path, "file;text\n", "mine.CSV")


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("file\tsentence\na\tb\n", ["path, text", "file, sentence", "tabs"]),
        ("path\ttext\tpath\na\tb\tc\n", ["'path' twice"]),
        ("", ["empty"]),
        ("path\ttext\n", ["no rows"]),
        ("path\ttext\n\n\n", ["no rows"]),
        ("path\ttext\na.wav\n", ["line 2", "1 fields", "2 columns. Correct the line."]),
        ("path\ttext\n\tb\n", ["line 2", "no path"]),
        ("path\ttext\tstart\na.wav\tb\t1,5\n", ["line 2", "start", "'1,5'"]),
        ("path\ttext\tstart\na.wav\tb\tnan\n", ["line 2", "'nan'"]),
        ("path\ttext\tend\na.wav\tb\t-1\n", ["line 2", "end", "'-1'"]),
        ("path\ttext\tstart\tend\na.wav\tb\t2\t2\n", ["line 2", "not after"]),
        ("path\ttext\tid\na.wav\tb\tx y\n", ["line 2", "'x y'", "space"]),
        ("path\ttext\na.wav\tb\nc.wav\td\na.ogg\te\n", ["lines 2 and 4", "'a'", "column 'id'"]),
        (b"path\ttext\na.wav\tb\nc.wav\t\xe4\xe0\n", ["UTF-8", "line 3", "byte 24", "0xe4"]),
    ],
)
def test_mistakes_are_named(tmp_path, content, parts):
    with pytest.raises(UserError) as caught:
        read(tmp_path, content)
    assert "table.tsv" in str(caught.value)
    for part in parts:
        assert part in str(caught.value)


def test_open_quote_in_csv(tmp_path):
    with pytest.raises(UserError, match="line 2"):
        read(tmp_path, 'path,text\na.wav,"b\n', "t.csv")


def test_folder(tmp_path):
    with pytest.raises(UserError, match=r"its tables: none\. Name"):
        table.find(tmp_path)
    (tmp_path / "b.TSV").touch()
    (tmp_path / "._b.TSV").touch()
    assert table.find(tmp_path).name == "b.TSV"
    (tmp_path / "a.tsv").touch()
    with pytest.raises(UserError, match=r"a\.tsv, b\.TSV"):
        table.find(tmp_path)
    (tmp_path / "table.csv").touch()
    assert table.find(tmp_path).name == "table.csv"
    (tmp_path / "table.tsv").touch()
    with pytest.raises(UserError, match=r"table\.tsv, table\.csv"):
        table.find(tmp_path)


def test_no_path(tmp_path):
    with pytest.raises(UserError, match="'path:'"):
        table.find(None)
    with pytest.raises(UserError, match="nowhere"):
        table.find(tmp_path / "nowhere")


CELLS = st.one_of(
    st.sampled_from(
        ["", "a.wav", "да нет", "1.5", "-3", "nan", "inf", "1e999", '"', "\x00", "x y"]
    ),
    st.text(max_size=8),
)
HEADERS = st.lists(
    st.sampled_from(["path", "text", "speaker", "start", "end", "id", ""]), max_size=7
)


@given(HEADERS, st.lists(st.lists(CELLS, max_size=7), max_size=5), st.sampled_from("\t,;"))
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_a_table_holds_it_is_read_or_refused_in_a_sentence(tmp_path, header, rows, mark):
    content = "\n".join(mark.join(cells) for cells in [header, *rows])
    try:
        utterances = read(tmp_path, content.encode("utf-8", "surrogatepass"))
    except UserError as error:
        assert "table.tsv" in str(error)
    else:
        assert utterances and all(isinstance(item.start, float) for item in utterances)


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_bytes_a_table_has(tmp_path, content):
    try:
        read(tmp_path, content)
    except UserError as error:
        assert "table.tsv" in str(error)
