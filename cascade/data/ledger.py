"""The ledger of what was left out: ``excluded.tsv``."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cascade.corpora.corpus import Excluded
from cascade.runtime.files import replacing

HEADER = "dataset\tutterance\treason\tseconds\tkind\n"


@contextmanager
def ledger(path: Path) -> Iterator[Callable[[str, Excluded], None]]:
    """Gives a function that writes a row: the data set's key, and what was left out of it."""
    with replacing(path) as stream:
        stream.write(HEADER.encode())

        def add(key: str, item: Excluded) -> None:
            seconds = "" if item.seconds is None else f"{item.seconds:.2f}"
            reason = " ".join(item.reason.split())
            kind = "selection" if item.selection else "fault"
            row = f"{key}\t{item.id}\t{reason}\t{seconds}\t{kind}\n"
            stream.write(row.encode("utf-8", "surrogateescape"))

        yield add


def write_ledger(path: Path, rows: Iterable[tuple[str, Excluded]]) -> None:
    """Writes rows of a data set's key and what was left out of it; seconds where known."""
    with ledger(path) as add:
        for key, item in rows:
            add(key, item)
