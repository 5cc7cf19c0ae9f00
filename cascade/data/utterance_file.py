"""Checked utterances in a temporary file, so that memory need not hold them."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from cascade.corpora.audio import AudioInfo
from cascade.data.utterance_checks import CheckedUtterance


class UtteranceFile:
    """A file of `CheckedUtterance`, one JSON object a line, written once and read in order.

    The file is removed at the end of a ``with`` block.
    """

    def __init__(self, path: Path):
        self.path = path
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._stream = path.open("w", encoding="utf-8", errors="surrogateescape", newline="\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stream.close()
        self.path.unlink(missing_ok=True)

    def add(self, item: CheckedUtterance) -> None:
        info = item.info and vars(item.info)
        row = {**vars(item), "audio": str(item.audio), "info": info}
        self._stream.write(json.dumps(row, ensure_ascii=False) + "\n")

    def __iter__(self) -> Iterator[CheckedUtterance]:
        self._stream.flush()
        with self.path.open(encoding="utf-8", errors="surrogateescape", newline="\n") as lines:
            for line in lines:
                row = json.loads(line)
                row["audio"], row["words"] = Path(row["audio"]), tuple(row["words"])
                row["info"] = row["info"] and AudioInfo(**row["info"])
                yield CheckedUtterance(**row)

    def pick(self, numbers: Iterable[int]) -> list[CheckedUtterance]:
        """Return the utterances of these numbers, counted from 0 in the order of adding."""
        wanted = set(numbers)
        last = max(wanted, default=-1)
        picked = []
        for number, item in enumerate(self if wanted else ()):
            if number in wanted:
                picked.append(item)
            if number == last:
                break
        return picked
