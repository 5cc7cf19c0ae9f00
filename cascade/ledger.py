"""The ledger of what was left out: ``excluded.tsv``."""

from collections.abc import Iterable
from pathlib import Path

from cascade.corpus import Excluded
from cascade.files import write_text

HEADER = "dataset\tutterance\treason\tseconds\tkind\n"


def write_ledger(path: Path, rows: Iterable[tuple[str, Excluded]]) -> None:
    """Writes rows of a data set's key and what was left out of it; seconds where known."""
    lines = [HEADER]
    for key, item in rows:
        seconds = "" if item.seconds is None else f"{item.seconds:.2f}"
        reason = " ".join(item.reason.split())
        kind = "selection" if item.selection else "fault"
        lines.append(f"{key}\t{item.id}\t{reason}\t{seconds}\t{kind}\n")
    write_text(path, "".join(lines))
