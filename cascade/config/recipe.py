"""Recipes: a YAML or JSON file, read once into frozen dataclasses.

Every key that a recipe may have is a field here, in `cascade.config.sections` or in
`cascade.config.systems`, with its default.
An unknown key is an error that names the nearest known one. A value of the wrong type is an error,
too. Values of the command line (``--train.epochs 2``) are checked in the same way.
"""

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cascade.config.names_on_disk import with_names_on_disk
from cascade.config.recipe_checks import NAME, check
from cascade.config.recipe_file import parsed
from cascade.config.schema import as_plain, build, closest, layered, merge, override
from cascade.config.sections import (
    Dataset,
    Decode,
    Evaluation,
    Features,
    Language,
    LanguageModel,
    Limits,
)
from cascade.config.systems import Adapt, Augment, System, Train
from cascade.runtime.errors import UserError
from cascade.runtime.file_names import on_disk
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
        encoder: The kind of the layers of all systems that do not name one: ``lstm``, ``blstm``
            or ``conformer``.
        seed: Decides first weights, the order of the speech, its augmentation, and which part of
            it ``target_minutes`` takes.
        target_minutes: How many minutes of the target's training speech are used, or ``all``.
        store_features: Whether stage 2 stores the features of the training speech. ``false``: they
            are computed again for each batch, which ``train.workers`` do ahead of the step. For
            corpora whose features no disk has room for. Changes no result. Those of ``valid`` and
            ``test`` sets are always stored.
        limits: What stage 0 accepts. Keys: see ``Limits``.
        features: Keys: see ``Features``.
        language_model: Keys: see ``LanguageModel``.
        train: How systems are trained. Keys: see ``Train``.
        decode: The search. Keys: see ``Decode``.
        adapt: How networks adapt to the speakers of a test set. Keys: see ``Adapt``.
    """

    name: str
    target: str
    languages: dict[str, Language]
    datasets: tuple[Dataset, ...]
    systems: dict[str, System]
    encoder: str = "lstm"
    seed: int = 0
    target_minutes: str = "all"
    store_features: bool = True
    limits: Limits = field(default_factory=Limits)
    features: Features = field(default_factory=Features)
    language_model: LanguageModel = field(default_factory=LanguageModel)
    train: Train = field(default_factory=Train)
    decode: Decode = field(default_factory=Decode)
    adapt: Adapt = field(default_factory=Adapt)

    def role(self, role: str) -> list[Dataset]:
        """Return the data sets of ``role``, in the recipe's order."""
        return [d for d in self.datasets if d.role == role]

    @property
    def tests(self) -> list[Evaluation]:
        """The tests, in the recipe's order: sets with ``adapt`` make two, in one pass first."""
        passes = {None: (False,), "speaker": (False, True)}
        return [Evaluation(d, adapted) for d in self.role("test") for adapted in passes[d.adapt]]

    @property
    def target_language(self) -> Language:
        """The language to recognise."""
        return self.languages[self.target]

    def view(self, *keys: str) -> dict[str, Any]:
        """Return sections as JSON types, for a job's settings."""
        return {key: as_plain(getattr(self, key)) for key in keys}

    def stores_features(self, dataset: Dataset) -> bool:
        """Return whether the features of a data set are stored."""
        return self.store_features or dataset.role in ("valid", "test")

    @property
    def valid_sentences(self) -> list[Dataset]:
        """The validation sets of running speech, or all of them if none is."""
        valid = self.role("valid")
        return [dataset for dataset in valid if not dataset.isolated] or valid

    def train_of(self, system: str) -> Train:
        """Return the section ``train`` with the changes of ``system``."""
        changes = self.systems[system].train
        if _only_steps(changes):
            changes = {**changes, "epochs": None}
        where = f"systems.{system}.train"
        return build(Train, merge(dataclasses.asdict(self.train), changes, Train, where), where)

    def encoder_of(self, system: str) -> str:
        """Return the kind of the layers of ``system``."""
        return self.systems[system].encoder or self.encoder

    def augment_of(self, system: str, stream: str) -> Augment:
        """Return the augmentation of a stream: ``augment`` with the changes of ``augment_of``."""
        settings = self.train_of(system)
        where = f"systems.{system}.train.augment_of.{stream}"
        changes = settings.augment_of.get(stream, {})
        return build(
            Augment, merge(dataclasses.asdict(settings.augment), changes, Augment, where), where
        )

    def streams_of(self, system: str) -> dict[str, str]:
        """Return the streams that ``system`` is trained on, with their languages.

        The first is the target's own, which has the target's name.
        """
        settings = self.systems[system]
        others = self.ext_streams | (self.untranscribed_streams if settings.teacher else {})
        streams = {self.target: self.target}
        if settings.multilingual:
            chosen = settings.languages or tuple(others)
            streams |= {name: lang for name, lang in others.items() if name in chosen}
        return streams

    def speech_of(self, system: str) -> dict[str, list[Dataset]]:
        """Return the data sets that ``system`` is trained on, by stream."""
        speech = {name: self.stream(name) for name in self.streams_of(system)}
        for name in self.systems[system].pool:
            speech[self.target] = [*speech[self.target], *self.stream(name)]
        return speech

    def transcribed_for(self, system: str) -> list[Dataset]:
        """Return the data sets that the teacher of ``system`` transcribes for it."""
        return [d for sets in self.speech_of(system).values() for d in sets if not d.transcribed]

    @property
    def teachers(self) -> list[str]:
        """The systems that are a teacher of others, in the recipe's order."""
        named = [system.teacher for system in self.systems.values()]
        return [name for name in self.systems if name in named]

    def before(self, system: str) -> str | None:
        """Return the system of this recipe that ``system`` starts from, if there is one."""
        start = self.systems[system].start
        return start if start in self.systems else None

    def needs(self, system: str) -> list[str]:
        """Return the systems of this recipe that must be trained before ``system``."""
        named = (self.before(system), self.systems[system].teacher)
        return [name for name in self.systems if name in named]

    @property
    def ext_streams(self) -> dict[str, str]:
        """The streams of role ``train_ext`` with their languages, in the recipe's order."""
        return {d.stream_name: d.language for d in self.role("train_ext")}

    @property
    def untranscribed_streams(self) -> dict[str, str]:
        """The streams of role ``train_untranscribed`` with the target, their language."""
        return {d.stream_name: d.language for d in self.role("train_untranscribed")}

    @property
    def ext_languages(self) -> list[str]:
        """The other languages of role ``train_ext``, in the recipe's order."""
        return [name for name in dict.fromkeys(self.ext_streams.values()) if name != self.target]

    def stream(self, name: str) -> list[Dataset]:
        """Return the data sets of a stream; the target's own are those of role ``train``."""
        if name == self.target:
            return self.role("train")
        others = (*self.role("train_ext"), *self.role("train_untranscribed"))
        return [d for d in others if d.stream_name == name]


def read_recipe(path: Path, overrides: Mapping[str, str] | None = None) -> Recipe:
    """Read a recipe; ``overrides`` maps dotted keys to values as YAML text.

    The key ``like`` names another recipe, which this one changes: its folder (beside this one's
    or in ``recipes/``) or its file. Mappings are merged key by key. A key without a value
    removes that of the other recipe. The override ``systems`` may be names, ``plain,cascade``:
    only these systems, their teachers, and those that they start from, are kept.

    Raises `UserError` for a file that does not exist or cannot be parsed, an unknown or missing
    key, a value of the wrong type, and a recipe that contradicts itself.
    """
    raw = _raw(path, ())
    default = path.absolute().parent.name if path.stem == "recipe" else path.stem
    raw["name"] = raw.get("name") or default
    changes = dict(overrides or {})
    names = changes.pop("systems") if _NAMES.fullmatch(changes.get("systems", "")) else None
    if "train.steps" in changes:
        changes.setdefault("train.epochs", "null")
    for key, value in changes.items():
        override(raw, key, value)
    try:
        recipe = with_names_on_disk(build(Recipe, raw, ""))
        if names:
            recipe = _with_systems(recipe, names.split(","))
        check(recipe)
    except UserError as error:
        raise UserError(f"{path}: {' '.join(str(error).split())}") from None
    return recipe


def _raw(path: Path, chain: tuple[Path, ...]) -> dict[str, Any]:
    """Return a recipe as parsed, with what it is ``like``; ``chain`` has the recipes like it."""
    raw = parsed(path)
    like = raw.pop("like", None)
    if like is None:
        return raw
    other = _other(path.absolute().parent, str(like))
    if other.resolve() in (path.resolve(), *chain):
        raise UserError(f"{path}: 'like: {like}' leads back to this recipe.")
    base = _raw(other, (path.resolve(), *chain))
    base.pop("name", None)
    train = base.get("train")
    if _only_steps(raw.get("train")) and isinstance(train, dict):
        base["train"] = {key: value for key, value in train.items() if key != "epochs"}
    try:
        return layered(base, raw)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def _only_steps(train: Any) -> bool:
    """Return whether changes of ``train`` set steps but not epochs, so that steps count."""
    return isinstance(train, Mapping) and train.get("steps") is not None and "epochs" not in train


def _other(folder: Path, like: str) -> Path:
    """Return the file of the recipe that one in ``folder`` is ``like``."""
    if like.endswith((".yaml", ".yml", ".json")):
        return on_disk(folder / like)
    beside, shipped = (recipe_in(place / like) for place in (folder.parent, RECIPES))
    return beside or shipped or folder.parent / like / "recipe.yaml"


def like(path: Path) -> Path | None:
    """Return the file of the recipe that the one at ``path`` is like; None if it is like none."""
    name = parsed(path).get("like")
    return None if name is None else _other(path.absolute().parent, str(name))


def recipe_in(folder: Path) -> Path | None:
    """Return the recipe in ``folder``: ``recipe.yaml``, else ``recipe.json``, else None."""
    files = (folder / f"recipe{suffix}" for suffix in (".yaml", ".json"))
    return next((file for file in files if file.is_file()), None)


def _with_systems(recipe: Recipe, names: list[str]) -> Recipe:
    """Return the recipe with only the systems ``names``, and all that these need."""
    for name in names:
        if name not in recipe.systems:
            near = closest(name, list(recipe.systems))
            raise UserError(f"unknown system '{name}'; the nearest known one is '{near}'.")
    for name in names:  # the list grows meanwhile
        names += [needed for needed in recipe.needs(name) if needed not in names]
    systems = {name: system for name, system in recipe.systems.items() if name in names}
    return dataclasses.replace(recipe, systems=systems)
