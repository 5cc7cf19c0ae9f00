"""The times of words, from the frames of a path; NIST's CTM files.

A network trained with CTC shows a phone in a frame or two somewhere within its sound, and
blanks elsewhere. A word begins with the first frame of its first phone and ends with the last
frame of its last one; both may be some hundredths of a second inside the sound.
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
    """Looks up single words in a sorted lexicon file, which may have millions, by bisection."""

    def __init__(self, path: Path, phones: Sequence[str]):
        if not path.stat().st_size:  # nothing to map
            raise UserError(f"{path} has no pronunciations: it is damaged.")
        with path.open("rb") as stream:
            self.lines = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        self.path = path
        self.labels = {phone.encode(): number + 1 for number, phone in enumerate(phones)}

    def __call__(self, word: str) -> list[list[int]]:
        """Return the pronunciations of ``word`` as input labels of the graph.

        An unknown word has none. A piece of a word has its phones in its name.
        """
        if phones := phones_of(word):
            return [self._labels(phone.encode() for phone in phones)]
        key = word.encode() + b" "
        low, high = 0, len(self.lines)
        while low < high:  # both are starts of lines; the words before `low` precede ours
            begin = self.lines.rfind(b"\n", low, (low + high) // 2) + 1 or low
            after = self.lines.find(b"\n", begin) + 1 or len(self.lines)
            if self.lines[begin:after].split(b" ", 1)[0] < key[:-1]:
                low = after
            else:
                high = begin
        pronunciations = []
        self.lines.seek(low)
        while (line := self.lines.readline()).startswith(key):
            pronunciations.append(self._labels(line.split()[1:]))
        return pronunciations

    def _labels(self, phones: Iterable[bytes]) -> list[int]:
        try:
            return [self.labels[phone] for phone in phones]
        except KeyError as error:
            phone = error.args[0].decode(errors="replace")
            raise UserError(
                f"{self.path} has the phone '{phone}', which the network lacks."
            ) from None


def path_phones(labels: Sequence[int], phones: Sequence[str]) -> list[str]:
    """Return the phones of a path from the graph's input labels, one for each frame.

    >>> path_phones([1, 2, 2, 1, 2, 3], ["<blk>", "a", "b"])
    ['a', 'a', 'b']
    """
    return [phones[label - 1] for label, _ in groupby(labels) if label != BLANK]


def spans(
    labels: Sequence[int], words: Sequence[str], look_up: Callable[[str], list[list[int]]]
) -> list[Span]:
    """Return the first frame of each word, and the one after its last.

    ``labels`` are the graph's input labels, one for each frame; 1 is the blank. A path may end
    within its last word. Raises `UserError` where the labels do not spell the words.

    >>> spans([1, 2, 2, 1, 3, 1], ["he", "i"], {"he": [[2]], "i": [[3]]}.__getitem__)
    [(1, 3), (4, 5)]
    """
    runs, frame = [], 0
    for label, group in groupby(labels):
        length = len(list(group))
        if label != BLANK:
            runs.append((label, frame, frame + length))
        frame += length
    spelled = [label for label, _, _ in runs]
    ways: dict[int, tuple[int, ...]] = {0: ()}  # by runs used: the run at which each word ends
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
        raise UserError(
            f"The lexicon does not spell '{' '.join(words)}' as the graph does. Run stage 1 again."
        )
    ends = ways[max(ways)]
    return [(runs[a][1], runs[b - 1][2]) for a, b in zip((0, *ends), ends, strict=False)]


def write_ctm(path: Path, table: Mapping[str, Iterable[Timed]]) -> None:
    """Write NIST's CTM: utterance, channel, start, duration (seconds), word, confidence.

    ::

        ru_0011 1 0.30 0.18 мало 0.9991
        ru_0011 1 0.57 0.03 к 0.8120
    """
    write_text(
        path,
        "".join(
            f"{name} 1 {start:.2f} {duration:.2f} {word} {confidence:.4f}\n"
            for name, words in table.items()
            for word, start, duration, confidence in words
        ),
    )


def read_ctm(path: Path) -> dict[str, list[Timed]]:
    """Read what `write_ctm` wrote. Utterances without words are not in it."""
    table: dict[str, list[Timed]] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            name, _, start, duration, word, confidence = line.split()
            times = float(start), float(duration), float(confidence)
        except ValueError:
            raise UserError(
                f"{path}, line {number}: it does not have the six fields of a CTM. Run stage 4"
                " again."
            ) from None
        table.setdefault(name, []).append((word, *times))
    return table
