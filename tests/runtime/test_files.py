import gzip
import json
import os

import pytest
from support import write_jsonl_gz

from cascade.runtime.errors import UserError
from cascade.runtime.files import (
    read_lines,
    read_text_table,
    replacing,
    write_json,
    write_text,
    write_text_table,
)


def test_replacing_writes_the_complete_file_and_its_folder(tmp_path):
    path = tmp_path / "a" / "b" / "file"
    with replacing(path) as stream:
        stream.write(b"new")
        assert not path.exists()
    assert path.read_bytes() == b"new"
    assert os.listdir(path.parent) == ["file"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_exception_leaves_the_old_file(tmp_path, error):
    path = tmp_path / "file"
    write_text(path, "old")
    with pytest.raises(error), replacing(path) as stream:
        stream.write(b"half of the ne")
        stream.flush()
        assert path.read_text() == "old"
        raise error
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


def test_an_exception_leaves_no_new_file(tmp_path):
    def rows():
        yield {"a": 1}
        raise ValueError

    with pytest.raises(ValueError):
        write_jsonl_gz(tmp_path / "rows.jsonl.gz", rows())
    with pytest.raises(TypeError):
        write_json(tmp_path / "value.json", {"a": object()})
    assert os.listdir(tmp_path) == []


def test_gz_bytes_are_the_same_whatever_the_time_and_name(tmp_path, monkeypatch):
    rows = [{"id": "а", "n": 1}, {"id": "b", "n": 2.5}]
    write_jsonl_gz(tmp_path / "one.jsonl.gz", rows)
    monkeypatch.setattr("time.time", lambda: 1.0)
    write_jsonl_gz(tmp_path / "two.jsonl.gz", iter(rows))
    first = (tmp_path / "one.jsonl.gz").read_bytes()
    assert first == (tmp_path / "two.jsonl.gz").read_bytes()
    lines = gzip.decompress(first).decode().splitlines()
    assert [json.loads(line) for line in lines] == rows
    assert "а" in lines[0]  # as it is, not \u0430


def test_gz_without_rows_is_an_empty_gz(tmp_path):
    write_jsonl_gz(tmp_path / "none.jsonl.gz", [])
    assert gzip.decompress((tmp_path / "none.jsonl.gz").read_bytes()) == b""


def test_json_is_indented_and_not_escaped(tmp_path):
    write_json(tmp_path / "x.json", {"b": "я", "a": [1]})
    expected = '{\n  "b": "я",\n  "a": [\n    1\n  ]\n}\n'
    assert (tmp_path / "x.json").read_text(encoding="utf-8") == expected


def test_lines_of_a_users_text(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("\ufeffчаи\u0306\r\nда".encode())
    assert read_lines(path) == ["чай", "да"]
    path.write_bytes("да".encode("cp1251"))
    with pytest.raises(UserError, match=r"a\.txt is not UTF-8"):
        read_lines(path)
    with pytest.raises(UserError, match=r"b\.txt cannot be read: No such file"):
        read_lines(tmp_path / "b.txt")


def test_text_table_round_trip(tmp_path):
    table = {"utt-2": ["да", "нет"], "utt-1": [], "utt-3": ["x"]}
    write_text_table(tmp_path / "text", table)
    assert (tmp_path / "text").read_text(encoding="utf-8") == "utt-2 да нет\nutt-1\nutt-3 x\n"
    again = read_text_table(tmp_path / "text")
    assert again == table and list(again) == list(table)


def test_text_table_takes_any_white_space(tmp_path):
    (tmp_path / "text").write_text("a\tb   c \r\n\n  d e\n")
    assert read_text_table(tmp_path / "text") == {"a": ["b", "c"], "d": ["e"]}


def test_an_id_that_appears_twice_is_an_error(tmp_path):
    path = tmp_path / "text"
    path.write_text("a x\nb y\n\na z\n")
    with pytest.raises(UserError, match="line 4: 'a' appears twice") as caught:
        read_text_table(path)
    assert str(path) in str(caught.value)


def test_a_table_that_cannot_be_read_is_an_error(tmp_path):
    with pytest.raises(UserError, match="none cannot be read: No such file"):
        read_text_table(tmp_path / "none")
    with pytest.raises(UserError, match="cannot be read: Is a directory"):
        read_text_table(tmp_path)
    (tmp_path / "latin").write_bytes("a café\n".encode("latin-1"))
    with pytest.raises(UserError, match="latin is not UTF-8"):
        read_text_table(tmp_path / "latin")
