"""Stage 1, words: transcripts in words and phones, pronunciations, the languages' phones."""

import logging
from collections import Counter
from collections.abc import Mapping

from lhotse import CutSet

from cascade.config.experiment import Experiment
from cascade.config.recipe import Recipe
from cascade.runtime.errors import UserError
from cascade.runtime.files import write_text_table
from cascade.text.lexicon import phones_of_its_own, pronounce, unwritable
from cascade.text.phones import write_phones, write_sharing
from cascade.text.written import pronunciations

log = logging.getLogger("cascade")
Transcripts = Mapping[str, Mapping[str, list[str]]]  # data set, utterance, words
Written = Mapping[str, Mapping[str, dict[int, str]]]  # data set, utterance, place of a word
Pronunciations = Mapping[str, tuple[str, ...]]


def build(experiment: Experiment) -> None:
    """Write transcripts, their pronunciations, and phones.

    Raises `UserError` if a word of a transcript has no pronunciation.
    """
    recipe, layout = experiment.recipe, experiment.layout
    transcripts, written = _transcripts(experiment)
    lexicons = {}
    for name, language in recipe.languages.items():
        words = {
            w for d in _of_language(experiment, name) for t in transcripts[d].values() for w in t
        }
        lexicons[name] = pronounce(words, language)
        if odd := unwritable(language):
            log.warning(
                "warning: %s: %d words cannot be in a transcript of '%s', such as '%s'.",
                *(language.lexicon, len(odd), name, odd[0]),
            )
        for phone, word in sorted(phones_of_its_own(lexicons[name], language).items()):
            log.warning(
                "warning: %s: only words of this file have the phone '%s', such as '%s'.",
                *(language.lexicon, phone, word),
            )
        lexicons[name] |= _as_written(experiment, name, transcripts, written)
        write_text_table(layout.lang / f"lexicon_{name}.txt", lexicons[name])
    _write_as_written(experiment, lexicons[recipe.target], written)
    counts = _write_phone_texts(experiment, transcripts, lexicons, written)
    write_phones(layout.phones, counts)
    for name in (recipe.target, *recipe.ext_languages):
        write_phones(layout.phones_of(name), {name: counts.get(name, ())})
    write_sharing(layout.lang / "sharing.tsv", counts)
    _log_sharing(recipe, counts)


def _transcripts(
    experiment: Experiment,
) -> tuple[dict[str, dict[str, list[str]]], dict[str, dict[str, dict[int, str]]]]:
    """Read the words of every utterance from the cuts; write them as Kaldi's text.

    Also returns the words whose spelling says how they are read.
    """
    layout = experiment.layout
    transcripts, written = {}, {}
    for dataset in experiment.recipe.datasets:
        key = experiment.dataset_key(dataset)
        cuts = CutSet.from_jsonl_lazy(layout.cuts(key))
        transcripts[key] = {cut.id: cut.supervisions[0].text.split() for cut in cuts}
        if not transcripts[key]:
            raise UserError(f"{layout.cuts(key)} has no cuts: it is damaged. Run stage 0 again.")
        custom = {cut.id: cut.supervisions[0].custom or {} for cut in cuts}
        written[key] = {
            utterance: {int(place): form for place, form in one["written"].items()}
            for utterance, one in custom.items()
            if "written" in one
        }
        write_text_table(layout.text(key, "words"), transcripts[key])
        speakers = {cut.id: [cut.supervisions[0].speaker] for cut in cuts}
        write_text_table(layout.text(key, "speakers"), speakers)
    return transcripts, written


def _as_written(
    experiment: Experiment, name: str, transcripts: Transcripts, written: Written
) -> dict[str, tuple[str, ...]]:
    """Return the pronunciations of words of a language as its transcripts write them."""
    forms = [
        (key, u, one) for key in _of_language(experiment, name) for u, one in written[key].items()
    ]
    if not forms:
        return {}
    ordinary = {
        word
        for key in _of_language(experiment, name)
        for utterance, words in transcripts[key].items()
        for i, word in enumerate(words)
        if not written[key].get(utterance, {}).get(i, "").isupper()
    }
    every = {form for *_, one in forms for form in one.values()}
    return pronunciations(every, experiment.recipe.languages[name], ordinary)


def _write_as_written(experiment: Experiment, lexicon: Pronunciations, written: Written) -> None:
    """Write the pronunciations that the training transcripts show, for the vocabulary."""
    forms = {
        form
        for key in experiment.dataset_keys("train")
        for one in written[key].values()
        for form in one.values()
    }
    table = {form: lexicon[form] for form in sorted(forms) if form in lexicon}
    write_text_table(experiment.layout.as_written, table)


def _of_language(experiment: Experiment, name: str) -> list[str]:
    return [experiment.dataset_key(d) for d in experiment.recipe.datasets if d.language == name]


def _write_phone_texts(
    experiment: Experiment,
    transcripts: Transcripts,
    lexicons: Mapping[str, Pronunciations],
    written: Written,
) -> dict[str, Counter[str]]:
    """Write every transcript in phones; return the counts of phones by language."""
    recipe = experiment.recipe
    counts = {name: Counter[str]() for name in recipe.languages}
    for dataset in recipe.datasets:
        key = experiment.dataset_key(dataset)
        lexicon = lexicons[dataset.language]
        table = {}
        for name, words in transcripts[key].items():
            forms = written[key].get(name, {})
            read = [lexicon.get(forms.get(i, ""), lexicon[w]) for i, w in enumerate(words)]
            table[name] = [phone for phones in read for phone in phones]
        for phones in table.values():
            counts[dataset.language].update(phones)
        write_text_table(experiment.layout.text(key, "phones"), table)
    return {name: counter for name, counter in counts.items() if counter}


def _log_sharing(recipe: Recipe, counts: Mapping[str, Counter[str]]) -> None:
    target = counts[recipe.target]
    running = sum(target.values())
    log.info("%s: %d phones", recipe.target, len(target))
    for name in recipe.ext_languages:
        shared = set(target) & set(counts[name])
        covered = 100 * sum(target[phone] for phone in shared) / running
        log.info(
            "%s: %d phones, %d shared with %s: %.1f %% of its running phones",
            name,
            len(counts[name]),
            len(shared),
            recipe.target,
            covered,
        )
