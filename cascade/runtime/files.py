"""Files that are complete or not there at all, and Kaldi's text files."""

import gzip
import json
import os
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from cascade.runtime.errors import UserError


@contextmanager
def replacing_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path, which is renamed to ``path`` at the end unless there was an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.partial")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """As `replacing_path`, but yield a file that is open for writing."""
    with replacing_path(path) as temporary, temporary.open("wb") as stream:
        yield stream
        stream.flush()
        os.fsync(stream.fileno())


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text: the complete file or none. Names of files that are not UTF-8 stay."""
    with replacing(path) as stream:
        stream.write(text.encode("utf-8", "surrogateescape"))


def write_json(path: Path, value: Any) -> None:
    """Write JSON that people can read: indented, UTF-8, keys in the order given."""
    write_text(path, as_json(value))


def as_json(value: Any) -> str:
    """Return the text that `write_json` writes."""
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


@contextmanager
def jsonl_gz(path: Path) -> Iterator[Callable[[Mapping], None]]:
    """Yield a function that writes one row: a JSON object a line, gzipped.

    The same rows give the same bytes: the file holds no time and no name.
    """
    with replacing(path) as stream, gzip.GzipFile("", "wb", 6, stream, mtime=0) as packed:

        def add(row: Mapping) -> None:
            packed.write(json.dumps(row, ensure_ascii=False).encode("utf-8") + b"\n")

        yield add


def read_jsonl_gz(path: Path) -> Iterator[dict]:
    """Yield the rows of a file that `jsonl_gz` wrote, without reading it all at once."""
    with gzip.open(path) as rows:
        for row in rows:
            yield json.loads(row)


def read_lines(path: Path) -> list[str]:
    """Return the lines of a user's text file: in NFC, without a byte order mark.

    Raises `UserError` for a file that cannot be read or is not UTF-8.
    """
    try:
        return unicodedata.normalize("NFC", path.read_text(encoding="utf-8-sig")).splitlines()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UserError(f"{path} is not UTF-8 text.") from None


def read_text_table(path: Path) -> dict[str, list[str]]:
    """Read a Kaldi text file: the tokens of each id, in the order of the file.

    Three lines of one::

        utt-1 да нет
        utt-2
        utt-3 кот

    Raises `UserError` for a file that is missing or not UTF-8, and for an id that appears twice.
    """
    table: dict[str, list[str]] = {}
    for row in text_rows(path):
        if row.key in table:
            raise UserError(f"{path}, line {row.number}: '{row.key}' appears twice.")
        table[row.key] = row.tokens
    return table


class TextRow(NamedTuple):
    """A line of a Kaldi text file: its number from 1, the bytes before it, its id, its tokens."""

    number: int
    offset: int
    key: str
    tokens: list[str]


def text_rows(path: Path) -> Iterator[TextRow]:
    """Yield the lines of a Kaldi text file, without reading it all at once.

    Raises `UserError` for a file that is missing or not UTF-8.
    """
    offset = 0
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                key, *tokens = line.decode("utf-8").split() or [""]
                if key:
                    yield TextRow(number, offset, key, tokens)
                offset += len(line)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UserError(f"{path} is not UTF-8 text.") from None


def write_text_table(path: Path, table: Mapping[str, Iterable[str]]) -> None:
    """Write a Kaldi text file, ``id token token ...`` a line, in the order of ``table``."""
    write_text(path, "".join(" ".join((key, *value)) + "\n" for key, value in table.items()))
