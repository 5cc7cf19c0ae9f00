"""The section on languages: which phones they share, and what the other languages cover."""

from collections.abc import Sequence
from typing import Any

from cascade.config.experiment import Experiment
from cascade.html.headline import language_name
from cascade.inventory.chart import GROUPS, order
from cascade.inventory.phone_counts import recipe_inventories
from cascade.inventory.sharing import PhoneOverlap, compare_phones

NEAR = 1.0  # features; a neighbour that is further away is not shown


def phone_group(phone: str) -> str:
    """Return the name of a phone's group, such as "plosives"."""
    return [*GROUPS][order(phone)[0]]


def overlaps(experiment: Experiment) -> list[PhoneOverlap]:
    """Return the target's phones beside those of each other language of the recipe."""
    target, *others = recipe_inventories(experiment)
    return [compare_phones(target, other) for other in others]


def coverage(some: Sequence[PhoneOverlap]) -> list[dict[str, Any]]:
    """Return for each language what share of the target's running phones it has, in per cent."""
    return [
        {
            "language": language_name(o.other.language),
            "phones": len(o.other.phones),
            "shared": len(o.shared),
            "exact": round(o.covered(), 2),
            "near": round(o.covered(NEAR), 2),
        }
        for o in some
    ]


def chart(some: Sequence[PhoneOverlap]) -> list[dict[str, Any]]:
    """Return the phones of all languages by group, with a cell for each language.

    A cell's ``kind`` is "shared" (the target and another language have the phone), "own" (only
    this side has it), "missing" (it has a neighbour at most `NEAR` features away) or "".
    """
    target = some[0].target
    phones = sorted(target.phones.union(*(o.other.phones for o in some)), key=order)
    groups: dict[str, list[dict[str, Any]]] = {}
    for phone in phones:
        having = [o for o in some if phone in o.other.phones]
        cells = [_cell(phone, target, bool(having), None)]
        cells += [
            _cell(phone, o.other, phone in target.phones, o.nearest_in_other.get(phone))
            for o in some
        ]
        groups.setdefault(phone_group(phone), []).append({"phone": phone, "cells": cells})
    return [{"name": name, "phones": members} for name, members in groups.items()]


def _cell(phone: str, inventory: Any, shared: bool, near: Any) -> dict[str, str]:
    """Return a phone's cell in the row of a language: its kind, a figure, and both in words."""
    name = language_name(inventory.language)
    if phone in inventory.phones:
        share = 100 * inventory.counts[phone] / inventory.total
        kind = "shared" if shared else "own"
        text = f"{share:.1f}" if share >= 0.05 else "<0.1"
        return {"kind": kind, "text": text, "label": f"{name}: {kind}, {text} % of its phones"}
    if near and near.distance <= NEAR:
        text = f"≈{near.phone}"
        return {"kind": "missing", "text": text, "label": f"{name}: missing, near {near.phone}"}
    return {"kind": "", "text": "–", "label": f"{name}: missing"}
