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
# What a voice would read otherwise than it is written.
ABBREVIATIONS = frozenset(
    [
        "mr",
        "mrs",
        "ms",
        "dr",
        "st",
        "jr",
        "sr",
        "vs",
        "etc",
        "ie",
        "eg",
        "vol",
        "pp",
        "ft",
        "lb",
        "oz",
    ]
)


def examples(request: CorpusRequest) -> Iterator[str]:
    """Yields the examples as they are written, in the order of the files."""
    folder = debian.unpack([PACKAGE], request, "wordnet", (FOLDER, "usr/share/doc/")) / FOLDER
    for kind in ("noun", "verb", "adj", "adv"):
        yield from parse(folder / f"data.{kind}")


def parse(path: Path) -> Iterator[str]:
    """Yields the quoted examples of a WordNet data file; its gloss follows a bar."""
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            yield from EXAMPLE.findall(line.partition("| ")[2])


def prompt(example: str, fewest: int, most: int) -> str | None:
    """The example as words to read aloud, without punctuation; None where it is unfit.

    Fit are ``fewest`` to ``most`` words of ASCII letters and apostrophes which a voice
    reads as they are written: no digits, hyphens, initials or abbreviations.
    """
    words = [word.rstrip(",;:") for word in example.strip(" `").rstrip(".!?").split()]
    if not fewest <= len(words) <= most:
        return None
    for word in words:
        capitals = len(word) > 1 and word.isupper()
        lone = len(word) == 1 and word not in "aAIO"
        if not WORD.fullmatch(word) or capitals or lone or word.lower() in ABBREVIATIONS:
            return None
    return " ".join(words)


def chosen(examples: Iterator[str], count: int, fewest: int, most: int) -> list[str]:
    """``count`` prompts, or all there are, none twice; the choice is by hash, so fixed."""
    prompts = {}
    for example in examples:
        text = prompt(example, fewest, most)
        if text is not None:
            prompts.setdefault(text.lower(), text)
    order = sorted(prompts, key=lambda text: hashlib.sha256(text.encode()).digest())
    return [prompts[text] for text in order[:count]]
