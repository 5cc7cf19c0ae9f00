"""Checked utterances on disk: what stage 0 knows of a corpus that memory need not hold."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from cascade.corpora.audio import AudioInfo
from cascade.data.utterance_checks import Checked


class Spool:
    """A file of `Checked` utterances, a JSON object a line, written once and read in order."""

    def __init__(self, path: Path):
        self.path = path
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._stream = path.open("w", encoding="utf-8", errors="surrogateescape", newline="\n")
        self.count = 0

    def add(self, item: Checked) -> None:
        info = item.info and vars(item.info)
        row = {**vars(item), "audio": str(item.audio), "info": info}
        self._stream.write(json.dumps(row, ensure_ascii=False) + "\n")
        self.count += 1

    def __iter__(self) -> Iterator[Checked]:
        self._stream.flush()
        with self.path.open(encoding="utf-8", errors="surrogateescape", newline="\n") as lines:
            for line in lines:
                row = json.loads(line)
                row["audio"], row["words"] = Path(row["audio"]), tuple(row["words"])
                row["info"] = row["info"] and AudioInfo(**row["info"])
                yield Checked(**row)

    def some(self, numbers: Iterable[int]) -> list[Checked]:
        """The utterances of these numbers, counted from 0 as they were added."""
        wanted = set(numbers)
        last = max(wanted, default=-1)
        found = []
        for number, item in enumerate(self if wanted else ()):
            if number in wanted:
                found.append(item)
            if number == last:
                break
        return found

    def close(self) -> None:
        """Ends and removes it."""
        self._stream.close()
        self.path.unlink(missing_ok=True)
