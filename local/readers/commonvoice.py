"""Mozilla Common Voice, releases since 2019 (cv-corpus-1), in the folder that the recipe names.

A release has a folder a language (``cv-corpus-17.0-2024-03-15/ru``) with ``clips/*.mp3`` and
a table a part. Of the table's columns ``client_id``, ``path`` and ``sentence`` are read; the
first releases write ``path`` without its ``.mp3``, later ones have other columns beside.
"""

from collections.abc import Iterator
from pathlib import Path

from cascade.corpora.corpus import CorpusRequest, Detection, Excluded, Utterance
from cascade.runtime.errors import UserError
from local.helpers import lists as text

LICENCE = "commonvoice: Mozilla Common Voice, CC0-1.0."
SOURCE = "https://datacollective.mozillafoundation.org"
PARTS = ("train", "dev", "test", "validated", "other")
LOOKS_FOR = "clips and, in a table such as validated.tsv, client_id, path and sentence"

NEEDED = ("client_id", "path", "sentence")
DEFAULT = "validated"
ROLES = {"train": "train", "valid": "dev", "test": "test"}


def utterances(request: CorpusRequest) -> Iterator[Utterance | Excluded]:
    """Yields the clips of a part in the order of its table; raises `UserError`."""
    table = find(request)
    clips = table.parent / "clips"
    if not clips.is_dir():
        raise UserError(f"{table.parent} has no folder 'clips' with the recordings.")
    columns: list[str] = []
    empty = True
    for number, line in text.lines(table):
        fields = line.split("\t")
        if not columns:
            columns = _columns(table, fields)
            continue
        empty = False
        if len(fields) != len(columns):
            reason = f"{table.name}, line {number}: {len(fields)} fields for {len(columns)} columns"
            yield Excluded(f"{table.stem}-line-{number}", reason)
            continue
        row = dict(zip(columns, fields, strict=True))
        audio = clips / row["path"].strip()
        if not audio.suffix:
            audio = audio.with_name(f"{audio.name}.mp3")
        if not audio.is_file() and audio.with_suffix(".wav").is_file():  # often converted
            audio = audio.with_suffix(".wav")
        yield Utterance(id=audio.stem, audio=audio, text=row["sentence"], speaker=row["client_id"])
    if empty:
        raise UserError(f"{table} lists no clips: its part of the release is empty.")


def lists(request: CorpusRequest) -> list[Path]:
    return [find(request)]


def detect(request: CorpusRequest) -> Detection | None:
    """Whether there is a table with its columns; parts that list no clips do not count."""
    path = request.path
    if path.is_file():
        return Detection("a table of Common Voice") if _clips(path) is not None else None
    for folder in (path, path / request.language):
        tables = {part: _clips(folder / f"{part}.tsv") for part in PARTS}
        if any(count is not None for count in tables.values()):
            why = ", ".join(f"{part}.tsv" for part, count in tables.items() if count)
            parts = {role: (part,) for role, part in ROLES.items() if tables[part]}
            # Without all three, all that was validated is divided anew.
            whole = len(parts) == len(ROLES) or not tables[DEFAULT]
            return Detection(f"Common Voice: it has {why}", parts if whole else {})
    others = [table for part in PARTS for table in path.glob(f"*/{part}.tsv")]
    return Detection("Common Voice") if any(_clips(t) is not None for t in others) else None


def find(request: CorpusRequest) -> Path:
    """The table of the part: in the language's folder, or a release's folder of them."""
    name = f"{request.part or DEFAULT}.tsv"
    path = request.path
    if path is not None and path.suffix == ".tsv" and path.is_file():
        if request.part:
            raise UserError(f"{path} is one table. For 'part: {request.part}' name its folder.")
        return path
    path = text.folder("commonvoice", path, "the folder of a language in a release", SOURCE)
    for folder in (path, path / request.language):
        if (folder / name).is_file():
            return folder / name
    others = sorted(table.parent for table in path.glob(f"*/{name}"))
    if others:
        raise UserError(
            f"{path} has no language '{request.language}'; it has {text.among(others)}. Name"
            f" the language's own folder in 'path:'."
        )
    tables = sorted(path.glob("*.tsv"))
    raise UserError(
        f"{path} is no language of Common Voice: it lacks {name}. Of tables it has"
        f" {text.among(tables)}."
    )


def _clips(table: Path) -> int | None:
    """0 for a table of no clips, 1 for others; None for what is no table of Common Voice."""
    if table.suffix != ".tsv" or not table.is_file():
        return None
    found = [line for _, (_, line) in zip(range(2), text.lines(table), strict=False)]
    columns = [column.strip() for column in found[0].split("\t")] if found else []
    return len(found) - 1 if set(NEEDED) <= set(columns) else None


def _columns(table: Path, fields: list[str]) -> list[str]:
    columns = [field.strip() for field in fields]
    missing = [name for name in NEEDED if name not in columns]
    if missing:
        raise UserError(
            f"{table} lacks the column(s) {', '.join(missing)}: its first line names"
            f" {', '.join(columns)}. Columns are parted by tabs."
        )
    return columns
