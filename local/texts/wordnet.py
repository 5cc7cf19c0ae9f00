"""Example sentences of WordNet: free English, one short sentence or phrase each."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from cascade.corpora.corpus import CorpusRequest
from local.helpers import debian

LICENCE = "wordnet-base: WordNet 3.0 licence, Princeton University."

PACKAGE = debian.Package(
    "wordnet-base",
    "1:3.0-37",
    {"all": "61060d960f9ada8fa120872312eccd3ecebfbab8c4579e4f5a74e1cf67620752"},
)
FOLDER = "usr/share/wordnet/"
EXAMPLE = re.compile(r'"([^"]+)"')
WORD = re.compile(r"[A-Za-z]+(?:'[A-Za-z]+)?")
# A voice does not read these as they are written.
ABBREVIATION = re.compile("mrs?|ms|dr|st|jr|sr|vs|etc|ie|eg|vol|pp|ft|lb|oz", re.IGNORECASE)


def examples(request: CorpusRequest) -> Iterator[str]:
    """Yield the examples as they are written, in the order of the files."""
    folder = debian.unpack([PACKAGE], request, "wordnet", (FOLDER, "usr/share/doc/")) / FOLDER
    for kind in ("noun", "verb", "adj", "adv"):
        yield from parse(folder / f"data.{kind}")


def parse(path: Path) -> Iterator[str]:
    """Yield the quoted examples of a WordNet data file.

    The gloss of a synset follows a bar: a definition, then examples (the line is shortened)::

        00001740 03 n 01 stroll 0 001 @ 00002137 n 0000 | a slow walk; "a stroll by the sea"
    """
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            yield from EXAMPLE.findall(line.partition("| ")[2])


def prompt(example: str, fewest: int, most: int) -> str | None:
    """The example as words to read aloud, without punctuation; None if it is not suitable.

    It must have ``fewest`` to ``most`` words of ASCII letters and apostrophes that a voice reads
    as they are written: no digits, hyphens, initials or abbreviations.

    >>> prompt("the old man's boat, once new, sank.", 5, 12)
    "the old man's boat once new sank"
    """
    words = [word.rstrip(",;:") for word in example.strip(" `").rstrip(".!?").split()]
    if not fewest <= len(words) <= most:
        return None
    for word in words:
        capitals = len(word) > 1 and word.isupper()
        lone = len(word) == 1 and word not in "aAIO"
        if not WORD.fullmatch(word) or capitals or lone or ABBREVIATION.fullmatch(word):
            return None
    return " ".join(words)


def chosen(examples: Iterator[str], count: int, fewest: int, most: int) -> list[str]:
    """``count`` prompts, or all there are, each once; the choice is by hash, so it is fixed."""
    prompts: dict[str, str] = {}
    for example in examples:
        text = prompt(example, fewest, most)
        if text is not None:
            prompts.setdefault(text.lower(), text)
    order = sorted(prompts, key=lambda text: hashlib.sha256(text.encode()).digest())
    return [prompts[text] for text in order[:count]]
