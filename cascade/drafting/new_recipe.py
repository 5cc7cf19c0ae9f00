"""The command ``new-recipe``: writes a recipe from folders of speech, and reports on the data."""

import logging
import math
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cascade.config.experiment import Experiment
from cascade.config.layout import Layout
from cascade.config.recipe import Recipe, read_recipe
from cascade.config.recipe_checks import NAME, STREAMED
from cascade.config.sections import Dataset, Language
from cascade.corpora.corpus import CorpusRequest
from cascade.corpora.detection import CorpusPart, find_parts
from cascade.drafting import data_report
from cascade.drafting.corpus_summary import DatasetSummary, summarise, transcripts
from cascade.drafting.division import divided
from cascade.drafting.letters import confusable, doubtful, hints_in, language_of, numbered
from cascade.drafting.recipe_text import MARK, Draft, ExistingSettings
from cascade.runtime.errors import UserError
from cascade.runtime.files import write_text
from cascade.runtime.project import RECIPES
from cascade.text import alphabet, voices
from cascade.text.alphabet import LetterCounts

log = logging.getLogger("cascade")
UNUSABLE = 0.5  # share of utterances that fail the checks, from which no recipe lets them pass
MAIN = "ru_en"  # the recipe whose settings of a language come first


@dataclass(frozen=True)
class More:
    """What the target language has beside transcribed speech.

    ``borrowed`` is the minutes of borrowed voices, ``untranscribed`` where speech without
    transcripts is, ``texts`` are files for the language model.
    """

    borrowed: int = 0
    untranscribed: Sequence[str] = ()
    texts: Sequence[str] = ()


NOTHING = More()


def new_recipe(
    path: Path,
    target: tuple[str, str],
    others: Sequence[tuple[str, str]],
    downloads: Path,
    data: Path,
    jobs: int,
    more: More = NOTHING,
) -> str:
    """Write a recipe to ``path``; return the report to print.

    ``target`` and ``others`` are pairs of a language and where its speech is: a folder, a file,
    or a corpus that is fetched. ``more`` is what the target has beside its speech. Raises
    `UserError` if a corpus cannot be read or has no usable utterance, and for a language that
    espeak-ng does not have.
    """
    name = path.parent.name if path.stem == "recipe" else path.stem  # as `read_recipe` has it
    if not NAME.fullmatch(name):
        raise UserError(f"'{name}' is not a valid name: use letters, digits, '_' and '-'.")
    if any(code == target[0] for code, _ in others):
        raise UserError(f"--ext must not name the target language, '{target[0]}'.")
    voice_names = voices.voice_names()
    codes = list(dict.fromkeys([target[0], *(code for code, _ in others)]))
    chosen = {code: voices.voice(code, voice_names) for code in codes}
    origins: dict[str, list[str]] = {code: [] for code in codes}
    datasets: list[Dataset] = []
    for code, where in (target, *others):
        why, parts = find_parts(where, CorpusRequest(downloads, data, language=code, jobs=jobs))
        origins[code].append(why)
        log.info("%s: %s: %s.", code, where, why)
        parts = _with_training(parts)
        if code != target[0]:
            parts = [replace(p, role="train_ext") for p in parts if p.role == "train"]
        datasets += _named(parts, where, datasets)
    heard = _untranscribed(target[0], more.untranscribed, datasets, downloads, data, jobs)
    request = CorpusRequest(downloads, data, jobs=jobs)
    letters = _letters(codes, chosen, datasets, request)
    numbers = {
        code: Language(alphabet.letters(counts.lines), chosen[code])
        for code, counts in letters.items()
    }
    datasets = [
        replace(d, numbers="words") if numbered(d, numbers[d.language], request) else d
        for d in datasets
    ]
    if any(d.numbers for d in datasets):  # their words have letters, too
        letters = _letters(codes, chosen, datasets, request)
    existing = _existing(chosen)
    for code, settings in existing.items():
        if settings.together:
            origins[code].append(f"set up as in recipes/{settings.recipe}")
    languages, guesses = {}, {}
    for code in codes:
        before = existing.get(code)
        known = before.language.letters if before else ""
        unsure = doubtful(chosen[code], letters[code], known)
        language = language_of(chosen[code], letters[code], before, unsure)
        own = [d for d in datasets if d.language == code]
        lines = (line for d in own for line in transcripts(d, request, language))
        hints, capitals = hints_in(lines, language)
        languages[code] = replace(language, hints=hints)
        examples = {letters[code].examples.get(c, "") for c in language.letters} - {""}
        in_english = voices.in_english(chosen[code], sorted(examples))
        guesses[code] = data_report.Guesses(letters[code], unsure, capitals, in_english)
    datasets = [
        replace(d, confusables="fix")
        if confusable(d, languages[d.language], letters, request)
        else d
        for d in datasets
    ]
    with tempfile.TemporaryDirectory() as temporary:
        layout = Layout(Path(temporary), downloads, data)
        provisional = Experiment(Recipe(name, target[0], languages, tuple(datasets), {}), layout)
        summaries = []
        for dataset in (*datasets, *heard):
            log.info("%s: reading %s, for %s ...", dataset.language, dataset.name, dataset.role)
            summaries.append(summarise(provisional, dataset, jobs))
        for summary in summaries:
            if not summary.usable:
                where = summary.dataset.path or summary.dataset.corpus
                why = summary.left_out() or " (it lists none)"
                raise UserError(f"{where} has no usable utterance{why}.")
        beside = [s for s in summaries if s.dataset.role in STREAMED]
        target_sets = divided([s for s in summaries if s not in beside])
        final = [_with_own_references(provisional, s, jobs) for s in target_sets]
    final += beside
    training = [s for s in final if s.dataset.role == "train"]
    draft = Draft(
        name=name if path == RECIPES / name / "recipe.yaml" else str(path),
        target=target[0],
        datasets=[s.dataset for s in final],
        languages=languages,
        language_names={code: voice_names[chosen[code]] for code in codes},
        origins={code: "; ".join(phrases) for code, phrases in origins.items()},
        existing=existing,
        rate=_rate(training),
        hours=sum(s.hours for s in training),
        words=sum(s.words.total() for s in training),
        max_excluded=_max_excluded(summaries, final),
        borrowed=more.borrowed,
        texts=more.texts,
    )
    text = draft.text()
    with tempfile.TemporaryDirectory() as temporary:  # a recipe with an error is not written
        trial = Path(temporary) / name / "recipe.yaml"
        write_text(trial, text)
        recipe = read_recipe(trial)
    report = data_report.report(recipe, final, guesses, draft.origins)
    write_text(path, text)
    return report


def _untranscribed(
    code: str,
    folders: Sequence[str],
    before: Sequence[Dataset],
    downloads: Path,
    data: Path,
    jobs: int,
) -> list[Dataset]:
    """Return data sets of the target's speech without transcripts; texts in it are not read."""
    datasets: list[Dataset] = []
    for where in folders:
        request = CorpusRequest(downloads, data, language=code, jobs=jobs, transcribed=False)
        why, parts = find_parts(where, request)
        log.info("%s: %s: %s.", code, where, why)
        parts = [replace(part, role="train_untranscribed") for part in parts]
        datasets += _named(parts, where, (*before, *datasets))
    return datasets


def _with_training(parts: Sequence[CorpusPart]) -> list[CorpusPart]:
    """Return ``parts`` with a role to train on: without any, those of the first role get it."""
    if any(part.role == "train" for part in parts):
        return [*parts]
    first = parts[0].role
    return [replace(part, role="train") if part.role == first else part for part in parts]


def _letters(
    codes: Sequence[str],
    voices: Mapping[str, str],
    datasets: Sequence[Dataset],
    request: CorpusRequest,
) -> dict[str, LetterCounts]:
    """Count the letters of transcripts by language."""
    languages = {code: Language("", voices[code]) for code in codes}
    own = {code: [d for d in datasets if d.language == code] for code in codes}
    return {
        code: alphabet.count(
            (line for d in own[code] for line in transcripts(d, request, languages[code])),
            voices[code],
        )
        for code in codes
    }


def _with_own_references(
    experiment: Experiment, summary: DatasetSummary, jobs: int
) -> DatasetSummary:
    """Return a test without ``numbers``, which changes references, unless most of it needs it."""
    dataset = summary.dataset
    if dataset.role != "test" or not dataset.numbers:
        return summary
    unchanged = summarise(experiment, replace(dataset, numbers=None), jobs)
    return unchanged if unchanged.excluded_share <= UNUSABLE else summary


def _named(parts: Sequence[CorpusPart], where: str, before: Sequence[Dataset]) -> list[Dataset]:
    """Make data sets of ``parts``. No two of a role and language have the same name."""
    path = Path(where).absolute()
    path = path.parent if path.is_file() and path.stem in ("table", "manifest") else path
    stem = re.sub(r"[^A-Za-z0-9_-]+", "_", path.name.partition(".")[0]).strip("_-")
    datasets = list(before)
    for part in parts:
        same_role = [p for p in parts if p.role == part.role]
        name = stem if NAME.fullmatch(stem) else part.corpus
        if len(same_role) > 1 and part.part:
            name = f"{name}_{part.part}"
        taken = {d.name for d in datasets if (d.role, d.language) == (part.role, part.language)}
        numbered = (f"{name}_{i}" if i else name for i in range(len(taken) + 2))
        datasets.append(
            Dataset(
                role=part.role,
                language=part.language,
                corpus=part.corpus,
                part=part.part,
                path=str(part.path) if part.path else None,
                name=next(n for n in numbered if n not in taken),
            )
        )
    return datasets[len(before) :]


def _existing(chosen: Mapping[str, str]) -> dict[str, ExistingSettings]:
    """Return the settings that other recipes have for the languages, by code.

    ``chosen`` gives each language's voice, the target's first. A recipe that has all of the
    languages comes first: its phone maps fit together. Then one with the same target, which has
    texts for it. Recipes that this command wrote do not count.
    """
    target_voice = next(iter(chosen.values()))
    recipes = []
    for file in sorted(RECIPES.glob("*/recipe.yaml"), key=lambda f: (f.parent.name != MAIN, f)):
        try:
            if MARK not in file.read_text(encoding="utf-8"):
                recipes.append(read_recipe(file))
        except (UserError, OSError, UnicodeDecodeError):
            continue  # an error in another recipe does not matter here
    recipes.sort(key=lambda recipe: recipe.languages[recipe.target].voice != target_voice)
    existing = {}
    for together in (False, True):
        for recipe in reversed(recipes):
            by_voice = {language.voice: language for language in recipe.languages.values()}
            if not together or by_voice.keys() >= set(chosen.values()):
                for code, voice in chosen.items():
                    if voice in by_voice:
                        existing[code] = ExistingSettings(recipe.name, by_voice[voice], together)
    return existing


def _rate(training: Sequence[DatasetSummary]) -> int:
    """Return 8000 if most of the target's recordings have less than 16000 Hz, else 16000."""
    low = sum(n for s in training for rate, n in s.rates.items() if rate < 16000)
    return 8000 if low > sum(s.rates.total() for s in training) / 2 else 16000


def _max_excluded(before: Sequence[DatasetSummary], final: Sequence[DatasetSummary]) -> int:
    """Return a limit in per cent that lets the data pass; 0 for the default limit.

    The default is enough if few utterances fail, and it must stop the run if most of them do.
    ``before`` are the data sets before they are divided: in a small part, one utterance is many
    per cent.
    """
    worst = max(s.excluded_share for s in final)
    if worst <= data_report.NOTED or max(s.excluded_share for s in before) > UNUSABLE:
        return 0
    return min(100, math.ceil(100 * worst) + 1)
