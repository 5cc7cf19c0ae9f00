"""The command ``phones``: text and a picture that help to choose a second language."""

import logging
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from cascade.config.experiment import Experiment
from cascade.inventory import chart
from cascade.inventory.distance import described
from cascade.inventory.phone_counts import (
    RARE,
    Inventory,
    candidate_inventory,
    recipe_inventories,
)
from cascade.inventory.sharing import PhoneOverlap, compare_phones
from cascade.pipeline import stages
from cascade.runtime.errors import UserError

log = logging.getLogger("cascade")
FEW = 5_000  # running phones; in fewer, one foreign name changes the figures
WIDTH = 96  # columns of text


def report(experiment: Experiment, candidates: Mapping[str, Path | None], limit: float) -> str:
    """Compare the target with the recipe's other languages and with ``candidates``.

    ``candidates`` maps espeak-ng's voices to a file of text, or to None; ``limit`` is how
    many features a neighbour may be away. Writes ``phones.svg`` and returns the text to
    print. Raises `UserError` where there is no language to compare, or no text of one.
    """
    recipe = experiment.recipe
    if not limit >= 0:
        raise UserError(f"--within must be a number of features, 0 or more, not {limit:g}.")
    for name in recipe.languages:
        if name in candidates:
            raise UserError(f"'{name}' is a language of the recipe. Leave it out of --with.")
    if len(recipe.languages) + len(candidates) < 2:
        raise UserError(
            f"Recipe '{recipe.name}' has one language. Name others, such as --with cs,es."
        )
    stages.warn(experiment, (1,))
    target, *others = recipe_inventories(experiment)
    own = [compare_phones(target, other) for other in others]
    added = [
        compare_phones(target, candidate_inventory(voice, file, experiment.layout))
        for voice, file in candidates.items()
    ]
    ranked = sorted([*own, *added], key=lambda o: (-o.covered(), o.other.language))
    path = experiment.layout.root / "phones.svg"
    chart.draw(path, ranked, limit)
    log.info("Wrote %s.", path)
    return "\n\n".join([table(ranked, limit), *(details(o, limit) for o in own or added)])


def table(overlaps: Sequence[PhoneOverlap], limit: float) -> str:
    """Return one line for each language: its phones, and how much of the target they cover."""
    target = overlaps[0].target
    rows: list[Sequence[str]] = [
        ("", "phones", "shared", "own", "covers", f"within {limit:g}", "running", "from"),
        (
            *(target.language, str(len(target.phones)), "", "", "", ""),
            *(f"{target.total:,}", target.source),
        ),
    ]
    for o in overlaps:
        sizes = (len(o.other.phones), len(o.shared), len(o.other.phones) - len(o.shared))
        shares = (f"{o.covered():.2f} %", f"{o.covered(limit):.2f} %")
        source = (f"{o.other.total:,}", o.other.source)
        rows.append((o.other.language, *map(str, sizes), *shares, *source))
    lines = aligned(rows, left=(0, 7))
    lines += [
        "",
        f"covers: the share of {target.language}'s running phones that the language has, too",
        f"within {limit:g}: the same, with phones for which it has one at most {limit:g}"
        f" {'feature' if limit == 1 else 'features'} away",
    ]
    return "\n".join([*lines, *_notes([target, *(o.other for o in overlaps)])])


def details(overlap: PhoneOverlap, limit: float) -> str:
    """Return the phones of one pair: shared ones, and those of only one with the nearest ones."""
    target, other = overlap.target, overlap.other
    pair = f"{target.language}/{other.language}"
    lines = [
        f"{target.language} and {other.language} share {len(overlap.shared)} phones"
        f" (how often in {pair}):"
    ]
    lines += _wrapped([f"{p} {target.counts[p]}/{other.counts[p]}" for p in overlap.shared])
    for mine, theirs, nearest in (
        (target, other, overlap.nearest_in_other),
        (other, target, overlap.nearest_in_target),
    ):
        own = sorted(mine.phones - theirs.phones, key=lambda p: (-mine.counts[p], p))
        lines += ["", f"only {mine.language} has {len(own)}:"]
        rows: list[Sequence[str]] = [
            ("", "times", f"nearest in {theirs.language}", "features away", "times")
        ]
        for phone in own:
            columns = ("no features known", "", "")
            if phone in nearest:
                near = nearest[phone]
                mark = "" if near.distance <= limit else " (far)"
                columns = (near.phone, f"{near.distance:g}{mark}", f"{theirs.counts[near.phone]:,}")
            rows.append((phone, f"{mine.counts[phone]:,}", *columns))
        lines += [f"  {line}".rstrip() for line in aligned(rows, left=(0, 2, 3))] if own else []
    return "\n".join(lines)


def _notes(inventories: Sequence[Inventory]) -> list[str]:
    """Return what limits the figures: little text, rare phones, phones without features."""
    notes = []
    for i in inventories:
        if i.total < FEW:
            notes.append(f"{i.language}: only {i.total:,} running phones, so figures are rough.")
        if i.rare:
            share = f"1 in {1 / RARE:,.0f}"
            notes.append(f"{i.language}: phones rarer than {share} left out: {' '.join(i.rare)}.")
        if unknown := sorted(p for p in i.phones if not described(p)):
            notes.append(f"{i.language}: phones without features: {' '.join(unknown)}.")
    return notes


def aligned(rows: Sequence[Sequence[str]], left: Collection[int]) -> list[str]:
    """Return rows as lines of columns, aligned to the right except for the ``left`` ones.

    A combining character takes no column, as on a terminal.

    >>> aligned([("", "times"), ("a", "5"), ("ɔ̃", "70")], left=[0])
    ['   times', 'a      5', 'ɔ̃     70']
    """
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = []
        for i, (cell, width) in enumerate(zip(row, widths, strict=True)):
            padding = " " * (width - _width(cell))
            cells.append(cell + padding if i in left else padding + cell)
        lines.append("  ".join(cells).rstrip())
    return lines


def _width(cell: str) -> int:
    """Return how many columns of a terminal a text takes."""
    return sum(not unicodedata.combining(char) for char in cell)


def _wrapped(items: Sequence[str]) -> list[str]:
    """Return lines of at most `WIDTH` with the items in columns."""
    width = max(map(_width, items), default=0) + 2
    each = max(1, (WIDTH - 2) // width)
    rows = [items[i : i + each] for i in range(0, len(items), each)]
    return ["  " + "".join(x + " " * (width - _width(x)) for x in row).rstrip() for row in rows]
