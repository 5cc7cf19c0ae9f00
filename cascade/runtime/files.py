"""Files that appear whole or not at all, and Kaldi's text files."""

import gzip
import json
import os
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from cascade.runtime.errors import UserError


@contextmanager
def replacing_path(path: Path) -> Iterator[Path]:
    """Gives a path beside ``path`` to write to; it takes the name at the end, or never."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.partial")
    try:
        yield beside
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Opens a file beside ``path`` for writing; it takes the name at the end, or never."""
    with replacing_path(path) as beside, beside.open("wb") as stream:
        yield stream
        stream.flush()
        os.fsync(stream.fileno())


def write_text(path: Path, text: str) -> None:
    """Writes UTF-8 text, whole or not at all."""
    with replacing(path) as stream:
        stream.write(text.encode("utf-8"))


def write_json(path: Path, value: Any) -> None:
    """Writes JSON for people: two spaces, UTF-8, keys in the order given."""
    write_text(path, as_json(value))


def as_json(value: Any) -> str:
    """The text that `write_json` writes."""
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


@contextmanager
def jsonl_gz(path: Path) -> Iterator[Callable[[Mapping], None]]:
    """Gives a function that writes a row: one JSON object a line, gzipped.

    There is no time in it: the same rows give the same bytes.
    """
    with replacing(path) as stream, gzip.GzipFile("", "wb", 6, stream, mtime=0) as packed:

        def add(row: Mapping) -> None:
            packed.write(json.dumps(row, ensure_ascii=False).encode("utf-8") + b"\n")

        yield add


def write_jsonl_gz(path: Path, rows: Iterable[Mapping]) -> None:
    """Writes all rows as `jsonl_gz` does."""
    with jsonl_gz(path) as add:
        for row in rows:
            add(row)


def read_jsonl_gz(path: Path) -> Iterator[dict]:
    """Yields the rows of a file that `jsonl_gz` wrote, read as they are asked for."""
    with gzip.open(path) as rows:
        for row in rows:
            yield json.loads(row)


def read_lines(path: Path) -> list[str]:
    """The lines of a text file of the user's: NFC, without a byte order mark.

    Raises `UserError` for a file that cannot be read or is not UTF-8.
    """
    try:
        return unicodedata.normalize("NFC", path.read_text(encoding="utf-8-sig")).splitlines()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UserError(f"{path} is not UTF-8 text.") from None


def read_text_table(path: Path) -> dict[str, list[str]]:
    """Reads Kaldi's ``id token token ...`` lines, in order.

    Raises `UserError` for a file that is missing or not UTF-8, and for an id that stands twice.
    """
    return {key: line.split() for key, line in read_text_lines(path).items()}


def read_text_lines(path: Path) -> dict[str, str]:
    """As `read_text_table`, the tokens of a line still in one string."""
    table: dict[str, str] = {}
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                fields = line.split(maxsplit=1)
                if not fields:
                    continue
                if fields[0] in table:
                    raise UserError(f"{path}, line {number}: '{fields[0]}' stands there twice.")
                table[fields[0]] = fields[1] if len(fields) > 1 else ""
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UserError(f"{path} is not UTF-8 text.") from None
    return table


def write_text_table(path: Path, table: Mapping[str, Iterable[str]]) -> None:
    """Writes Kaldi's ``id token token ...`` lines in the order of ``table``."""
    write_text(path, "".join(" ".join((key, *value)) + "\n" for key, value in table.items()))
