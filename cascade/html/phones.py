"""The section on phones: which are confused, and how errors depend on their count in training."""

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cascade.html.languages import phone_group
from cascade.html.scored import Alignments, TestSet
from cascade.inventory.chart import order
from cascade.scoring.score import EPS

TOP = 12  # changes listed for each system, fewer and more


def confusions(test: TestSet) -> dict[str, Any]:
    """Return the phones of a test set sorted by class, and the aligned pairs of each system.

    ``pairs`` are (reference, hypothesis, times), as indices into ``phones``; -1 is a gap.
    """
    counted = {system: _pairs(table) for system, table in test.phones.items()}
    found = {phone for pairs in counted.values() for pair in pairs for phone in pair} - {EPS}
    phones = sorted(found, key=order)
    place = {phone: index for index, phone in enumerate(phones)} | {EPS: -1}
    return {
        "test": test.name,
        "phones": phones,
        "groups": [phone_group(phone) for phone in phones],
        "pairs": {
            system: sorted([place[r], place[h], n] for (r, h), n in pairs.items())
            for system, pairs in counted.items()
        },
    }


def _pairs(table: Alignments) -> Counter[tuple[str, str]]:
    counts: Counter[tuple[str, str]] = Counter()
    for aligned in table.values():
        counts.update(zip(aligned.ref, aligned.hyp, strict=True))
    return counts


def rates(path: Path, test: str, systems: Sequence[str], target: str) -> list[dict[str, Any]]:
    """Return the error rate of each phone that the test has: from ``phones_TEST.tsv``."""
    rows = []
    for row in _read(path):
        if int(row["test"]):
            rows += [
                {
                    "test": test,
                    "phone": row["phone"],
                    "class": row["class"],
                    "train": int(row[f"train_{target}"]),
                    "tokens": int(row["test"]),
                    "system": system,
                    "errors": sum(int(row[f"{system}_{kind}"]) for kind in ("sub", "del", "ins")),
                    "rate": float(row[f"{system}_per"]),
                }
                for system in systems
            ]
    return rows


def changes(path: Path) -> Mapping[str, Mapping[str, list[list[str]]]]:
    """Return the largest changes of phone errors by system, ``fixed`` and ``introduced``.

    They are from ``changes_TEST.tsv``.
    """
    by_system: dict[str, dict[str, list[list[str]]]] = {}
    for row in _read(path):
        kinds = by_system.setdefault(row["system"], {"fixed": [], "introduced": []})
        rows = kinds["fixed" if int(row["more"]) < 0 else "introduced"]
        if len(rows) < TOP:
            ref, hyp = (row[side].replace(EPS, "∅") for side in ("ref", "hyp"))
            rows.append([f"{ref} → {hyp}", row["class"], row["before"], row["after"], row["more"]])
    return by_system


def _read(path: Path) -> list[dict[str, str]]:
    """Return the rows of a table of stage 5; nothing is quoted in it."""
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
