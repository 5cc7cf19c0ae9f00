"""Words from dictionaries that the training texts lack, and their probabilities.

A dictionary is hunspell's (``X.dic`` and ``X.aff``) or a list of words, with counts or
without::

    дом 27
    домик 3

A word's probability comes from the training texts: how often they have other forms of
its entry, times how often entries that have its ending use it there.
"""

import importlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cascade.config.sections import Language
from cascade.corpora import corpus
from cascade.runtime.errors import UserError
from cascade.runtime.files import read_lines
from cascade.runtime.lock import turn
from cascade.text import hunspell
from cascade.text.characters import ARMENIAN, normalise
from cascade.text.hunspell import Forms

log = logging.getLogger("cascade")

# The count of an entry that no text has. On Russian valid data, 0.02 to 0.3 gave the same
# number of unknown words; 1 gave more.
UNSEEN = 0.1


@dataclass(frozen=True)
class DictionaryFile:
    """A dictionary that a recipe names, and its file."""

    name: str
    path: Path


def find(name: str, request: corpus.CorpusRequest) -> DictionaryFile:
    """Return a ``.dic`` file or word list, or the one that a module of ``local/`` fetches.

    Raises `UserError` for an unknown name.
    """
    if Path(name).is_file():
        return DictionaryFile(name, Path(name))
    corpus.check_source("dictionary", name)
    module = importlib.import_module(corpus.module_name(name))
    log.info("Licence: %s", module.LICENCE)
    with turn(request.data):
        return DictionaryFile(name, module.path(request))


def read(source: DictionaryFile) -> Forms:
    """Return all word forms of a dictionary. Raises `UserError` if it cannot be read."""
    if source.path.suffix == ".dic":
        return hunspell.expand(source.path)
    words, counts = [], []
    for number, line in enumerate(read_lines(source.path), 1):
        word, *count = line.split() or [""]
        if len(count) > 1 or (count and not count[0].isdigit()):
            raise UserError(f"{source.path}, line {number}: expected 'word' or 'word count'.")
        if word:
            words.append(word)
            counts.append(int(count[0]) if count else 0)
    entry, none = np.arange(len(words), dtype=np.int32), np.zeros(len(words), np.int32)
    return Forms(words, entry, none, np.array(counts, np.float64))


def probabilities(forms: Forms, seen: Mapping[str, int], language: Language) -> dict[str, float]:
    """Return P(word) for every form that the language can write.

    ``seen`` counts the words of the training texts. P(form) is proportional to the sum, over
    the entries and rules that make it, of (count of the entry's forms + `UNSEEN`) * P(rule |
    entry has it). Spellings that scoring treats as equal (``fold``) share their counts.
    """
    fold = str.maketrans(language.fold)
    counts: dict[str, float] = {}
    for word, count in seen.items():
        folded = word.translate(fold)
        counts[folded] = counts.get(folded, 0) + count
    letters = set(language.letters)
    normal = set() if language.code in ARMENIAN else letters  # և may be written as two letters
    numbers: dict[str, int] = {}
    row, number, plain = [], [], []
    plains: dict[str, int] = {}
    for i, written in enumerate(forms.words):
        word = written if normal.issuperset(written) else normalise(written, language)
        if letters.issuperset(word):
            row.append(i)
            number.append(numbers.setdefault(word, len(numbers)))
            plain.append(plains.setdefault(word.translate(fold), len(plains)))
    if not row:
        return {}
    chosen, word_of, spelling = np.array(row), np.array(number), np.array(plain)
    entry, rule = forms.entry[chosen], forms.rule[chosen]
    by_spelling = np.array([counts.get(plain, 0) for plain in plains], np.float64)
    share = (by_spelling / np.bincount(spelling))[spelling] + forms.count[chosen]
    entries = np.bincount(entry, share)
    taken, offered = np.bincount(rule, share), np.bincount(rule, entries[entry])
    rules = (taken + 0.5) / (offered + 10)  # a rule that no text uses is rare
    mass = np.bincount(word_of, (entries[entry] + UNSEEN) * rules[rule])
    return dict(zip(numbers, (mass / mass.sum()).tolist(), strict=True))


def choose(likely: Mapping[str, float], known: set[str], most: int | None) -> dict[str, float]:
    """Drop the least likely words, so that there are ``most`` words together with ``known``.

    >>> choose({"а": 0.5, "б": 0.1, "в": 0.4}, known={"б", "я"}, most=3)
    {'а': 0.5, 'б': 0.1}
    """
    if most is None:
        return dict(likely)
    new = sorted((word for word in likely if word not in known), key=lambda w: (-likely[w], w))
    kept = set(new[: max(0, most - len(known))])
    return {word: p for word, p in likely.items() if word in known or word in kept}
