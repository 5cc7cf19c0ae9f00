"""The command ``phones``: what helps to choose a second language, as text and as a picture."""

import logging
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from cascade.config.experiment import Experiment
from cascade.inventory import phone_counts as inventory
from cascade.inventory.chart import chart
from cascade.inventory.distance import described
from cascade.inventory.phone_counts import RARE, Inventory
from cascade.inventory.sharing import Comparison, compare
from cascade.pipeline import stages
from cascade.runtime.errors import UserError
from cascade.runtime.files import write_text

log = logging.getLogger("cascade")
FEW = 5_000  # running phones; of fewer, a name read in another language shows
WIDTH = 96  # columns of text


def report(experiment: Experiment, candidates: Mapping[str, Path | None], limit: float) -> str:
    """Compares the target with the recipe's other languages and with ``candidates``.

    ``candidates`` maps espeak-ng's voices to a file of text, or to None; ``limit`` is how
    many features a neighbour may be away. Writes ``phones.svg``, returns the text to
    print. Raises `UserError` where there is nothing to compare, or to count phones in.
    """
    recipe = experiment.recipe
    if not limit >= 0:
        raise UserError(f"--within must be a number of features from 0 on, not {limit:g}.")
    for name in recipe.languages:
        if name in candidates:
            raise UserError(f"'{name}' is a language of the recipe: leave it out of --with.")
    if len(recipe.languages) + len(candidates) < 2:
        raise UserError(f"{recipe.name} has one language: name others, as in --with cs,es.")
    stages.warn(experiment, (1,))
    target, *others = inventory.of_recipe(experiment)
    own = [compare(target, other) for other in others]
    more = [
        compare(target, inventory.of_candidate(v, f, experiment.layout))
        for v, f in candidates.items()
    ]
    ranked = sorted([*own, *more], key=lambda c: (-c.covered(), c.other.language))
    path = experiment.layout.root / "phones.svg"
    write_text(path, chart(ranked, limit))
    log.info("%s is drawn.", path)
    return "\n\n".join([table(ranked, limit), *(details(c, limit) for c in own or more)])


def table(comparisons: Sequence[Comparison], limit: float) -> str:
    """One line a language: its phones, and how much of the target's speech they cover."""
    rows = [("", "phones", "shared", "own", "covers", f"within {limit:g}", "running", "from")]
    target = comparisons[0].target
    own = (len(target.phones), "", "", "", "", f"{target.total:,}", target.source)
    rows.append((target.language, *map(str, own)))
    for c in comparisons:
        sizes = (len(c.other.phones), len(c.shared), len(c.other.phones) - len(c.shared))
        shares = (f"{c.covered():.2f} %", f"{c.covered(limit):.2f} %")
        source = (f"{c.other.total:,}", c.other.source)
        rows.append((c.other.language, *map(str, sizes), *shares, *source))
    lines = aligned(rows, left=(0, 7))
    lines += [
        "",
        f"covers: of the running phones of {target.language}, those that the language has too;",
        f"within {limit:g}: those for which it has a phone at most so many features away.",
    ]
    return "\n".join([*lines, *_notes([target, *(c.other for c in comparisons)])])


def details(comparison: Comparison, limit: float) -> str:
    """The phones of one pair: shared ones, and each one's own with their neighbours."""
    c = comparison
    target, other = c.target.language, c.other.language
    counts = [f"{p} {c.target.counts[p]}/{c.other.counts[p]}" for p in c.shared]
    lines = [f"{target} and {other} share {len(c.shared)} phones (times in {target}/{other}):"]
    lines += _wrapped(counts)
    for mine, theirs, near in ((c.target, c.other, c.near), (c.other, c.target, c.back)):
        own = sorted(mine.phones - theirs.phones, key=lambda p: (-mine.counts[p], p))
        lines += ["", f"{mine.language} alone has {len(own)}:"]
        rows = [("", "times", f"nearest in {theirs.language}", "features away", "times")]
        for phone in own:
            row = ("no features known", "", "")
            if phone in near:
                at = near[phone]
                mark = "" if at.distance <= limit else " (far)"
                row = (at.phone, f"{at.distance:g}{mark}", f"{theirs.counts[at.phone]:,}")
            rows.append((phone, f"{mine.counts[phone]:,}", *row))
        lines += [f"  {line}".rstrip() for line in aligned(rows, left=(0, 2, 3))] if own else []
    return "\n".join(lines)


def _notes(inventories: Sequence[Inventory]) -> list[str]:
    """What a reader must know before trusting the figures."""
    notes = []
    for i in inventories:
        if i.total < FEW:
            notes.append(f"{i.language}: {i.total:,} running phones are few to judge by.")
        if i.rare:
            share = f"1 in {1 / RARE:,.0f}"
            notes.append(f"{i.language}: left out, rarer than {share}: {' '.join(i.rare)}.")
        if unknown := sorted(p for p in i.phones if not described(p)):
            notes.append(f"{i.language}: no neighbours are known for {' '.join(unknown)}.")
    return notes


def aligned(rows: Sequence[Sequence[str]], left: Iterable[int]) -> list[str]:
    """Rows as lines of columns, all but the ``left`` ones flush right.

    Counts code points but not what combines with the one before it, as a terminal does.
    """
    flush = set(left)
    wide = [max(_wide(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell + " " * (w - _wide(cell)) if i in flush else " " * (w - _wide(cell)) + cell
            for i, (cell, w) in enumerate(zip(row, wide, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return lines


def _wide(cell: str) -> int:
    return sum(not unicodedata.combining(char) for char in cell)


def _wrapped(items: Sequence[str]) -> list[str]:
    wide = max(map(_wide, items), default=0) + 2
    each = max(1, (WIDTH - 2) // wide)
    rows = [items[i : i + each] for i in range(0, len(items), each)]
    return ["  " + "".join(x + " " * (wide - _wide(x)) for x in row).rstrip() for row in rows]
