"""The ledger ``excluded.tsv``: every utterance that was left out, and why.

A fault is an utterance that failed a check; a selection is a choice of the corpus or of the
recipe. ``seconds`` is empty where the length is not known::

    dataset  utterance  reason                        seconds  kind
    train_ru an_17      the transcript is empty       2.31     fault
    train_ru an_18      beyond target_minutes: 15     4.02     selection

The fields are separated by tabs.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cascade.corpora.corpus import Excluded
from cascade.runtime.files import replacing

HEADER = "dataset\tutterance\treason\tseconds\tkind\n"
SHOWN = 10  # faults of a data set that are printed; the ledger has all
AddRow = Callable[[str, Excluded], None]  # data set's key, what is left out


@contextmanager
def ledger(path: Path) -> Iterator[AddRow]:
    """Open a ledger; yield the function that writes a row of it.

    The file appears under its name when the context ends without an error.
    """
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
    """Write a ledger at once from pairs of a data set's key and what is left out of it."""
    with ledger(path) as add:
        for key, item in rows:
            add(key, item)


class Exclusions:
    """What is left out of one data set. Every utterance goes to the ledger and is counted.

    ``faults`` are the first `SHOWN` of ``fault_count``; ``selections`` counts by reason.
    """

    def __init__(self, key: str, add_row: AddRow):
        self.faults: list[Excluded] = []
        self.fault_count = 0
        self.selections: Counter[str] = Counter()
        self._key = key
        self._add_row = add_row

    def add(self, item: Excluded) -> None:
        self._add_row(self._key, item)
        if item.selection:
            self.selections[item.reason] += 1
            return
        self.fault_count += 1
        if len(self.faults) < SHOWN:
            self.faults.append(item)
