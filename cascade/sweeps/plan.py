"""The points of a sweep or a search: runs of a recipe with other values, and other seeds."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from cascade.config.experiment import Experiment
from cascade.config.layout import Layout
from cascade.config.recipe import Recipe
from cascade.config.schema import sets
from cascade.pipeline import stages
from cascade.runtime.errors import UserError

VALUE = re.compile(r"[A-Za-z0-9.%_+-]+")  # numbers and words, good for names of folders
Reader = Callable[[Mapping[str, str]], Recipe]  # overrides of the recipe, dotted keys to values


TRAINED = 3  # the stage after which a model has its error rate on valid


@dataclass(frozen=True)
class Point:
    """The run of a recipe with a value for each swept key, and one seed.

    ``last`` is the stage that ends it.
    """

    values: tuple[tuple[str, str], ...]
    experiment: Experiment
    last: int = stages.LAST

    @property
    def recipe(self) -> Recipe:
        return self.experiment.recipe

    @property
    def layout(self) -> Layout:
        return self.experiment.layout

    @property
    def name(self) -> str:
        return ",".join(f"{key}={value}" for key, value in (*self.values, ("seed", self.seed)))

    @property
    def seed(self) -> int:
        return self.recipe.seed

    @property
    def swept(self) -> dict[str, int | float | str]:
        """The values as JSON has them."""
        found = {key: number(value) for key, value in self.values}
        return {key: value if found[key] is None else found[key] for key, value in self.values}

    @property
    def done(self) -> bool:
        """Whether all of its stages are up to date."""
        return stages.due(self.experiment, range(self.last + 1)) is None


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
    """The points of a sweep over ``KEY=VALUE,VALUE...``, sorted by value, then seed.

    There are ``seeds`` seeds, from the recipe's on. ``layout`` is the recipe's own; each
    point's folder is in its ``sweep/``. Raises `UserError` for what the recipe refuses, and
    for a key of ``train`` that a system has set, too.
    """
    values = _values("--sweep", swept)
    _refuse_own(read({}), "--sweep", values[0])
    return _points(read, [values], seeds, layout, "sweep", stages.LAST)


def search_plan(read: Reader, searched: Sequence[str], seeds: int, layout: Layout) -> list[Point]:
    """The points of a search: every combination of the values of keys of ``train``.

    Otherwise as `plan`; a point ends with its trainings. Raises `UserError` for a key that
    systems cannot each have of their own, or that one of them has set.
    """
    values = [_values("--search", one) for one in searched]
    keys = [key for key, _ in values]
    for key in keys:
        if not key.startswith("train."):
            raise UserError(
                f"--search {key}: a search is over keys of 'train', which each system can have"
                " of its own, such as --search train.dropout=0.15,0.3. --sweep takes any key."
            )
    if len(set(keys)) < len(keys):
        raise UserError("--search: a key stands there twice.")
    recipe = read({})
    for key in keys:
        _refuse_own(recipe, "--search", key)
    return _points(read, values, seeds, layout, "search", TRAINED)


def _refuse_own(recipe: Recipe, option: str, key: str) -> None:
    """Raises `UserError` where a system has its own value of ``key``: no other would reach it."""
    section, *path = key.split(".")
    for name, system in recipe.systems.items():
        if section == "train" and path and sets(system.train, path):
            raise UserError(
                f"{option} {key}: system '{name}' has set it for itself; take it out there,"
                " or leave the system out (--systems)."
            )


def _points(
    read: Reader,
    values: Sequence[tuple[str, Sequence[str]]],
    seeds: int,
    layout: Layout,
    folder: str,
    last: int,
) -> list[Point]:
    if seeds < 1:
        raise UserError("--seeds must be at least 1.")
    first = read({}).seed
    found = []
    for chosen in product(*([(key, value) for value in each] for key, each in values)):
        for seed in range(first, first + seeds):
            recipe = read({**dict(chosen), "seed": str(seed)})
            point = Point(chosen, Experiment(recipe, layout), last)
            own = replace(layout, root=layout.root / folder / point.name)
            found.append(replace(point, experiment=Experiment(recipe, own)))
    return found


def _values(option: str, swept: str) -> tuple[str, list[str]]:
    """The key and the values, sorted, of ``KEY=VALUE,VALUE...``."""
    key, equals, text = swept.partition("=")
    values = text.split(",")
    if not key or not equals or not all(VALUE.fullmatch(value) for value in values):
        raise UserError(
            f"{option} {swept}: write a key of the recipe and numbers or words, such as"
            " --sweep target_minutes=5,15,all"
        )
    if key in ("seed", "name"):
        raise UserError(f"{option} cannot vary '{key}'; --seeds 3 trains with three seeds.")
    same = {value if number(value) is None else number(value) for value in values}
    if len(same) < len(values):  # 0.2 and 0.20 are one value
        raise UserError(f"{option} {swept}: a value stands there twice.")
    return key, sorted(values, key=rank)
