"""The command ``new-recipe``: a recipe from folders of speech, and what was found in them."""

import logging
import math
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from cascade.config.experiment import Experiment
from cascade.config.layout import Layout
from cascade.config.recipe import Recipe, read_recipe
from cascade.config.recipe_checks import NAME
from cascade.config.sections import Dataset, Language
from cascade.corpora import split
from cascade.corpora.corpus import CorpusRequest
from cascade.corpora.detection import Source, sources
from cascade.drafting import data_report
from cascade.drafting.corpus_summary import Survey, survey, texts
from cascade.drafting.recipe_text import WRITTEN, Draft, Known
from cascade.runtime.errors import UserError
from cascade.runtime.files import write_text
from cascade.runtime.project import RECIPES
from cascade.text import alphabet, voices

log = logging.getLogger("cascade")
SHARE, VALID_HOURS, TEST_HOURS = 10.0, 0.5, 1.0  # per cent of the speech, and no more than
MOST = 0.5  # share of utterances that may fail the checks
MAIN = "ru_en"
FEWEST = 3  # usable utterances, or speakers to split by


def new_recipe(
    path: Path,
    target: tuple[str, str],
    others: Sequence[tuple[str, str]],
    downloads: Path,
    data: Path,
    jobs: int,
) -> str:
    """Writes a recipe to ``path``; returns what to print.

    ``target`` and ``others`` are languages with where their speech is: a folder, a file, or
    a corpus that is fetched. Raises `UserError` where one cannot be read or spoken.
    """
    name = path.parent.name if path.stem == "recipe" else path.stem  # as `read_recipe` has it
    if not NAME.fullmatch(name):
        raise UserError(f"'{name}' is no good name: use letters, digits, '_' and '-'.")
    spoken = voices.known()
    codes = list(dict.fromkeys([target[0], *(code for code, _ in others)]))
    for code, _ in others:
        if code == target[0]:
            raise UserError(f"--ext takes other languages than the target, '{code}'.")
    chosen = {code: voices.voice(code, spoken) for code in codes}
    found: dict[str, list[str]] = {code: [] for code in codes}
    datasets: list[Dataset] = []
    for code, where in (target, *others):
        why, parts = sources(where, CorpusRequest(downloads, data, language=code, jobs=jobs))
        found[code].append(why)
        log.info("%s: %s: %s.", code, where, why)
        if code != target[0]:
            parts = [replace(p, role="train_ext") for p in parts if p.role == "train"]
        datasets += _named(parts, where, datasets)
    base = CorpusRequest(downloads, data, jobs=jobs)
    letters = {
        code: alphabet.count(
            line for d in datasets if d.language == code for line in texts(d, base)
        )
        for code in codes
    }
    known = _known(chosen)
    for code in known:
        if known[code].together:
            found[code].append(f"set up as in recipes/{known[code].recipe}")
    languages = {code: _language(chosen[code], letters[code], known.get(code)) for code in codes}
    with tempfile.TemporaryDirectory() as temporary:
        layout = Layout(Path(temporary), downloads, data)
        provisional = Recipe(name, target[0], languages, tuple(datasets), {})
        seen = []
        for dataset in datasets:
            log.info("%s: looking at %s, for %s ...", dataset.language, dataset.name, dataset.role)
            seen.append(survey(Experiment(provisional, layout), dataset, jobs))
    for one in seen:
        if not one.rows:
            raise UserError(_unusable(one))
    final = _divided([s for s in seen if s.dataset.role != "train_ext"])
    final += [s for s in seen if s.dataset.role == "train_ext"]
    training = [s for s in final if s.dataset.role == "train"]
    draft = Draft(
        name=name if path == RECIPES / name / "recipe.yaml" else str(path),
        target=target[0],
        datasets=[s.dataset for s in final],
        languages=languages,
        called={code: spoken[chosen[code]] for code in codes},
        found={code: "; ".join(why) for code, why in found.items()},
        known=known,
        rate=_rate(training),
        hours=sum(s.hours for s in training),
        words=sum(s.words.total() for s in training),
        max_excluded=_max_excluded(seen, final),
    )
    text = draft.text()
    with tempfile.TemporaryDirectory() as temporary:  # nothing that cannot be read is left
        trial = Path(temporary) / name / "recipe.yaml"
        write_text(trial, text)
        recipe = read_recipe(trial)
    report = data_report.report(recipe, final, letters, draft.found)
    write_text(path, text)
    return report


def _named(parts: Sequence[Source], where: str, before: Sequence[Dataset]) -> list[Dataset]:
    """Data sets of ``parts``, each of a name that no other of its role and language has."""
    path = Path(where).absolute()
    path = path.parent if path.is_file() and path.stem in ("table", "manifest") else path
    stem = re.sub(r"[^A-Za-z0-9_-]+", "_", path.name.partition(".")[0]).strip("_-")
    made = list(before)
    for part in parts:
        same = [p for p in parts if p.role == part.role]
        name = stem if NAME.fullmatch(stem) else part.corpus
        if len(same) > 1 and part.part:
            name = f"{name}_{part.part}"
        taken = {d.name for d in made if (d.role, d.language) == (part.role, part.language)}
        numbered = (f"{name}_{i}" if i else name for i in range(len(taken) + 2))
        unique = next(n for n in numbered if n not in taken)
        made.append(
            Dataset(
                role=part.role,
                language=part.language,
                corpus=part.corpus,
                part=part.part,
                path=str(part.path) if part.path else None,
                name=unique,
            )
        )
    return made[len(before) :]


def _known(chosen: Mapping[str, str]) -> dict[str, Known]:
    """What recipes that somebody wrote know of the languages, by code.

    One that has all of them knows how their phones go together.
    """
    recipes = []
    for file in sorted(RECIPES.glob("*/recipe.yaml"), key=lambda f: (f.parent.name != MAIN, f)):
        try:
            if WRITTEN not in file.read_text(encoding="utf-8"):  # guessed is not known
                recipes.append(read_recipe(file))
        except (UserError, OSError, UnicodeDecodeError):
            continue  # another recipe's fault is not this one's
    found = {}
    for together in (False, True):
        for recipe in reversed(recipes):
            by_voice = {language.voice: language for language in recipe.languages.values()}
            if not together or by_voice.keys() >= set(chosen.values()):
                for code, voice in chosen.items():
                    if voice in by_voice:
                        found[code] = Known(recipe.name, by_voice[voice], together)
    return found


def _language(voice: str, counts: Mapping[str, int], known: Known | None) -> Language:
    """Its letters are those of a recipe that has the language, and of the transcripts.

    The rest is another recipe's only where it has the other languages, too: phones are
    renamed to be like those of another language.
    """
    if known is None:
        return Language(alphabet.letters(counts), voice)
    letters = known.language.letters
    found = alphabet.letters({**dict.fromkeys(letters, 1), **counts})
    letters += "".join(char for char in found if char not in letters)
    own = replace(known.language, letters=letters, texts=(), dictionaries=())
    return own if known.together else Language(letters, voice)


def _rate(training: Sequence[Survey]) -> int:
    """8000 Hz where most of the target's recordings have no more, else 16000."""
    low = sum(n for s in training for rate, n in s.rates.items() if rate < 16000)
    return 8000 if low > sum(s.rates.total() for s in training) / 2 else 16000


def _max_excluded(seen: Sequence[Survey], final: Sequence[Survey]) -> int:
    """Per cents that let what was found pass; 0 where the usual limit does, or is to stop it.

    Of few utterances one is many per cent; a corpus of which most is unusable is none.
    """
    worst = max(s.excluded_share for s in final)
    if worst <= data_report.NOTED or max(s.excluded_share for s in seen) > MOST:
        return 0
    return min(100, math.ceil(100 * worst) + 1)


def _divided(seen: Sequence[Survey]) -> list[Survey]:
    """The target's data sets with all three roles: what has none of its own is split off.

    Validation and test are split off the training, test off validation where there is that.
    """
    have = {s.dataset.role for s in seen}
    if "valid" in have and "test" not in have:
        source, roles = "valid", ("valid", "test")
    else:
        source, roles = "train", ("train", *(r for r in ("valid", "test") if r not in have))
    kept = [s for s in seen if s.dataset.role != source or len(roles) == 1]
    pool = [s for s in seen if s not in kept]
    if not pool:
        return kept
    rows = [row for s in pool for row in s.rows]
    if len(rows) < FEWEST:
        raise UserError(
            f"{pool[0].dataset.path} has {len(rows)} usable utterances, and at least {FEWEST} are"
            f" needed to train on, to validate and to test{_left_out(pool[0])}."
        )
    hours = sum(s.hours for s in pool)
    by = "speaker" if len(set().union(*(s.speakers for s in pool))) >= len(roles) else "utterance"
    seconds: dict[str, float] = {}
    for row in rows:
        name = split.group(row.id, row.speaker, by)
        seconds[name] = seconds.get(name, 0.0) + row.seconds
    parts = split.choose(seconds, _wanted(roles, hours), by)
    made = [
        s.part(replace(s.dataset, role=role, split=parts[role])) for role in roles for s in pool
    ]
    order = ("train", "valid", "test")
    return sorted([*made, *kept], key=lambda s: order.index(s.dataset.role))


def _wanted(roles: Sequence[str], hours: float) -> dict[str, float]:
    """Per cents of the speech, of one decimal: enough to judge by, no more than needed."""
    if roles[0] == "valid":
        return {"valid": 50.0, "test": 50.0}
    most = {"valid": VALID_HOURS, "test": TEST_HOURS}
    share = {r: max(0.1, round(min(SHARE, 100 * most[r] / hours), 1)) for r in roles[1:]}
    return {"train": round(100 - sum(share.values()), 1), **share}


def _unusable(one: Survey) -> str:
    where = one.dataset.path or one.dataset.corpus
    return f"{where} has no usable utterance{_left_out(one) or ' (it lists none)'}."


def _left_out(one: Survey) -> str:
    """The most frequent reasons, in brackets; nothing where there are none."""
    why = "; ".join(f"{count} like {reason}" for count, reason in one.reasons()[:3])
    return f" ({why})" if why else ""
