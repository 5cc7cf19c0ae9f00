"""Mozilla Common Voice, releases since 2019 (cv-corpus-1).

A release has a folder for each language, such as ``cv-corpus-17.0-2024-03-15/ru``, with
``clips/*.mp3`` and a table for each part: tabs, no quotes. Three columns are read; others, here
``up_votes``, are not. The first releases write ``path`` without ``.mp3``::

    client_id	path	sentence	up_votes
    3f9c0e71d2	common_voice_ru_18849003.mp3	Добрый день!	2
    3f9c0e71d2	common_voice_ru_18849004.mp3	Как пройти на вокзал?	2
    a80b44f6c5	common_voice_ru_18910077.mp3	Спасибо, не нужно.	3
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from cascade.corpora.corpus import CorpusRequest, Detection, Excluded, Utterance
from cascade.runtime.errors import UserError
from local.helpers import folders, text_files

LICENCE = "commonvoice: Mozilla Common Voice, CC0-1.0."
SOURCE = "https://datacollective.mozillafoundation.org"
PARTS = ("train", "dev", "test", "validated", "other")
LOOKS_FOR = "clips and, in a table such as validated.tsv, client_id, path and sentence"

NEEDED = ("client_id", "path", "sentence")
DEFAULT = "validated"
ROLES = {"train": "train", "valid": "dev", "test": "test"}


def utterances(request: CorpusRequest) -> Iterator[Utterance | Excluded]:
    """Yield the clips of a part in the order of its table.

    Raises `UserError` if the table or the folder of clips is missing, or lacks what it must have.
    """
    table = find(request)
    clips = table.parent / "clips"
    if not clips.is_dir():
        raise UserError(
            f"{table.parent} has no folder 'clips' with the recordings. Unpack it beside"
            f" {table.name}."
        )
    columns: list[str] = []
    empty = True
    for number, line in text_files.lines(table):
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
        raise UserError(f"{table} lists no clips: this part of the release is empty.")


def lists(request: CorpusRequest) -> list[Path]:
    """The table."""
    return [find(request)]


def detect(request: CorpusRequest) -> Detection | None:
    """Whether there is a table with its columns; parts that list no clips do not count."""
    path = folders.named(request)
    if path.is_file():
        return Detection("a table of Common Voice") if _clips(path) is not None else None
    for folder in (path, path / request.language):
        tables = {part: _clips(folder / f"{part}.tsv") for part in PARTS}
        if any(count is not None for count in tables.values()):
            why = ", ".join(f"{part}.tsv" for part, count in tables.items() if count)
            parts = {role: (part,) for role, part in ROLES.items() if tables[part]}
            # Unless all three are there, all validated clips are split again.
            complete = len(parts) == len(ROLES) or not tables[DEFAULT]
            return Detection(f"Common Voice: it has {why}", parts if complete else {})
    others = [table for part in PARTS for table in path.glob(f"*/{part}.tsv")]
    return Detection("Common Voice") if any(_clips(t) is not None for t in others) else None


def find(request: CorpusRequest) -> Path:
    """The table of the part, in the language's folder or in a release's; raises `UserError`."""
    name = f"{request.part or DEFAULT}.tsv"
    path = request.path
    if path is not None and path.suffix == ".tsv" and path.is_file():
        if request.part:
            raise UserError(f"{path} is one table. For 'part: {request.part}' name its folder.")
        return path
    path = folders.existing("commonvoice", path, "the folder of a language in a release", SOURCE)
    for folder in (path, path / request.language):
        if (folder / name).is_file():
            return folder / name
    languages = sorted(table.parent for table in path.glob(f"*/{name}"))
    if languages:
        raise UserError(
            f"{path} has no language '{request.language}'; it has {folders.names(languages)}. Name"
            " the language's own folder in 'path:'."
        )
    tables = folders.names(sorted(path.glob("*.tsv")))
    raise UserError(
        f"{path} has no {name}; its tables: {tables}. Name the folder of a language in a release"
        " of Common Voice."
    )


def _clips(table: Path) -> int | None:
    """0 for a table without clips, 1 for one with some; None if it is not of Common Voice."""
    if table.suffix != ".tsv" or not table.is_file():
        return None
    first = [line for _, line in islice(text_files.lines(table), 2)]
    columns = [column.strip() for column in first[0].split("\t")] if first else []
    return len(first) - 1 if set(NEEDED) <= set(columns) else None


def _columns(table: Path, fields: list[str]) -> list[str]:
    columns = [field.strip() for field in fields]
    missing = [name for name in NEEDED if name not in columns]
    if missing:
        raise UserError(
            f"{table} lacks the column(s) {', '.join(missing)}: its first line names"
            f" {', '.join(columns)}. Columns are separated by tabs."
        )
    return columns
