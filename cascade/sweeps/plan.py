"""The points of a sweep or a search: runs of one recipe with different values and seeds."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from cascade.config.experiment import Experiment
from cascade.config.layout import Layout
from cascade.config.recipe import Recipe
from cascade.pipeline import stages
from cascade.runtime.errors import UserError

VALUE = re.compile(r"[A-Za-z0-9.%_+-]+")  # numbers and words, valid in names of folders
Reader = Callable[[Mapping[str, str]], Recipe]  # of the recipe with overrides by dotted keys
TRAINED = 3  # the stage that gives a model its error rate on valid
EXAMPLES = {"--sweep": "target_minutes=5,15,all", "--search": "train.dropout=0.15,0.3"}


@dataclass(frozen=True)
class Point:
    """A run of the recipe with one value for each swept key, and one seed.

    ``last`` is its last stage.
    """

    values: tuple[tuple[str, str], ...]
    experiment: Experiment
    last: int = stages.SCORING

    @property
    def recipe(self) -> Recipe:
        return self.experiment.recipe

    @property
    def layout(self) -> Layout:
        return self.experiment.layout

    @property
    def name(self) -> str:
        """The name of its folder, such as ``target_minutes=15,seed=0``."""
        return ",".join(f"{key}={value}" for key, value in (*self.values, ("seed", self.seed)))

    @property
    def seed(self) -> int:
        return self.recipe.seed

    @property
    def swept(self) -> dict[str, int | float | str]:
        """The values by key, as in JSON."""
        return {key: as_number_or_word(value) for key, value in self.values}

    @property
    def done(self) -> bool:
        """Whether all its stages are up to date."""
        return stages.due(self.experiment, range(self.last + 1)) is None


def number(value: str) -> int | float | None:
    """Return ``value`` as a number; None for a word.

    >>> number("15"), number("1e-3"), number("all")
    (15, 0.001, None)
    """
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", value):
        return None
    return int(value) if re.fullmatch(r"[+-]?\d+", value) else float(value)


def as_number_or_word(value: str) -> int | float | str:
    """Return ``value`` as a number, or a word as it is."""
    parsed = number(value)
    return value if parsed is None else parsed


def rank(value: str) -> tuple[float, str]:
    """Return the sort key of a swept value: numbers by size, then words."""
    parsed = number(value)
    return (float("inf") if parsed is None else parsed, value)


def sweep_plan(read: Reader, swept: str, seeds: int, layout: Layout) -> list[Point]:
    """Return the points of a sweep over ``KEY=VALUE,VALUE...``, sorted by value, then seed.

    There are ``seeds`` seeds; the first is the recipe's. ``layout`` is that of the recipe; the
    folders of the points are in its ``sweep/``. Raises `UserError` for what the recipe refuses,
    and for a key of ``train`` that a system sets itself.
    """
    values = _values("--sweep", swept)
    _refuse_own(read({}), "--sweep", values[0])
    return _points(read, [values], seeds, layout, "sweep", stages.SCORING)


def search_plan(read: Reader, searched: Sequence[str], seeds: int, layout: Layout) -> list[Point]:
    """Return the points of a search: every combination of the values of keys of ``train``.

    Otherwise like `sweep_plan`, but a point ends with stage 3. Raises `UserError` for a key
    outside of ``train``, and for one that a system sets itself.
    """
    values = [_values("--search", one) for one in searched]
    keys = [key for key, _ in values]
    for key in keys:
        if not key.startswith("train."):
            raise UserError(
                f"--search {key}: a search takes only keys of 'train', such as --search"
                f" {EXAMPLES['--search']}: each system can have its own value of these. For other"
                " keys use --sweep."
            )
    if len(set(keys)) < len(keys):
        raise UserError("--search: a key appears twice. Give all its values at once.")
    recipe = read({})
    for key in keys:
        _refuse_own(recipe, "--search", key)
    return _points(read, values, seeds, layout, "search", TRAINED)


def _refuse_own(recipe: Recipe, option: str, key: str) -> None:
    """Raise `UserError` where a system sets ``key`` itself: the swept values would not reach it."""
    for name, system in recipe.systems.items():
        if system.has_own(key):
            raise UserError(
                f"{option} {key}: system '{name}' sets this key itself. Remove it there, or leave"
                " the system out with --systems."
            )


def _points(
    read: Reader,
    values: Sequence[tuple[str, Sequence[str]]],
    seeds: int,
    layout: Layout,
    folder: str,
    last: int,
) -> list[Point]:
    """Return a point for every combination of values and every seed."""
    if seeds < 1:
        raise UserError("--seeds must be at least 1.")
    first = read({}).seed
    points = []
    for chosen in product(*([(key, value) for value in each] for key, each in values)):
        for seed in range(first, first + seeds):
            recipe = read({**dict(chosen), "seed": str(seed)})
            point = Point(chosen, Experiment(recipe, layout), last)
            own = replace(layout, root=layout.root / folder / point.name)
            points.append(replace(point, experiment=Experiment(recipe, own)))
    return points


def _values(option: str, swept: str) -> tuple[str, list[str]]:
    """Return the key and the sorted values of ``KEY=VALUE,VALUE...``."""
    key, equals, text = swept.partition("=")
    values = text.split(",")
    if not key or not equals or not all(VALUE.fullmatch(value) for value in values):
        raise UserError(
            f"{option} {swept}: write a key of the recipe and numbers or words, such as"
            f" {option} {EXAMPLES[option]}"
        )
    if key in ("seed", "name"):
        raise UserError(f"{option} cannot vary '{key}'. For three seeds use --seeds 3.")
    if len(set(map(as_number_or_word, values))) < len(values):  # 0.2 and 0.20 are one value
        raise UserError(f"{option} {swept}: a value appears twice.")
    return key, sorted(values, key=rank)
