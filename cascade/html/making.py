"""The section on how it was made: recipe, commit, versions, machine, and what each stage took."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from cascade.config.recipe import Recipe, like, read_recipe, recipe_in
from cascade.config.schema import as_plain
from cascade.runtime.project import RECIPES

LINE = re.compile(r"- ([^:]+): (.*)")


def environment(results: Path) -> list[tuple[str, str]]:
    """Return where the figures come from, as ``RESULTS.md`` has it in its last section."""
    try:
        text = results.read_text(encoding="utf-8").partition("## Environment")[2]
    except OSError:
        return []
    return [(m[1], m[2]) for line in text.splitlines() if (m := LINE.fullmatch(line))]


def as_yaml(recipe: Recipe) -> str:
    """Return a recipe as it was read: with every default."""
    return yaml.safe_dump(as_plain(recipe), allow_unicode=True, sort_keys=False, width=100)


def difference(recipe: Recipe) -> tuple[str, list[list[str]]]:
    """Return the name of the recipe that this one is like, and the keys in which they differ.

    If it is like none, it is compared with its own file: keys of the command line differ then.
    A recipe that is not in the folder ``recipes`` is compared with nothing.
    """
    own = recipe_in(RECIPES / recipe.name)
    if own is None:
        return "", []
    other = like(own)
    if other and recipe_in(other.parent) == other:
        base, name = read_recipe(other), other.parent.name
    else:
        base, name = read_recipe(own), f"recipes/{recipe.name}"
    here, there = (dict(_flat(as_plain(r))) for r in (recipe, base))
    keys = [key for key in {**there, **here} if key != "name" and here.get(key) != there.get(key)]
    return name, [[key, *(_shown(side.get(key)) for side in (there, here))] for key in keys]


def _flat(value: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the values of nested mappings and lists with their dotted keys."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _flat(inner, f"{where}.{key}" if where else key)
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for number, inner in enumerate(value):
            yield from _flat(inner, f"{where}.{number}")
    else:
        yield where, value


def _shown(value: Any) -> str:
    return "–" if value is None else value if isinstance(value, str) else json.dumps(value)


def stages(path: Path) -> list[list[str]]:
    """Return what the last run of each stage took, from ``stages.jsonl``; see `Runner`."""
    last: dict[int, Mapping[str, Any]] = {}
    try:
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            last[int(row["stage"])] = row
        return [
            [
                f"{number} {row['title']}",
                ", ".join(row["jobs"]),
                f"{row['seconds']:,.0f}",
                f"{row['memory_mb']:,}",
            ]
            for number, row in sorted(last.items())
            if number < 6
        ]
    except (OSError, ValueError, KeyError, TypeError):
        return []  # of an older version, or cut short: no result depends on it
