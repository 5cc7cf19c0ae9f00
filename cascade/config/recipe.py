"""Recipes: one YAML (or JSON) file, read once into frozen dataclasses.

Every key that a recipe may have is a field here, in `cascade.config.sections` or in
`cascade.config.systems`, with its default.
An unknown key fails and names the nearest known one; so does a value of the wrong type.
Values given on the command line (``--train.epochs 2``) go through the same reader.
"""

import dataclasses
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from cascade.config.recipe_checks import NAME, check
from cascade.config.schema import as_plain, build, layered, merge, nearest, override
from cascade.config.sections import Dataset, Decode, Features, Language, LanguageModel, Limits
from cascade.config.systems import System, Train
from cascade.runtime.errors import UserError
from cascade.runtime.project import RECIPES

_NAMES = re.compile(rf"{NAME.pattern}(,{NAME.pattern})*")


@dataclass(frozen=True)
class Recipe:
    """A recipe: the languages, the data, the systems and their settings.

    Attributes:
        name: The name of the experiment. Default: the name of the recipe's folder.
        target: The language to recognise: one of ``languages``.
        languages: The languages by name. Keys: see ``Language``.
        datasets: The data sets. Keys: see ``Dataset``. ``train``, ``valid`` and ``test`` must be
            there.
        systems: The networks to train, by name. Keys: see ``System``.
        seed: Decides first weights, the order of the speech, its augmentation, and which part of
            it ``target_minutes`` takes.
        target_minutes: How many minutes of the target's training speech are used, or ``all``.
        limits: What stage 0 accepts. Keys: see ``Limits``.
        features: Keys: see ``Features``.
        language_model: Keys: see ``LanguageModel``.
        train: How systems are trained. Keys: see ``Train``.
        decode: The search. Keys: see ``Decode``.
    """

    name: str
    target: str
    languages: dict[str, Language]
    datasets: tuple[Dataset, ...]
    systems: dict[str, System]
    seed: int = 0
    target_minutes: str = "all"
    limits: Limits = field(default_factory=Limits)
    features: Features = field(default_factory=Features)
    language_model: LanguageModel = field(default_factory=LanguageModel)
    train: Train = field(default_factory=Train)
    decode: Decode = field(default_factory=Decode)

    def role(self, role: str) -> list[Dataset]:
        """The data sets that play ``role``, in the recipe's order."""
        return [d for d in self.datasets if d.role == role]

    @property
    def target_language(self) -> Language:
        """The language that is tested."""
        return self.languages[self.target]

    def view(self, *keys: str) -> dict[str, Any]:
        """The sections ``keys`` as JSON types: what a job's settings are made of."""
        return {key: as_plain(getattr(self, key)) for key in keys}

    @property
    def valid_sentences(self) -> list[Dataset]:
        """The validation sets of running speech; all of them where none is."""
        valid = self.role("valid")
        return [dataset for dataset in valid if not dataset.isolated] or valid

    def train_of(self, system: str) -> Train:
        """The training section with what ``system`` changes in it."""
        changes = self.systems[system].train
        if _steps_alone(changes):
            changes = {**changes, "epochs": None}
        where = f"systems.{system}.train"
        return build(Train, merge(dataclasses.asdict(self.train), changes, Train, where), where)

    def languages_of(self, system: str) -> list[str]:
        """The languages that ``system`` is trained on, the target first."""
        chosen = self.systems[system]
        if not chosen.multilingual:
            return [self.target]
        named = chosen.languages or tuple(self.ext_languages)
        return [self.target, *(name for name in self.ext_languages if name in named)]

    def before(self, system: str) -> str | None:
        """The system of this recipe that ``system`` starts from, if it starts from one."""
        start = self.systems[system].start
        return start if start in self.systems else None

    @property
    def ext_languages(self) -> list[str]:
        """The languages trained beside the target, in the recipe's order."""
        return list(dict.fromkeys(d.language for d in self.role("train_ext")))


def read_recipe(path: Path, overrides: Mapping[str, str] | None = None) -> Recipe:
    """Reads a recipe; ``overrides`` maps dotted keys to values as YAML text.

    ``systems`` may be names alone, ``plain,cascade``: those of the recipe's to take. A
    recipe with the key ``like`` is another one, a folder beside its own, one of the
    project's, or a file, with changes: its mappings are merged into the other's, key by
    key, and a key without a value takes that of the other away.

    Raises `UserError` for a file that is not there or cannot be parsed, an unknown key, a
    missing one, a value of the wrong type, and a recipe that contradicts itself.
    """
    raw = _raw(path, ())
    own = path.absolute().parent.name if path.stem == "recipe" else path.stem
    raw["name"] = raw.get("name") or own
    changes = dict(overrides or {})
    chosen = changes.pop("systems") if _NAMES.fullmatch(changes.get("systems", "")) else None
    if "train.steps" in changes:
        changes.setdefault("train.epochs", "null")
    for key, value in changes.items():
        override(raw, key, value)
    try:
        recipe = build(Recipe, raw, "")
        if chosen:
            recipe = _with_systems(recipe, chosen)
        check(recipe)
    except UserError as error:
        raise UserError(f"{path}: {' '.join(str(error).split())}") from None
    return recipe


def _raw(path: Path, before: tuple[Path, ...]) -> dict[str, Any]:
    """A recipe as parsed, after what it is ``like``; ``before`` are those that led to it."""
    raw = _parsed(path)
    like = raw.pop("like", None)
    if like is None:
        return raw
    other = _other(path.absolute().parent, str(like))
    if other.resolve() in (path.resolve(), *before):
        raise UserError(f"{path}: it would be like itself ({like}).")
    base = _raw(other, (path.resolve(), *before))
    base.pop("name", None)
    train = base.get("train")
    if _steps_alone(raw.get("train")) and isinstance(train, dict):
        base["train"] = {key: value for key, value in train.items() if key != "epochs"}
    try:
        return layered(base, raw)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def _steps_alone(train: Any) -> bool:
    """Whether changes of a ``train`` section count steps, and so not what has epochs elsewhere."""
    return isinstance(train, Mapping) and train.get("steps") is not None and "epochs" not in train


def _other(folder: Path, like: str) -> Path:
    """The file of the recipe that one in ``folder`` is ``like``."""
    if like.endswith((".yaml", ".yml", ".json")):
        return folder / like
    beside, own = (recipe_in(place / like) for place in (folder.parent, RECIPES))
    return beside or own or folder.parent / like / "recipe.yaml"


def recipe_in(folder: Path) -> Path | None:
    """The recipe in ``folder``: its ``recipe.yaml``, or else its ``recipe.json``."""
    files = (folder / f"recipe{suffix}" for suffix in (".yaml", ".json"))
    return next((file for file in files if file.is_file()), None)


class _Loader(yaml.SafeLoader):
    """YAML's safe loader, which does not take the last of two equal keys in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                line = key.start_mark.line + 1
                raise ValueError(f"'{key.value}' stands twice in one mapping, again in line {line}")
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """The same for JSON."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for i, (key, _) in enumerate(pairs) if key in dict(pairs[:i]))
        raise ValueError(f"'{twice}' stands twice in one mapping")
    return found


def _parsed(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"There is no recipe at {path}.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"The recipe {path} cannot be read as UTF-8 text: {error}.") from None
    try:
        if path.suffix == ".json":
            raw = json.loads(text, object_pairs_hook=_once)
        else:
            raw = _Loader(text).get_single_data()
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        raise UserError(f"{path} does not parse: {' '.join(str(error).split())}.") from None
    if not isinstance(raw, dict):
        raise UserError(f"{path} must be a mapping of keys to values.")
    return raw


def _with_systems(recipe: Recipe, chosen: str) -> Recipe:
    """The recipe with some of its systems alone, and those that they start from."""
    names = chosen.split(",")
    for name in names:
        if name not in recipe.systems:
            near = nearest(name, list(recipe.systems))
            raise UserError(f"there is no system '{name}'; the nearest known one is '{near}'.")
    for name in names:  # it grows
        before = recipe.before(name)
        names += [before] if before and before not in names else []
    systems = {name: system for name, system in recipe.systems.items() if name in names}
    return dataclasses.replace(recipe, systems=systems)
