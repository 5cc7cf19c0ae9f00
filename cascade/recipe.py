"""Recipes: one YAML (or JSON) file, read once into frozen dataclasses.

Every key that a recipe may have is a field here, with its default. An unknown key fails
and names the nearest known one; so does a value of the wrong type. Values given on the
command line (``--train.epochs 2``) go through the same reader.
"""

import dataclasses
import difflib
import json
import re
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from cascade.errors import UserError

ROLES = ("train", "train_ext", "valid", "test")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


@dataclass(frozen=True)
class Language:
    """A language: how its text is written and where its pronunciations come from.

    ``letters`` are those of its words (after lower-casing); ``voice`` is espeak-ng's name
    of the language; ``lexicon`` a file of ``word phone phone ...`` lines that come before
    espeak-ng's; ``fold`` replaces letters in reference and hypothesis when words are
    scored; ``texts`` names modules of ``local/`` with free texts, or text files;
    ``phone_map`` renames phones (see `cascade.phones`).
    """

    letters: str
    voice: str
    lexicon: str | None = None
    texts: tuple[str, ...] = ()
    fold: dict[str, str] = field(default_factory=dict)
    phone_map: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Dataset:
    """A corpus, or a part of one, and the role it plays. ``name`` defaults to the corpus."""

    role: str
    language: str
    corpus: str
    part: str | None = None
    path: str | None = None
    name: str = ""


@dataclass(frozen=True)
class Limits:
    """What stage 0 lets pass. ``max_excluded`` is a share of a data set's utterances."""

    max_excluded: str = "5%"
    min_seconds: float = 0.2
    max_seconds: float = 40.0

    @property
    def excluded_share(self) -> float:
        """``max_excluded`` as a number between 0 and 1."""
        return float(self.max_excluded.rstrip("%")) / (100 if "%" in self.max_excluded else 1)


@dataclass(frozen=True)
class Features:
    """Log-mel filterbank features; ``stack`` frames of 10 ms make one input of the network.

    ``cmn: online`` subtracts Kaldi's running mean: of the last ``cmn_window`` frames, filled
    up with at most ``cmn_global`` frames of the cms-init vector. ``cmn: utterance``
    subtracts the mean of the whole utterance.
    """

    rate: int = 16000
    filters: int = 40
    stack: int = 3
    cmn: str = "online"
    cmn_window: int = 600
    cmn_global: int = 200


@dataclass(frozen=True)
class LanguageModel:
    """The word n-gram: ``prune`` is the entropy-pruning threshold, 0 for none."""

    order: int = 3
    prune: float = 0.0


@dataclass(frozen=True)
class Augment:
    """Random changes of the training features, the same for every language.

    ``stretch``: the time axis by a factor of 1 +- this; ``warp``: the filter axis by up to
    this many filters; ``time_masks`` masks of up to ``time_width`` stacked frames and
    ``filter_masks`` of up to ``filter_width`` filters (SpecAugment, arXiv:1904.08779). All
    of it grows from nothing over the first ``ramp`` of the steps: CTC finds its first
    alignments far sooner in whole speech.
    """

    stretch: float = 0.1
    warp: float = 2.0
    time_masks: int = 2
    time_width: int = 10
    filter_masks: int = 2
    filter_width: int = 8
    ramp: float = 0.3


@dataclass(frozen=True)
class Train:
    """How a system is trained. ``epochs``, where given, takes the place of ``steps``.

    A step takes ``batch_seconds`` of speech from each language. ``weights`` multiplies a
    language's loss (1 where it is not named).
    """

    steps: int = 4000
    epochs: int | None = None
    batch_seconds: float = 40.0
    learning_rate: float = 0.003
    warmup: float = 0.1
    weight_decay: float = 0.0
    dropout: float = 0.3
    clip: float = 5.0
    weights: dict[str, float] = field(default_factory=dict)
    valid_every: int = 200
    checkpoint_every: str = "60s"
    augment: Augment = field(default_factory=Augment)

    @property
    def checkpoint_seconds(self) -> float:
        """``checkpoint_every`` in seconds."""
        return float(self.checkpoint_every.removesuffix("s"))


@dataclass(frozen=True)
class System:
    """A network to train. ``layers`` is ``[4]``, or ``[lower, shared]`` for a cascade.

    ``train`` holds what differs from the recipe's ``train`` for this system alone.
    """

    cascade: bool
    layers: tuple[int, ...]
    neurons: int = 100
    train: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Decode:
    """Word search: ``acoustic_scale`` multiplies the network's log-probabilities.

    ``blank_penalty`` is taken from the blank's log-probability before the search, which
    keeps the peaky blank of a CTC network from deleting words.
    """

    beam: float = 12.0
    max_active: int = 3000
    acoustic_scale: float = 0.7
    blank_penalty: float = 2.0


@dataclass(frozen=True)
class Recipe:
    """A whole recipe; see the field types for its sections."""

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

    def train_of(self, system: str) -> Train:
        """The training section with what ``system`` changes in it."""
        changes = self.systems[system].train
        where = f"systems.{system}.train"
        return _build(Train, _merge(dataclasses.asdict(self.train), changes, Train, where), where)

    @property
    def ext_languages(self) -> list[str]:
        """The languages trained beside the target, in the recipe's order."""
        return list(dict.fromkeys(d.language for d in self.role("train_ext")))


def read_recipe(path: Path, overrides: Mapping[str, str] | None = None) -> Recipe:
    """Reads a recipe; ``overrides`` maps dotted keys to values as YAML text.

    Raises `UserError` for a file that is not there or cannot be parsed, an unknown key, a
    missing one, a value of the wrong type, and a recipe that contradicts itself.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"There is no recipe at {path}.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"The recipe {path} cannot be read as UTF-8 text: {error}.") from None
    try:
        raw = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        raise UserError(f"{path} does not parse: {' '.join(str(error).split())}.") from None
    if not isinstance(raw, dict):
        raise UserError(f"{path} must be a mapping of keys to values.")
    raw.setdefault("name", path.absolute().parent.name)
    for key, value in (overrides or {}).items():
        _override(raw, key, value)
    try:
        recipe = _build(Recipe, raw, "")
        _check(recipe)
    except UserError as error:
        raise UserError(f"{path}: {' '.join(str(error).split())}") from None
    return recipe


def as_plain(value: Any) -> Any:
    """A recipe, or a part of one, as JSON types: what stamps compare."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: as_plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(k): as_plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_plain(v) for v in value]
    return value


def _override(raw: dict, key: str, value: str) -> None:
    """Sets ``a.b.c`` in nested mappings; the reader checks the result."""
    try:
        parsed = yaml.safe_load(value)
    except (ValueError, yaml.YAMLError, RecursionError):
        raise UserError(f"--{key}: {value!r} does not parse as a value.") from None
    *parents, last = key.split(".")
    node = raw
    for parent in parents:
        child = node.setdefault(parent, {})
        if not isinstance(child, dict):
            raise UserError(f"--{key}: '{parent}' is not a section of the recipe.")
        node = child
    node[last] = parsed


def _nearest(key: str, known: Sequence[str]) -> str:
    match = difflib.get_close_matches(str(key), known, n=1, cutoff=0.0)
    return match[0] if match else "none"


def _build(kind: Any, raw: Any, where: str) -> Any:
    """Makes ``kind`` (a dataclass or a field's type) from parsed YAML."""
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if dataclasses.is_dataclass(kind):
        return _build_section(kind, raw, where)
    if origin in (types.UnionType, typing.Union):
        return None if raw is None else _build(args[0], raw, where)
    if origin is tuple:
        if not isinstance(raw, (list, tuple)):
            raise UserError(f"'{where}' must be a list.")
        return tuple(_build(args[0], item, f"{where}[{i}]") for i, item in enumerate(raw))
    if origin is dict:
        if not isinstance(raw, dict):
            raise UserError(f"'{where}' must be a mapping.")
        for key in raw:
            if key is None or isinstance(key, bool):  # `no` is a language and a truth value
                raise UserError(f"'{where}' has the key {key}: put it in quotes.")
        return {str(k): _build(args[1], v, f"{where}.{k}") for k, v in raw.items()}
    if kind is Any:
        return raw
    return _build_scalar(kind, raw, where)


def _build_scalar(kind: type, raw: Any, where: str) -> Any:
    if kind is str and isinstance(raw, (str, int, float)) and not isinstance(raw, bool):
        return str(raw)  # target_minutes: 15 and `all` are both right
    if kind is float and isinstance(raw, int) and abs(raw) < 1e300 and not isinstance(raw, bool):
        return float(raw)
    if kind is float and isinstance(raw, str) and re.fullmatch(r"\d+(\.\d*)?e-?\d+", raw):
        return float(raw)  # YAML 1.1 takes 1e-3 for a string
    if isinstance(raw, kind) and (kind is bool or not isinstance(raw, bool)):
        return raw
    raise UserError(f"'{where}' must be of type {kind.__name__}, not {raw!r}.")


def _build_section(kind: type, raw: Any, where: str) -> Any:
    at = f" in '{where}'" if where else ""
    if not isinstance(raw, dict):
        raise UserError(f"'{where}' must be a mapping of keys to values, not {raw!r}.")
    hints = typing.get_type_hints(kind)
    for key in raw:
        if key not in hints:
            near = _nearest(key, list(hints))
            raise UserError(f"unknown key '{key}'{at}; the nearest known one is '{near}'.")
    values = {}
    for f in dataclasses.fields(kind):
        inner = f"{where}.{f.name}" if where else f.name
        if f.name in raw:
            values[f.name] = _build(hints[f.name], raw[f.name], inner)
        elif f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING:
            raise UserError(f"the key '{inner}' is missing.")
    return kind(**values)


def _merge(base: dict, changes: Mapping, kind: type, where: str) -> dict:
    """``base`` with ``changes`` over it, section by section."""
    _build_section(kind, dict(changes), where)  # for the error messages
    merged = dict(base)
    for key, value in changes.items():
        nested = isinstance(value, dict) and key != "weights"
        merged[key] = {**base[key], **value} if nested else value
    return merged


def _check(recipe: Recipe) -> None:
    """What the types cannot say."""
    for name in (recipe.name, *recipe.systems, *recipe.languages):
        if not NAME.fullmatch(name):
            raise UserError(f"'{name}' is no good name: use letters, digits, '_' and '-'.")
    if recipe.target not in recipe.languages:
        raise UserError(f"the target '{recipe.target}' is not among the languages.")
    seen = set()
    for d in recipe.datasets:
        if d.role not in ROLES:
            raise UserError(f"unknown role '{d.role}'; the nearest is '{_nearest(d.role, ROLES)}'.")
        if d.language not in recipe.languages:
            near = _nearest(d.language, list(recipe.languages))
            raise UserError(f"unknown language '{d.language}'; the nearest known one is '{near}'.")
        if d.role != "train_ext" and d.language != recipe.target:
            raise UserError(f"role '{d.role}' takes the target language, not '{d.language}'.")
        if d.role == "train_ext" and d.language == recipe.target:
            raise UserError("role 'train_ext' takes other languages than the target.")
        if not NAME.fullmatch(d.name or d.corpus):
            raise UserError(f"'{d.name or d.corpus}' is no good name for a data set.")
        if (d.role, d.language, d.name or d.corpus) in seen:
            raise UserError(f"two data sets of role '{d.role}' are named '{d.name or d.corpus}'.")
        seen.add((d.role, d.language, d.name or d.corpus))
    for role in ("train", "valid", "test"):
        if not recipe.role(role):
            raise UserError(f"no data set has the role '{role}'.")
    if not recipe.systems:
        raise UserError("'systems' names no network to train.")
    for name, system in recipe.systems.items():
        if name in ("feats", "lang", "manifests"):
            raise UserError(f"systems.{name}: the experiment has another folder of that name.")
        if len(system.layers) != (2 if system.cascade else 1) or min(system.layers) < 1:
            want = "[lower, shared]" if system.cascade else "[number]"
            raise UserError(f"systems.{name}: 'layers' must be {want}, each at least 1.")
        if system.cascade and not recipe.ext_languages:
            raise UserError(f"systems.{name} is a cascade, but no data set has role 'train_ext'.")
        recipe.train_of(name)
    if recipe.features.cmn not in ("online", "utterance"):
        raise UserError("features.cmn must be 'online' or 'utterance'.")
    if not re.fullmatch(r"all|[0-9]+(\.[0-9]+)?", recipe.target_minutes):
        raise UserError("target_minutes must be a number of minutes, or 'all'.")
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?%?", recipe.limits.max_excluded):
        raise UserError("limits.max_excluded must be a share such as 5%.")
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?s?", recipe.train.checkpoint_every):
        raise UserError("train.checkpoint_every must be a time such as 60s.")
