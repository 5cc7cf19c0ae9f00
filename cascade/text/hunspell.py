"""Hunspell dictionaries, expanded: every form of every entry, and how it was made.

The format is hunspell(5); spylls reads it (flags, aliases, encodings). Compounds, which
have no end, are not made; nor are forms that only stand in compounds or with an affix.
"""

import functools
import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from spylls.hunspell.data.aff import Aff, Affix
from spylls.hunspell.readers import FileReader, read_aff, read_dic

from cascade.runtime.errors import UserError


@dataclass(frozen=True)
class Forms:
    """Word forms, as they are written: form ``i`` is of ``entry[i]``, made by ``rule[i]``.

    Entries are numbered, and so are rules: an affix, several, or none. ``count`` is how
    often a form was met, where whoever made the list tells; 0 elsewhere.
    """

    words: Sequence[str]
    entry: np.ndarray
    rule: np.ndarray
    count: np.ndarray


def expand(dic: Path) -> Forms:
    """All forms of the dictionary ``X.dic``, whose affixes are in ``X.aff`` beside it.

    Raises `UserError` for files that cannot be read.
    """
    aff_path = dic.with_suffix(".aff")
    try:
        aff, context = read_aff(FileReader(str(aff_path)))
        entries = read_dic(
            FileReader(str(dic), encoding=context.encoding), aff=aff, context=context
        )
    except OSError as error:
        raise UserError(f"{error.filename} cannot be read: {error.strerror}.") from None
    except (ValueError, LookupError, AttributeError, re.error) as error:
        raise UserError(f"{dic} and {aff_path.name} are no hunspell dictionary: {error}.") from None
    affixes = _Affixes(aff)
    words, entry, rule = [], array("i"), array("i")
    for number, word in enumerate(entries.words):
        for form, made in affixes.forms(word.stem, frozenset(word.flags)):
            words.append(form)
            entry.append(number)
            rule.append(made)
    numbers = np.array(entry, np.int32), np.array(rule, np.int32)
    return Forms(words, *numbers, np.zeros(len(words)))


class _Affixes:
    """The affixes of a dictionary, found quickly by the letters that they look at."""

    def __init__(self, aff: Aff):
        self.suffixes = {flag: tuple(found) for flag, found in aff.SFX.items()}
        self.prefixes = {flag: tuple(found) for flag, found in aff.PFX.items()}
        every = [a for table in (aff.SFX, aff.PFX) for found in table.values() for a in found]
        self.width = max((_width(affix) for affix in every), default=0)
        self.no_word = frozenset(filter(None, (aff.FORBIDDENWORD, aff.ONLYINCOMPOUND)))
        self.needs_affix = aff.NEEDAFFIX
        self.rules: dict[tuple, int] = {(): 0}

    def forms(self, stem: str, flags: frozenset[str]) -> Iterator[tuple[str, int]]:
        """Yields every form of an entry with the number of its rule."""
        if flags & self.no_word:
            return
        bases: list[tuple[str, frozenset[str], tuple, bool]] = [(stem, flags, (), True)]
        for affix in self._suffixing(flags, stem[-self.width :]):
            form = stem[: len(stem) - len(affix.strip)] + affix.add
            bases.append((form, frozenset(affix.flags), (id(affix),), affix.crossproduct))
            # A suffix may bring flags of further suffixes: one more level, as in hunspell.
            for second in self._suffixing(frozenset(affix.flags), form[-self.width :]):
                longer = form[: len(form) - len(second.strip)] + second.add
                cross = affix.crossproduct and second.crossproduct
                bases.append((longer, frozenset(second.flags), (id(affix), id(second)), cross))
        for form, own, made, cross in bases:
            if own & self.no_word:
                continue
            if self.needs_affix not in own:
                yield form, self._rule(made)
            brought = flags | own if made else flags
            for affix in self._prefixing(brought, form[: self.width]) if cross else ():
                if (affix.crossproduct or not made) and not affix.flags & self.no_word:
                    yield affix.add + form[len(affix.strip) :], self._rule((*made, id(affix)))

    def _rule(self, made: tuple) -> int:
        return self.rules.setdefault(made, len(self.rules))

    @functools.cache  # noqa: B019 - an object of one expansion
    def _suffixing(self, flags: frozenset[str], end: str) -> tuple[Affix, ...]:
        """The suffixes that ``flags`` allow a word that ends so, in a fixed order."""
        found = (a for flag in sorted(flags) for a in self.suffixes.get(flag, ()))
        return tuple(a for a in found if end.endswith(a.strip) and a.cond_regexp.search(end))

    @functools.cache  # noqa: B019
    def _prefixing(self, flags: frozenset[str], start: str) -> tuple[Affix, ...]:
        found = (a for flag in sorted(flags) for a in self.prefixes.get(flag, ()))
        return tuple(a for a in found if start.startswith(a.strip) and a.cond_regexp.search(start))


def _width(affix: Affix) -> int:
    """How many letters of a word an affix looks at or takes off."""
    return max(len(affix.strip), len(re.sub(r"\[[^]]*\]", ".", affix.condition)))
