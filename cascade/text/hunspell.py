"""Hunspell dictionaries, expanded: every form of every entry, and the rule that makes it.

spylls reads the format of hunspell(5) with its flags, aliases and encodings::

    SFX A Y 1            # X.aff: a suffix with flag A: -ого in place of -ый
    SFX A ый ого [^к]ый
    добрый/A             # X.dic: an entry with this flag

Compounds are not made, as they are without end. Nor are forms that occur only in compounds or
with an affix.
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
    """Word forms as they are written: form ``i`` is of ``entry[i]``, made by ``rule[i]``.

    Entries have numbers, and so have rules (a set of affixes, which may be empty). ``count``
    is the frequency of a form in a word list that has frequencies; else 0.
    """

    words: Sequence[str]
    entry: np.ndarray
    rule: np.ndarray
    count: np.ndarray


def expand(dic: Path) -> Forms:
    """Return all forms of the dictionary ``X.dic``; its affixes are in ``X.aff`` beside it.

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
        raise UserError(
            f"{dic} and {aff_path.name} are not a hunspell dictionary: {error}."
        ) from None
    affixes = _Affixes(aff)
    words: list[str] = []
    entry, rule = array("i"), array("i")
    for number, word in enumerate(entries.words):
        for form, rule_number in affixes.forms(word.stem, frozenset(word.flags)):
            words.append(form)
            entry.append(number)
            rule.append(rule_number)
    numbers = np.array(entry, np.int32), np.array(rule, np.int32)
    return Forms(words, *numbers, np.zeros(len(words)))


class _Affixes:
    """The affixes of a dictionary, which are looked up by the letters of their condition."""

    def __init__(self, aff: Aff):
        self.suffixes = {flag: tuple(some) for flag, some in aff.SFX.items()}
        self.prefixes = {flag: tuple(some) for flag, some in aff.PFX.items()}
        every = [a for table in (aff.SFX, aff.PFX) for some in table.values() for a in some]
        self.width = max((_width(affix) for affix in every), default=0)
        self.no_word = frozenset(filter(None, (aff.FORBIDDENWORD, aff.ONLYINCOMPOUND)))
        self.needs_affix = aff.NEEDAFFIX
        self.rules: dict[tuple, int] = {(): 0}

    def forms(self, stem: str, flags: frozenset[str]) -> Iterator[tuple[str, int]]:
        """Yield every form of an entry with the number of its rule."""
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
        for form, own, applied, cross in bases:
            if own & self.no_word:
                continue
            if self.needs_affix not in own:
                yield form, self._rule(applied)
            all_flags = flags | own if applied else flags
            for affix in self._prefixing(all_flags, form[: self.width]) if cross else ():
                if (affix.crossproduct or not applied) and not affix.flags & self.no_word:
                    yield affix.add + form[len(affix.strip) :], self._rule((*applied, id(affix)))

    def _rule(self, applied: tuple) -> int:
        return self.rules.setdefault(applied, len(self.rules))

    @functools.cache  # noqa: B019 - an object of one expansion
    def _suffixing(self, flags: frozenset[str], end: str) -> tuple[Affix, ...]:
        """Return the suffixes that ``flags`` allow a word with this end, in a fixed order."""
        allowed = (a for flag in sorted(flags) for a in self.suffixes.get(flag, ()))
        return tuple(a for a in allowed if end.endswith(a.strip) and a.cond_regexp.search(end))

    @functools.cache  # noqa: B019
    def _prefixing(self, flags: frozenset[str], start: str) -> tuple[Affix, ...]:
        allowed = (a for flag in sorted(flags) for a in self.prefixes.get(flag, ()))
        matching = (a for a in allowed if start.startswith(a.strip))
        return tuple(a for a in matching if a.cond_regexp.search(start))


def _width(affix: Affix) -> int:
    """Return how many letters of a word an affix tests or removes."""
    return max(len(affix.strip), len(re.sub(r"\[[^]]*\]", ".", affix.condition)))
