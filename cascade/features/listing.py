"""The utterances of data sets: their names, features and phones, read from the lists on disk.

A list has a line for each utterance, and stays where stages 1 and 2 wrote it. So the memory of a
training does not grow with the corpus, and all trainings of a machine share what the kernel keeps
of the lists.
"""

import functools
import mmap
import tempfile
from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np

from cascade.features.sources import archive_of
from cascade.runtime.errors import UserError
from cascade.runtime.files import TextRow, text_rows

Value = TypeVar("Value")
FIELDS = 5  # of an entry: data set, place of its line in the scp and in the text, frames, archive


class Column(Generic[Value]):
    """Values of utterances by their numbers, each read when it is asked for."""

    def __init__(self, count: int, read: Callable[[int], Value]):
        self._count = count
        self._read = read

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Value:
        return self._read(range(self._count)[index])

    def __iter__(self) -> Iterator[Value]:
        return map(self._read, range(self._count))


@dataclass(frozen=True)
class Listed:
    """An utterance of a list: ``labels`` are its phone numbers, (L,) int16."""

    name: str
    labels: np.ndarray
    frames: int
    entry: tuple[int, ...]


class Listing:
    """Utterances of several data sets, in a fixed order.

    `read` yields those of a data set, `keep` takes one into the listing, `finish` ends it. Then
    ``ids``, ``sources`` (places of features), ``labels``, ``frames`` (N,) int64 and ``archives``
    (N,) int64, the numbers of the archives of the places, have a value for each that was kept.
    """

    def __init__(self, phones: Mapping[str, int]):
        self._phones = phones
        self._lists: list[tuple[mmap.mmap | bytes, mmap.mmap | bytes]] = []  # scp and text
        self._archives: dict[str, int] = {}
        # Without a name, so that it ends with the process.
        self._file = tempfile.TemporaryFile()  # noqa: SIM115

    def read(self, scp: Path, num_frames: Path, text: Path) -> Iterator[Listed]:
        """Yield the utterances of a data set that ``text``, a table of phones, has.

        Raises `UserError` for one that another list lacks.
        """
        lengths, places = _Rows(num_frames), _Rows(scp)
        number = len(self._lists)
        self._lists.append((_mapped(scp), _mapped(text)))
        for row in text_rows(text):
            place, frames = places.find(row.key), int(lengths.find(row.key).tokens[0])
            archive = archive_of(" ".join(place.tokens))
            archive_number = self._archives.setdefault(archive, len(self._archives))
            entry = (number, place.offset, row.offset, frames, archive_number)
            yield Listed(row.key, self._numbers(row.tokens), frames, entry)

    def keep(self, utterance: Listed) -> None:
        """Take an utterance into the listing."""
        array("q", utterance.entry).tofile(self._file)

    def finish(self) -> None:
        """End the listing: its values can be read now."""
        self._file.flush()
        entries = np.frombuffer(_mapped(self._file.fileno()), np.int64).reshape(-1, FIELDS)
        self._file.close()  # what is mapped stays
        self.frames, self.archives = entries[:, 3], entries[:, 4]

        def line(kind: int, index: int) -> list[str]:
            data = self._lists[entries[index, 0]][kind]
            start = int(entries[index, 1 + kind])
            end = data.find(b"\n", start)
            return data[start : end if end >= 0 else len(data)].decode().split()

        def column(read: Callable[[int], Value]) -> Column[Value]:
            return Column(len(entries), read)

        scp, text = (functools.partial(line, kind) for kind in (0, 1))
        self.ids = column(lambda index: scp(index)[0])
        self.sources = column(lambda index: " ".join(scp(index)[1:]))
        self.labels = column(lambda index: self._numbers(text(index)[1:]))

    def _numbers(self, phones: list[str]) -> np.ndarray:
        return np.array([self._phones[phone] for phone in phones], dtype=np.int16)


class _Rows:
    """Finds rows by name. Those that it passes stay in memory: none where the order is the same."""

    def __init__(self, path: Path):
        self.path = path
        self._rows = text_rows(path)
        self._passed: dict[str, TextRow] = {}

    def find(self, name: str) -> TextRow:
        if name in self._passed:
            return self._passed.pop(name)
        for row in self._rows:
            if row.key == name:
                return row
            self._passed[row.key] = row
        raise UserError(f"{self.path} lacks the utterance '{name}'. Run stages 1 and 2 again.")


def _mapped(file: Path | int) -> mmap.mmap | bytes:
    """Return the bytes of a file, which is not read at once; a Path or an open descriptor."""
    if isinstance(file, Path):
        with file.open("rb") as stream:
            return _mapped(stream.fileno())
    try:
        return mmap.mmap(file, 0, access=mmap.ACCESS_READ)
    except ValueError:  # it is empty
        return b""
