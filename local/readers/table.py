"""The user's own recordings, listed in a table.

The table is UTF-8 text: ``.tsv`` (tabs; quotes are text) or ``.csv`` (commas, or semicolons, which
some spreadsheets write). Its first line names the columns, in any order::

    path	text	speaker	start	end
    day1.wav	Добрый день!	anna	0.0	1.4
    day1.wav	Как пройти на вокзал?	anna	2.1	4.0
    day2.wav	Спасибо.	boris	0.3	1.1

``path``     the audio file; a relative path starts at the table's folder;
``text``     what is said in it;
``speaker``  who says it; "unknown" without a column or if the field is empty;
``start``    seconds from the beginning of the file, 0 if empty;
``end``      seconds, the end of the file if empty;
``id``       a name of the utterance; if empty, made of the path and the times.

Other columns are not used; a line of the log names them. Stage 0 checks whether the audio is there.
"""

import csv
import logging
import math
from array import array
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from cascade.corpora.corpus import CorpusRequest, Detection, Excluded, Utterance
from cascade.runtime.errors import UserError
from local.helpers import folders
from local.helpers.text_files import decoded

LICENCE = "table: your own recordings, under whatever licence they have."
PARTS = ()
LOOKS_FOR = "table.tsv, table.csv or a single *.tsv or *.csv, whose columns are path and text"

NEEDED = ("path", "text")
SUFFIXES = (".tsv", ".csv")
DELIMITERS = {"\t": "tabs", ",": "commas", ";": "semicolons"}
OPTIONAL = ("speaker", "start", "end", "id")
log = logging.getLogger("cascade")


def utterances(request: CorpusRequest) -> Iterator[Utterance | Excluded]:
    """Yield the rows of the table that ``request.path`` names, in their order.

    Raises `UserError` if the table or a row of it is not understood. All rows are read before
    the first is yielded, so that nothing begins with half a table.
    """
    path = find(request.path)
    ids = array("q")  # hashes: a table may be too long to hold its ids
    for line, row in rows(path):
        if not ids and (others := [name for name in row if name not in (*NEEDED, *OPTIONAL)]):
            used = ", ".join((*NEEDED, *OPTIONAL))
            log.info("%s: columns that are not used: %s (used: %s)", path, ", ".join(others), used)
        ids.append(hash(_utterance(path, line, row).id))
    if not ids:
        raise UserError(f"{path} has no rows below its first line. Add a row for each recording.")
    values, times = np.unique(np.frombuffer(ids, np.int64), return_counts=True)
    if len(values) < len(ids):
        _check_ids(path, set(values[times > 1].tolist()))
    for line, row in rows(path):
        yield _utterance(path, line, row)


def _check_ids(path: Path, hashes: set[int]) -> None:
    """Raise `UserError` if two rows have the same id; ``hashes`` are those that appear twice."""
    lines: dict[str, int] = {}
    for line, row in rows(path):
        name = _utterance(path, line, row).id
        if hash(name) in hashes and lines.setdefault(name, line) != line:
            raise UserError(
                f"{path}, lines {lines[name]} and {line} have the same id '{name}'. Give each its"
                " own in the column 'id'."
            )


def lists(request: CorpusRequest) -> list[Path]:
    """The table; for a folder all files in it, since another one may become the table."""
    path = folders.named(request)
    return [path] if path.is_file() else sorted(p for p in path.glob("*") if p.is_file())


def detect(request: CorpusRequest) -> Detection | None:
    """Whether there is a table with the columns that it must have."""
    path = folders.named(request)
    for table in [path] if path.is_file() else _tables(path):
        if table.suffix.lower() in SUFFIXES and set(NEEDED) <= set(map(str.lower, _names(table))):
            return Detection(f"a table: {table.name} has the columns {' and '.join(NEEDED)}")
    return None


def advice(path: Path) -> str | None:
    """Which columns a table lacks."""
    tables = [path] if path.is_file() else _tables(path)
    for table in (table for table in tables if table.suffix.lower() in SUFFIXES):
        names = ", ".join(_names(table)) or "nothing"
        return f"the first line of {table.name} names {names}; it must name {' and '.join(NEEDED)}"
    return None


def _names(table: Path) -> list[str]:
    """The columns that the first line of ``table`` names."""
    return [name.strip(' "') for name in _first(table).split(_delimiter(table))]


def _delimiter(table: Path) -> str:
    """What separates columns: tabs in a ``.tsv``; in a ``.csv`` commas, or semicolons."""
    if table.suffix.lower() != ".csv":
        return "\t"
    first = _first(table)
    return ";" if ";" in first and "," not in first else ","


def _tables(folder: Path) -> list[Path]:
    """What may be the table of a folder."""
    named = [file for file in (folder / "table.tsv", folder / "table.csv") if file.is_file()]
    return named or folders.visible(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES)


def _first(table: Path) -> str:
    return next((line.strip() for line in decoded(table) if line.strip()), "")


def find(path: Path | None) -> Path:
    """The table ``path``, or the one in the folder ``path``; raises `UserError`."""
    if path is None:
        raise UserError("Corpus 'table' needs 'path:' in the recipe: a table or its folder.")
    if path.is_file():
        return path
    if not path.is_dir():
        raise UserError(f"There is no table or folder {path}. Correct 'path:' in the recipe.")
    tables = _tables(path)
    if len(tables) != 1:
        raise UserError(
            f"{path} must contain one table: table.tsv, table.csv or a single *.tsv or *.csv; its"
            f" tables: {folders.names(tables)}. Name the file itself in 'path:'."
        )
    return tables[0]


def rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield line number and fields by column of each row that is not empty.

    Raises `UserError` for a file that is not UTF-8, for columns that are missing or appear
    twice, and for a row with too many or too few fields.
    """
    # Lines keep their ends: the csv module reads those of Windows, and line breaks in quotes.
    lines = decoded(path)
    if path.suffix.lower() == ".csv":
        reader = csv.reader(lines, delimiter=_delimiter(path), strict=True)
    else:
        reader = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    columns: list[str] = []
    try:
        for fields in reader:
            fields = [field.strip() for field in fields]
            if not any(fields):
                continue
            if not columns:
                columns = _columns(path, fields)
            elif len(fields) != len(columns):
                raise UserError(
                    f"{path}, line {reader.line_num} has {len(fields)} fields, but the first line"
                    f" names {len(columns)} columns. Correct the line."
                )
            else:
                yield reader.line_num, dict(zip(columns, fields, strict=True))
    except csv.Error as error:
        raise UserError(f"{path}, line {reader.line_num}: {error}. Correct the line.") from None
    if not columns:
        raise UserError(f"{path} is empty. Its first line must name {' and '.join(NEEDED)}.")


def _columns(path: Path, fields: list[str]) -> list[str]:
    """The column names in lower case; raises `UserError` if one is missing or appears twice."""
    columns = [field.lower() for field in fields]
    missing = [name for name in NEEDED if name not in columns]
    if missing:
        raise UserError(
            f"{path} lacks the column(s) {', '.join(missing)}: its first line names"
            f" {', '.join(fields)}. It must name {', '.join(NEEDED)} and may name"
            f" {', '.join(OPTIONAL)}, separated by {DELIMITERS[_delimiter(path)]}."
        )
    for name in (*NEEDED, *OPTIONAL):
        if columns.count(name) > 1:
            raise UserError(f"{path} names the column '{name}' twice. Remove one.")
    return columns


def _utterance(path: Path, line: int, row: dict[str, str]) -> Utterance:
    """The utterance of one row; raises `UserError` with the line."""
    if not row["path"]:
        raise UserError(f"{path}, line {line} has no path. Fill it in, or remove the line.")
    start = _seconds(path, line, "start", row.get("start", ""))
    end = _seconds(path, line, "end", row.get("end", ""))
    # As in Kaldi, parts of one recording have their times in their names.
    part = [f"{round(1000 * seconds):07d}" for seconds in (start, end) if seconds is not None]
    name = row.get("id") or "-".join([identifier(Path(row["path"]), path.parent), *part])
    if any(char.isspace() for char in name):
        raise UserError(f"{path}, line {line}: the id '{name}' contains a space. Use '_'.")
    if end is not None and end <= (start or 0.0):
        raise UserError(
            f"{path}, line {line}: the end, {end} s, is not after the start. Correct one of them."
        )
    return Utterance(
        id=name,
        audio=path.parent / row["path"],
        text=row["text"],
        speaker=row.get("speaker", ""),
        start=start or 0.0,
        end=end,
    )


def identifier(audio: Path, folder: Path) -> str:
    """An id from a path: its folders and stem joined by '-', with '_' for spaces.

    An absolute path below ``folder``, the table's, is made relative to it.

    >>> identifier(Path("clips/day 1/a.wav"), Path("/data"))
    'clips-day_1-a'
    """
    if audio.is_absolute() and audio.is_relative_to(folder):
        audio = audio.relative_to(folder)
    parts = [part for part in audio.with_suffix("").parts if part not in (audio.anchor, "..")]
    return "_".join("-".join(parts).split())


def _seconds(path: Path, line: int, column: str, field: str) -> float | None:
    """A time in seconds, None if the field is empty; raises `UserError`."""
    if not field:
        return None
    try:
        value = float(field)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise UserError(
            f"{path}, line {line}: {column} is '{field}', not a time in seconds such as 12.5."
        )
    return value
