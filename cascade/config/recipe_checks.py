"""What the types of a recipe cannot say: names, references, and keys that belong together."""

import re
from typing import TYPE_CHECKING

from cascade.config.schema import nearest
from cascade.runtime.errors import UserError

if TYPE_CHECKING:
    from cascade.config.recipe import Recipe

ROLES = ("train", "train_ext", "valid", "test")
SHARES = ("upper", "lower", "all")  # what the languages of a cascade have in common
PRECISIONS = ("float32", "bfloat16")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def check(recipe: "Recipe") -> None:
    """Raises `UserError` for a recipe that contradicts itself."""
    for name in (recipe.name, *recipe.systems, *recipe.languages):
        if not NAME.fullmatch(name) or name == "shared":
            raise UserError(f"'{name}' is no good name: use letters, digits, '_' and '-'.")
    for name, language in recipe.languages.items():
        if any(len(letter) != 1 for letter in language.fold):
            raise UserError(f"languages.{name}.fold must map single letters to others.")
    if recipe.target not in recipe.languages:
        raise UserError(f"the target '{recipe.target}' is not among the languages.")
    seen = set()
    for d in recipe.datasets:
        if d.role not in ROLES:
            raise UserError(f"unknown role '{d.role}'; the nearest is '{nearest(d.role, ROLES)}'.")
        if d.language not in recipe.languages:
            near = nearest(d.language, list(recipe.languages))
            raise UserError(f"unknown language '{d.language}'; the nearest known one is '{near}'.")
        if d.role != "train_ext" and d.language != recipe.target:
            raise UserError(f"role '{d.role}' takes the target language, not '{d.language}'.")
        if d.role == "train_ext" and d.language == recipe.target:
            raise UserError("role 'train_ext' takes other languages than the target.")
        if not NAME.fullmatch(d.name or d.corpus):
            raise UserError(f"'{d.name or d.corpus}' is no good name for a data set.")
        if d.isolated and d.role != "valid":
            raise UserError(f"'isolated' is for data sets of role 'valid', not '{d.role}'.")
        if not re.fullmatch(r"[0-9]{1,2}|mix", d.channel or "mix"):
            raise UserError(f"channel must be a number from 0, or 'mix', not '{d.channel}'.")
        if d.split and d.split.by not in ("speaker", "utterance"):
            raise UserError(f"split.by must be 'speaker' or 'utterance', not '{d.split.by}'.")
        span = d.split.between if d.split else (0, 100)
        if len(span) != 2 or not 0 <= span[0] < span[1] <= 100:
            raise UserError("split.between must be two per cents, such as [80, 90].")
        if (d.role, d.language, d.name or d.corpus) in seen:
            raise UserError(f"two data sets of role '{d.role}' are named '{d.name or d.corpus}'.")
        seen.add((d.role, d.language, d.name or d.corpus))
    if recipe.language_model.open and set("+|") & set(recipe.target_language.letters):
        raise UserError("language_model.open: '+' and '|' mark pieces and can be no letters.")
    for role in ("train", "valid", "test"):
        if not recipe.role(role):
            raise UserError(f"no data set has the role '{role}'.")
    if not recipe.systems:
        raise UserError("'systems' names no network to train.")
    for name in recipe.systems:
        _check_system(recipe, name)
    if recipe.features.cmn not in ("online", "utterance"):
        raise UserError("features.cmn must be 'online' or 'utterance'.")
    if not re.fullmatch(r"all|[0-9]+(\.[0-9]+)?", recipe.target_minutes):
        raise UserError("target_minutes must be a number of minutes, or 'all'.")
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?%?", recipe.limits.max_excluded) or not (
        0 <= recipe.limits.excluded_share <= 1
    ):
        raise UserError("limits.max_excluded must be a share such as 5% or 0.05.")


def _check_system(recipe: "Recipe", name: str) -> None:
    system, where = recipe.systems[name], f"systems.{name}"
    if name in ("feats", "lang", "manifests", "search", "sweep"):
        raise UserError(f"{where}: the experiment has another folder of that name.")
    if system.share not in SHARES:
        raise UserError(f"{where}: 'share' must be one of {', '.join(SHARES)}.")
    if system.cascade != system.multilingual:
        languages = "several languages" if system.multilingual else "the target only"
        raise UserError(
            f"{where}: 'cascade: {str(system.cascade).lower()}' contradicts 'layers', 'share' and"
            f" 'languages', which train it on {languages}. Leave 'cascade' out: two numbers in"
            " 'layers', such as [2, 2], or 'share: all' mean several languages."
        )
    apart = system.multilingual and system.share != "all"
    least = 0 if apart and system.share == "lower" else 1  # outputs alone may be apart
    if len(system.layers) != 1 + apart or system.layers[0] < 1 or system.layers[-1] < least:
        want = "[lower, upper]" if apart else "[number]"
        none = "" if least else ", or no upper one"
        raise UserError(f"{where}: 'layers' must be {want}, each at least 1{none}.")
    if system.multilingual and not recipe.ext_languages:
        raise UserError(
            f"{where} is trained on several languages, but no data set has role 'train_ext'."
        )
    settings = recipe.train_of(name)
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?s?", settings.checkpoint_every):
        raise UserError("train.checkpoint_every must be a time such as 60s.")
    if settings.precision not in PRECISIONS:
        raise UserError(f"train.precision must be one of {', '.join(PRECISIONS)}.")
    for key in ("weights", "seconds", "active"):
        for language in getattr(settings, key):
            if language not in recipe.languages:
                raise UserError(f"train.{key}: there is no language '{language}'.")
    for language, span in settings.active.items():
        if len(span) != 2 or not 0 <= span[0] < span[1] <= 1:
            raise UserError(f"train.active: '{language}' must be two numbers, such as [0, 0.8].")
    spans = [settings.active.get(language, (0, 1)) for language in recipe.languages_of(name)]
    for begin in {end for _, end in spans} - {1} | {0}:
        if not any(first <= begin < last for first, last in spans):
            raise UserError(f"{where}: from {begin} of the steps on no language is active.")
    for language, seconds in settings.seconds.items():
        if not seconds >= 0.1:
            raise UserError(f"train.seconds: '{language}' must be at least 0.1.")
    for language in system.languages:
        if language not in recipe.ext_languages:
            raise UserError(f"{where}: no data set of role 'train_ext' is of '{language}'.")
    _check_start(recipe, name)


def _check_start(recipe: "Recipe", name: str) -> None:
    system, where = recipe.systems[name], f"systems.{name}"
    places = ["norm", *(f"layer{i + 1}" for i in range(sum(system.layers))), "output"]
    for place in system.freeze:
        if place not in places:
            raise UserError(f"{where}: 'freeze' takes {', '.join(places)}, not '{place}'.")
    if set(system.freeze) == set(places):
        raise UserError(f"{where}: 'freeze' leaves nothing to train.")
    if system.freeze and not system.start:
        raise UserError(f"{where}: 'freeze' is for a system with a 'start'.")
    chain = [name]
    while (before := recipe.before(chain[-1])) is not None:
        if before in chain:
            raise UserError(f"{where}: it would start from itself ({' <- '.join(chain)}).")
        chain.append(before)
    if len(chain) == 1 and system.start and "/" not in system.start:
        near = nearest(system.start, list(recipe.systems))
        raise UserError(
            f"{where}: 'start' is no system ('{near}' is the nearest); a folder has a '/'."
        )
