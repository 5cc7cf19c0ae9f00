"""Recipes: one YAML (or JSON) file, read once into frozen dataclasses.

Every key that a recipe may have is a field here, with its default. An unknown key fails
and names the nearest known one; so does a value of the wrong type. Values given on the
command line (``--train.epochs 2``) go through the same reader.
"""

import dataclasses
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from cascade.consistency import NAME, check
from cascade.errors import UserError
from cascade.schema import build, layered, merge, nearest, override, within

_NAMES = re.compile(rf"{NAME.pattern}(,{NAME.pattern})*")


@dataclass(frozen=True)
class Language:
    """A language: how its text is written and where its pronunciations come from.

    ``letters`` are those of its words (after lower-casing); ``voice`` is espeak-ng's name
    of the language; ``lexicon`` a file of ``word phone phone ...`` lines that come before
    espeak-ng's; ``fold`` replaces letters in reference and hypothesis when words are
    scored; ``texts`` names modules of ``local/`` with free texts, or text files;
    ``dictionaries`` modules with hunspell dictionaries, ``X.dic`` files beside their
    ``X.aff``, or word lists; ``phone_map`` renames phones (see `cascade.phones`).
    """

    letters: str
    voice: str
    lexicon: str | None = None
    texts: tuple[str, ...] = ()
    dictionaries: tuple[str, ...] = ()
    fold: dict[str, str] = field(default_factory=dict)
    phone_map: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Split:
    """What a hash puts between two per cents, such as ``between: [80, 90]``.

    ``by: speaker`` hashes names of speakers, so that nobody is in two parts, and
    ``by: utterance`` ids. See `cascade.split`.
    """

    between: tuple[float, ...]
    by: str = "speaker"
    seed: int = 0


@dataclass(frozen=True)
class Dataset:
    """A corpus, or a part of one, and the role it plays. ``name`` defaults to the corpus.

    ``part`` is one that the corpus has itself, ``split`` one that is made here.

    ``path`` is the folder of a corpus that the user has. ``channel`` says what is taken of
    recordings with several: a number from 0, or ``mix``, their mean, which is the default.
    """

    role: str
    language: str
    corpus: str
    part: str | None = None
    path: str | None = None
    name: str = ""
    channel: str | None = None
    split: Split | None = None


@dataclass(frozen=True)
class Limits:
    """What stage 0 lets pass. ``max_excluded`` is a share of a data set's utterances."""

    max_excluded: str = "5%"
    min_seconds: float = within(0.2, 0)
    max_seconds: float = within(40.0, 0)

    @property
    def excluded_share(self) -> float:
        """``max_excluded`` as a number between 0 and 1."""
        return float(self.max_excluded.rstrip("%")) / (100 if "%" in self.max_excluded else 1)


@dataclass(frozen=True)
class Features:
    """Log-mel filterbank features; ``stack`` frames of 10 ms make one input of the network.

    ``rate`` is what recordings are resampled to. A Kaldi folder of features without audio
    takes neither that nor ``filters`` into account: its features are used as they are.

    ``cmn: online`` subtracts Kaldi's running mean: of the last ``cmn_window`` frames, filled
    up with at most ``cmn_global`` frames of the cms-init vector. ``cmn: utterance``
    subtracts the mean of the whole utterance.
    """

    rate: int = within(16000, 4000)
    filters: int = within(40, 2, 512)
    stack: int = within(3, 1, 16)
    cmn: str = "online"
    cmn_window: int = within(600, 1)
    cmn_global: int = within(200, 0)


@dataclass(frozen=True)
class LanguageModel:
    """The word n-gram: ``prune`` is the entropy-pruning threshold, 0 for none.

    ``words``, where given, is how many words to decode to at most: those of transcripts
    and texts always, then the dictionaries' likeliest forms. ``phone_order`` is the order
    of the n-gram over the phones of the same sentences.
    """

    order: int = within(3, 1, 5)
    phone_order: int = within(4, 1, 6)
    prune: float = within(0.0, 0)
    words: int | None = within(None, 1)


@dataclass(frozen=True)
class Augment:
    """Random changes of the training features, the same for every language.

    ``stretch``: the time axis by a factor of 1 +- this; ``warp``: the filter axis, up or
    down by up to this many filters; ``channel``: another microphone, a smooth random curve
    of this size in nats added to every frame; ``time_masks`` masks of up to ``time_width`` stacked
    frames and ``filter_masks`` of up to ``filter_width`` filters (SpecAugment,
    arXiv:1904.08779). All of it grows from nothing over the first ``ramp`` of the steps:
    CTC finds its first alignments far sooner in whole speech.
    """

    stretch: float = within(0.1, 0, 0.5)
    warp: float = within(1.0, 0, 8)
    channel: float = within(1.0, 0, 10)
    time_masks: int = within(2, 0)
    time_width: int = within(10, 0)
    filter_masks: int = within(2, 0)
    filter_width: int = within(8, 0)
    ramp: float = within(0.3, 0, 1)


@dataclass(frozen=True)
class Train:
    """How a system is trained. ``epochs``, where given, takes the place of ``steps``.

    A step takes ``batch_seconds`` of speech from each language, or what ``seconds`` says of
    one. ``weights`` multiplies a language's loss (1 where it is not named). ``active`` is
    the part of the steps in which a language takes part, `[0, 1]` where it is not named:
    `{en: [0, 0.8]}` leaves the last fifth to the others.
    """

    steps: int = within(4000, 1)
    epochs: int | None = within(None, 1)
    batch_seconds: float = within(40.0, 0.1)
    learning_rate: float = within(0.003, 1e-9, 10)
    warmup: float = within(0.1, 0, 1)
    weight_decay: float = within(0.0, 0)
    dropout: float = within(0.3, 0, 0.95)
    clip: float = within(5.0, 1e-9)
    seconds: dict[str, float] = field(default_factory=dict)
    weights: dict[str, float] = field(default_factory=dict)
    active: dict[str, tuple[float, ...]] = field(default_factory=dict)
    valid_every: int = within(200, 1)
    checkpoint_every: str = "60s"
    augment: Augment = field(default_factory=Augment)

    @property
    def checkpoint_seconds(self) -> float:
        """``checkpoint_every`` in seconds."""
        return float(self.checkpoint_every.removesuffix("s"))


@dataclass(frozen=True)
class System:
    """A network to train. ``layers`` is ``[4]``, or ``[lower, upper]`` for a cascade.

    A cascade is trained on all languages at once, or on the target and those that
    ``languages`` names; they ``share`` the ``upper`` layers, the ``lower`` ones, or
    ``all``. Any other network is trained on the target alone. ``start`` is another system
    of the recipe, or the folder of a model: what this one has in common with it begins as
    it is there, and what ``freeze`` names of it (``norm``, ``layer1``, ..., ``output``)
    stays so. ``train`` holds what differs from the recipe's ``train`` for this system alone.
    """

    cascade: bool
    layers: tuple[int, ...]
    neurons: int = within(100, 1)
    share: str = "upper"
    languages: tuple[str, ...] = ()
    start: str | None = None
    freeze: tuple[str, ...] = ()
    train: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Decode:
    """Word search: ``acoustic_scale`` multiplies the network's log-probabilities.

    ``blank_penalty`` is taken from the blank's log-probability before the search, which
    keeps the peaky blank of a CTC network from deleting words; ``word_penalty`` is the
    cost of every word, which keeps short words from filling the gaps. With ``tune``, the
    three are where the search for better ones begins, made on valid for each system.
    ``nbest`` is the number of hypotheses that are written; 0 also leaves out the words'
    times and confidences.
    """

    beam: float = within(12.0, 0.1)
    max_active: int = within(3000, 1)
    tune: bool = True
    acoustic_scale: float = within(0.7, 0.001)
    blank_penalty: float = within(2.0, -20, 20)
    word_penalty: float = within(0.0, -20, 20)
    nbest: int = within(10, 0, 1000)


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
        return build(Train, merge(dataclasses.asdict(self.train), changes, Train, where), where)

    def languages_of(self, system: str) -> list[str]:
        """The languages that ``system`` is trained on, the target first."""
        chosen = self.systems[system]
        if not chosen.cascade:
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
    recipe with the key ``like`` is another one, a folder beside its own or a file, with
    changes: its mappings are merged into the other's, key by key, and a key without a
    value takes that of the other away.

    Raises `UserError` for a file that is not there or cannot be parsed, an unknown key, a
    missing one, a value of the wrong type, and a recipe that contradicts itself.
    """
    raw = _raw(path, ())
    raw["name"] = raw.get("name") or path.absolute().parent.name
    changes = dict(overrides or {})
    chosen = changes.pop("systems") if _NAMES.fullmatch(changes.get("systems", "")) else None
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
    other = path.absolute().parent.parent / str(like) / "recipe.yaml"
    if str(like).endswith((".yaml", ".yml", ".json")):
        other = path.absolute().parent / str(like)
    if other.resolve() in (path.resolve(), *before):
        raise UserError(f"{path}: it would be like itself ({like}).")
    base = _raw(other, (path.resolve(), *before))
    base.pop("name", None)
    return layered(base, raw)


def _parsed(path: Path) -> dict[str, Any]:
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
