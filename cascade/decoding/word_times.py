"""When words were said: the frames of a path shared out among its words; NIST's CTM.

CTC's networks are peaky: a phone is seen in a frame or two somewhere within its sound, the
rest is blank. A word here begins with the first frame of its first phone and ends with the
last frame of its last one; both may be some hundredths of a second inside the sound.
"""

import mmap
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from cascade.lm.spelling import phones_of
from cascade.runtime.errors import UserError
from cascade.runtime.files import write_text

Span = tuple[int, int]  # the first frame of a word, and the one after its last
Timed = tuple[str, float, float, float]  # word, start and duration in seconds, confidence
BLANK = 1  # the graph's input label


class Pronunciations:
    """Single words looked up in a sorted lexicon file, which may have millions."""

    def __init__(self, path: Path, phones: Sequence[str]):
        with path.open("rb") as stream:
            self.lines = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        self.labels = {phone.encode(): number + 1 for number, phone in enumerate(phones)}

    def __call__(self, word: str) -> list[list[int]]:
        """The pronunciations of ``word`` as input labels of the graph; none if it is unknown.

        Those of a piece stand in its name.
        """
        if phones := phones_of(word):
            return [[self.labels[phone.encode()] for phone in phones]]
        key = word.encode() + b" "
        low, high = 0, len(self.lines)
        while low < high:  # line starts: all before `low` have words before ours
            begin = self.lines.rfind(b"\n", low, (low + high) // 2) + 1 or low
            after = self.lines.find(b"\n", begin) + 1 or len(self.lines)
            if self.lines[begin:after].split(b" ", 1)[0] < key[:-1]:
                low = after
            else:
                high = begin
        found = []
        self.lines.seek(low)
        while (line := self.lines.readline()).startswith(key):
            found.append([self.labels[phone] for phone in line.split()[1:]])
        return found


def spans(
    labels: Sequence[int], words: Sequence[str], look_up: Callable[[str], list[list[int]]]
) -> list[Span]:
    """The first frame of each word, and the one after its last.

    ``labels`` are the graph's input labels, one a frame. Where a path ends within a word,
    so does the word. Raises `UserError` where the words are not what the labels spell.
    """
    runs, frame = [], 0
    for label, group in groupby(labels):
        length = len(list(group))
        if label != BLANK:
            runs.append((label, frame, frame + length))
        frame += length
    spelled = [label for label, _, _ in runs]
    ways: dict[int, tuple[int, ...]] = {0: ()}  # by runs taken, where each word has ended
    for word in words:
        longer: dict[int, tuple[int, ...]] = {}
        for taken, ends in ways.items():
            rest = len(spelled) - taken
            for phones in look_up(word):
                here = phones[:rest]  # the last word may be cut off
                if here and spelled[taken : taken + len(here)] == here:
                    longer.setdefault(taken + len(here), (*ends, taken + len(here)))
        ways = longer
    if not ways:
        raise UserError(f"The lexicon does not spell '{' '.join(words)}'. Run stage 1 again.")
    ends = ways[max(ways)]
    return [(runs[a][1], runs[b - 1][2]) for a, b in zip((0, *ends), ends, strict=False)]


def write_ctm(path: Path, table: Mapping[str, Iterable[Timed]]) -> None:
    """Writes NIST's CTM: ``utterance channel start duration word confidence``."""
    write_text(
        path,
        "".join(
            f"{name} 1 {start:.2f} {duration:.2f} {word} {sure:.4f}\n"
            for name, words in table.items()
            for word, start, duration, sure in words
        ),
    )


def read_ctm(path: Path) -> dict[str, list[Timed]]:
    """Reads what `write_ctm` wrote; utterances without words are not in it."""
    table: dict[str, list[Timed]] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            name, _, start, duration, word, sure = line.split()
            table.setdefault(name, []).append((word, float(start), float(duration), float(sure)))
        except ValueError:
            raise UserError(
                f"{path}, line {number}, is no line of a CTM. Run stage 4 again."
            ) from None
    return table
