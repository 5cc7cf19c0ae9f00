"""The points of a sweep: one run of a recipe for each value of a key and each seed."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from cascade import stages
from cascade.errors import UserError
from cascade.layout import Layout
from cascade.recipe import Recipe

VALUE = re.compile(r"[A-Za-z0-9.%_+-]+")  # numbers and words, good for names of folders
Reader = Callable[[Mapping[str, str]], Recipe]  # overrides of the recipe, dotted keys to values


@dataclass(frozen=True)
class Point:
    """The run of a recipe with one ``value`` of the swept ``key``, and one seed."""

    key: str
    value: str
    recipe: Recipe
    layout: Layout

    @property
    def name(self) -> str:
        return f"{self.key}={self.value},seed={self.recipe.seed}"

    @property
    def swept(self) -> int | float | str:
        """The value as JSON has it."""
        found = number(self.value)
        return self.value if found is None else found

    @property
    def done(self) -> bool:
        """Whether all of its stages are up to date."""
        return stages.due(self.recipe, self.layout, range(stages.LAST + 1)) is None


def number(value: str) -> int | float | None:
    """``value`` as a number; None for a word."""
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", value):
        return None
    return int(value) if re.fullmatch(r"[+-]?\d+", value) else float(value)


def rank(value: str) -> tuple[float, str]:
    """The place of a swept value among others: numbers by size, then words."""
    found = number(value)
    return (float("inf") if found is None else found, value)


def plan(read: Reader, swept: str, seeds: int, layout: Layout) -> list[Point]:
    """The points of ``KEY=VALUE,VALUE...``, sorted by value, then seed.

    There are ``seeds`` seeds, from the recipe's on. ``layout`` is the recipe's own; each
    point's folder is in its ``sweep/``. Raises `UserError` for what the recipe refuses.
    """
    key, equals, text = swept.partition("=")
    values = text.split(",")
    if not key or not equals or not all(VALUE.fullmatch(value) for value in values):
        raise UserError(
            f"--sweep {swept}: write a key of the recipe and numbers or words, such as"
            " --sweep target_minutes=5,15,all"
        )
    if key in ("seed", "name"):
        raise UserError(f"--sweep cannot vary '{key}'; --seeds 3 trains with three seeds.")
    if len(set(values)) < len(values):
        raise UserError(f"--sweep {swept}: a value stands there twice.")
    if seeds < 1:
        raise UserError("--seeds must be at least 1.")
    first = read({}).seed
    found = []
    for value in sorted(values, key=rank):
        for seed in range(first, first + seeds):
            recipe = read({key: value, "seed": str(seed)})
            folder = layout.root / "sweep" / f"{key}={value},seed={seed}"
            found.append(Point(key, value, recipe, replace(layout, root=folder)))
    return found
