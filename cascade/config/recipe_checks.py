"""Checks of a recipe beyond types: names, references, and keys that must fit each other."""

import math
import re
from typing import TYPE_CHECKING

from cascade.config.schema import closest
from cascade.config.sections import HINTS
from cascade.config.systems import AUTO
from cascade.runtime.errors import UserError

if TYPE_CHECKING:
    from cascade.config.recipe import Recipe
    from cascade.config.sections import Dataset

ROLES = ("train", "train_ext", "train_untranscribed", "valid", "test")
STREAMED = ("train_ext", "train_untranscribed")  # roles of data sets that belong to a stream
SHARES = ("upper", "lower", "all")  # which layers the languages share
ENCODERS = ("lstm", "blstm", "conformer")  # kinds of layers
SPLITS = ("speaker", "utterance", "sentence")
VOICES = ("own", "borrowed")  # of synthetic speech
PRECISIONS = ("float32", "bfloat16", "tf32")
LOSSES = ("auto", "exact", "pytorch")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def check(recipe: "Recipe") -> None:
    """Raise `UserError` for a recipe that contradicts itself."""
    for name in (recipe.name, *recipe.systems, *recipe.languages):
        if not NAME.fullmatch(name) or name == "shared":
            raise UserError(f"'{name}' is not a valid name: use letters, digits, '_' and '-'.")
    for name, language in recipe.languages.items():
        if any(len(letter) != 1 for letter in language.fold):
            raise UserError(f"languages.{name}.fold must map single letters to others.")
        for hint in language.hints:
            if hint not in HINTS:
                near = closest(hint, HINTS)
                raise UserError(
                    f"languages.{name}.hints: unknown hint '{hint}'; the nearest known one is"
                    f" '{near}'."
                )
    if recipe.target not in recipe.languages:
        raise UserError(f"the target '{recipe.target}' is not among the languages.")
    _check_datasets(recipe)
    if recipe.language_model.open and set("+|") & set(recipe.target_language.letters):
        raise UserError(
            "language_model.open: '+' and '|' mark pieces of words, so they cannot be letters."
        )
    if not recipe.systems:
        raise UserError("'systems' names no network to train.")
    if recipe.encoder not in ENCODERS:
        raise UserError(f"encoder must be one of {', '.join(ENCODERS)}, not '{recipe.encoder}'.")
    for name in recipe.systems:
        _check_system(recipe, name)
    if recipe.features.cmn not in ("online", "utterance"):
        raise UserError("features.cmn must be 'online' or 'utterance'.")
    if recipe.features.rate % 100:
        raise UserError(
            f"features.rate must be a multiple of 100, not {recipe.features.rate}: frames have"
            " 10 ms."
        )
    if recipe.limits.min_seconds > recipe.limits.max_seconds:
        raise UserError("limits.min_seconds must be at most limits.max_seconds.")
    if not re.fullmatch(r"all|[0-9]+(\.[0-9]+)?", recipe.target_minutes):
        raise UserError("target_minutes must be a number of minutes, or 'all'.")
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?%?", recipe.limits.max_excluded) or not (
        0 <= recipe.limits.excluded_share <= 1
    ):
        raise UserError("limits.max_excluded must be a share such as 5% or 0.05.")


def _check_datasets(recipe: "Recipe") -> None:
    """Raise `UserError` for wrong data sets, or if a role is missing."""
    seen = set()
    for d in recipe.datasets:
        if d.role not in ROLES:
            near = closest(d.role, ROLES)
            raise UserError(f"unknown role '{d.role}'; the nearest known one is '{near}'.")
        if d.language not in recipe.languages:
            near = closest(d.language, list(recipe.languages))
            raise UserError(f"unknown language '{d.language}'; the nearest known one is '{near}'.")
        if d.role != "train_ext" and d.language != recipe.target:
            raise UserError(f"role '{d.role}' is for the target language, not for '{d.language}'.")
        _check_stream(recipe, d)
        if not NAME.fullmatch(d.label):
            raise UserError(f"'{d.label}' is not a valid name for a data set.")
        if d.isolated and d.role != "valid":
            raise UserError(f"'isolated' is for data sets of role 'valid', not '{d.role}'.")
        if d.adapt and d.role != "test":
            raise UserError(f"'adapt' is for data sets of role 'test', not '{d.role}'.")
        if d.adapt not in (None, "speaker"):
            raise UserError(f"adapt must be 'speaker', not '{d.adapt}'.")
        if not re.fullmatch(r"[0-9]{1,2}|mix", d.channel or "mix"):
            raise UserError(f"channel must be a number from 0, or 'mix', not '{d.channel}'.")
        if d.confusables not in (None, "fix"):
            raise UserError(f"confusables must be 'fix', not '{d.confusables}'.")
        if d.numbers not in (None, "words"):
            raise UserError(f"numbers must be 'words', not '{d.numbers}'.")
        if d.voices not in (None, *VOICES):
            raise UserError(f"voices must be one of {', '.join(VOICES)}, not '{d.voices}'.")
        if d.split and d.split.by not in SPLITS:
            raise UserError(f"split.by must be one of {', '.join(SPLITS)}, not '{d.split.by}'.")
        if d.speeds and not (len(d.speeds) == 2 and 0.5 <= d.speeds[0] <= d.speeds[1] <= 2):
            raise UserError("speeds must be two numbers of 0.5 to 2, such as [0.85, 1.2].")
        span = d.split.between if d.split else (0, 100)
        if len(span) != 2 or not 0 <= span[0] < span[1] <= 100:
            raise UserError("split.between must be two percentages, such as [80, 90].")
        if (d.role, d.language, d.label) in seen:
            raise UserError(f"two data sets of role '{d.role}' are named '{d.label}'.")
        seen.add((d.role, d.language, d.label))
    for role in ("train", "valid", "test"):
        if not recipe.role(role):
            raise UserError(f"no data set has the role '{role}'.")
    labels = [test.label for test in recipe.tests]
    if twice := [label for label in labels if labels.count(label) > 1]:
        raise UserError(f"two tests are named '{twice[0]}': one of them by 'adapt'.")


def _check_stream(recipe: "Recipe", d: "Dataset") -> None:
    """Raise `UserError` for a wrong key ``stream``, or where it is missing."""
    if d.role not in STREAMED:
        if d.stream:
            roles = " and ".join(f"'{role}'" for role in STREAMED)
            raise UserError(f"'stream' is for data sets of role {roles}, not '{d.role}'.")
        return
    if d.transcribed and d.language == recipe.target and not d.stream:
        raise UserError(
            f"a data set of role 'train_ext' is of the target language '{d.language}'. Name its"
            " stream, such as 'stream: borrowed', or give it the role 'train'."
        )
    if d.stream and (not NAME.fullmatch(d.stream) or d.stream == "shared"):
        raise UserError(f"'{d.stream}' is not a valid name for a stream.")
    if d.stream == recipe.target or d.stream_name in recipe.languages.keys() - {d.language}:
        raise UserError(f"stream '{d.stream_name}': a language has this name. Choose another.")
    if not d.transcribed:
        if d.stream_name in recipe.ext_streams:
            raise UserError(
                f"stream '{d.stream_name}' has data sets of role 'train_ext' and of role"
                f" '{d.role}'. Give them streams of their own."
            )
        return
    if (language := recipe.ext_streams[d.stream_name]) != d.language:
        raise UserError(
            f"stream '{d.stream}' has data sets of '{language}' and of '{d.language}'. A stream"
            " has one language."
        )


def _check_system(recipe: "Recipe", name: str) -> None:
    """Raise `UserError` for a system that contradicts itself or the rest of the recipe."""
    system, where = recipe.systems[name], f"systems.{name}"
    if name in ("feats", "lang", "manifests", "search", "sweep"):
        raise UserError(f"{where}: choose another name. The experiment has a folder '{name}'.")
    if system.share not in SHARES:
        raise UserError(f"{where}: 'share' must be one of {', '.join(SHARES)}.")
    if system.encoder not in (None, *ENCODERS):
        known = ", ".join(ENCODERS)
        raise UserError(f"{where}: 'encoder' must be one of {known}, not '{system.encoder}'.")
    if system.cascade != system.multilingual:
        languages = "several languages" if system.multilingual else "the target only"
        raise UserError(
            f"{where}: 'cascade: {str(system.cascade).lower()}' contradicts 'layers', 'share' and"
            f" 'languages', which train it on {languages}. Leave 'cascade' out: two numbers in"
            " 'layers', such as [2, 2], or 'share: all' mean several languages."
        )
    separate = system.multilingual and system.share != "all"
    least = 0 if separate and system.share == "lower" else 1  # 0: only the outputs are separate
    if len(system.layers) != 1 + separate or system.layers[0] < 1 or system.layers[-1] < least:
        want = "[lower, upper]" if separate else "[number]"
        but = "" if least else " (upper may be 0)"
        raise UserError(f"{where}: 'layers' must be {want}, each at least 1{but}.")
    others = recipe.ext_streams | recipe.untranscribed_streams
    if system.multilingual and not (others if system.teacher else recipe.ext_streams):
        raise UserError(
            f"{where} is trained on several languages, but no data set has role 'train_ext'."
        )
    settings = recipe.train_of(name)
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?s?", settings.checkpoint_every):
        raise UserError("train.checkpoint_every must be a time such as 60s.")
    if settings.precision not in PRECISIONS:
        raise UserError(f"train.precision must be one of {', '.join(PRECISIONS)}.")
    if settings.loss not in LOSSES:
        raise UserError(f"train.loss must be one of {', '.join(LOSSES)}.")
    for key in ("weights", "seconds", "active", "augment_of"):
        for language in getattr(settings, key):
            if language not in (*recipe.languages, *others):
                raise UserError(f"train.{key}: unknown language or stream '{language}'.")
    for language, weight in settings.weights.items():
        if language == recipe.target and weight == AUTO:
            raise UserError(f"train.weights: '{language}' is the target; others are weighed by it.")
        if isinstance(weight, str) and weight != AUTO:
            raise UserError(f"train.weights: '{language}' must be a number or '{AUTO}'.")
        if not isinstance(weight, str) and not 0 <= weight < math.inf:
            raise UserError(f"train.weights: '{language}' must be 0 or more, not {weight}.")
    for language in settings.augment_of:
        recipe.augment_of(name, language)  # raises for an unknown key or a wrong value
    if settings.augment.utterance_mean and recipe.features.cmn != "online":
        raise UserError(f"{where}: augment.utterance_mean needs features.cmn: online.")
    for language, span in settings.active.items():
        if len(span) != 2 or not 0 <= span[0] < span[1] <= 1:
            raise UserError(f"train.active: '{language}' must be two numbers, such as [0, 0.8].")
    spans = [settings.active.get(language, (0, 1)) for language in recipe.streams_of(name)]
    for begin in {end for _, end in spans} - {1} | {0}:
        if not any(first <= begin < last for first, last in spans):
            raise UserError(f"{where}: no language is active from {begin} of the steps on.")
    for language, seconds in settings.seconds.items():
        if not seconds >= 0.1:
            raise UserError(f"train.seconds: '{language}' must be at least 0.1.")
    for language in system.languages:
        if language not in others:
            raise UserError(f"{where}: no data set of role 'train_ext' is of '{language}'.")
    for stream in system.pool:
        if others.get(stream) != recipe.target:
            raise UserError(f"{where}.pool: no stream '{stream}' of the target language.")
        if stream in recipe.streams_of(name):
            raise UserError(
                f"{where}: stream '{stream}' is in 'pool' and a stream of its own. Name the"
                " system's streams in 'languages'."
            )
    _check_start(recipe, name)
    _check_teacher(recipe, name)


def _check_start(recipe: "Recipe", name: str) -> None:
    """Raise `UserError` for wrong keys ``start`` and ``freeze`` of a system."""
    system, where = recipe.systems[name], f"systems.{name}"
    places = ["norm", *(f"layer{i + 1}" for i in range(sum(system.layers))), "output"]
    for place in system.freeze:
        if place not in places:
            raise UserError(f"{where}: 'freeze' may have {', '.join(places)}, not '{place}'.")
    if set(system.freeze) == set(places):
        raise UserError(f"{where}: 'freeze' leaves nothing to train.")
    if system.freeze and not system.start:
        raise UserError(f"{where}: 'freeze' needs a 'start'.")
    chain = [name]
    other = recipe.before(name)
    if other and recipe.encoder_of(other) != recipe.encoder_of(name):
        raise UserError(
            f"{where}: it cannot start from '{other}': the 'encoder' of one is"
            f" {recipe.encoder_of(name)}, that of the other {recipe.encoder_of(other)}."
        )
    while (before := recipe.before(chain[-1])) is not None:
        if before in chain:
            raise UserError(f"{where}: it would start from itself ({' <- '.join(chain)}).")
        chain.append(before)
    if len(chain) == 1 and system.start and "/" not in system.start:
        near = closest(system.start, list(recipe.systems))
        raise UserError(
            f"{where}: unknown system '{system.start}' in 'start'; the nearest known one is"
            f" '{near}'. The path of a model's folder, or of a bundle, must have a '/'."
        )


def _check_teacher(recipe: "Recipe", name: str) -> None:
    """Raise `UserError` for a wrong key ``teacher``, or where it is missing."""
    system, where = recipe.systems[name], f"systems.{name}"
    untranscribed = recipe.untranscribed_streams
    if system.teacher is None:
        for stream in (*system.languages, *system.pool):
            if stream in untranscribed:
                raise UserError(
                    f"{where}: stream '{stream}' has no transcripts. Name the system that"
                    " recognises it in 'teacher'."
                )
        return
    if system.teacher not in recipe.systems:
        near = closest(system.teacher, list(recipe.systems))
        raise UserError(
            f"{where}: unknown system '{system.teacher}' in 'teacher'; the nearest known one is"
            f" '{near}'."
        )
    if not untranscribed:
        raise UserError(f"{where} has a teacher, but no data set has role 'train_untranscribed'.")
    if not recipe.transcribed_for(name):
        raise UserError(
            f"{where} has a teacher, but is trained on no stream of role 'train_untranscribed'."
            f" Name one ({', '.join(untranscribed)}) in 'languages' or 'pool'."
        )
    _check_circle(recipe, [name])


def _check_circle(recipe: "Recipe", chain: list[str]) -> None:
    """Raise `UserError` where one of ``chain`` must be trained before itself."""
    for needed in recipe.needs(chain[-1]):
        if needed in chain:
            circle = " <- ".join([*chain, needed])
            raise UserError(f"systems.{chain[0]}: it would learn from itself ({circle}).")
        _check_circle(recipe, [*chain, needed])
