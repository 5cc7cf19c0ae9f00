"""Stage 1, words: transcripts in words and phones, pronunciations, the languages' phones."""

import logging
from collections import Counter
from collections.abc import Mapping

from lhotse import CutSet

from cascade.config.experiment import Experiment
from cascade.config.recipe import Recipe
from cascade.runtime.files import write_text_table
from cascade.text.lexicon import pronounce, unwritable
from cascade.text.phones import write_phones, write_sharing

log = logging.getLogger("cascade")
Transcripts = Mapping[str, Mapping[str, list[str]]]  # data set, utterance, words
Pronunciations = Mapping[str, tuple[str, ...]]


def build(experiment: Experiment) -> None:
    """Write transcripts, their pronunciations, and phones.

    Raises `UserError` if a word of a transcript has no pronunciation.
    """
    recipe, layout = experiment.recipe, experiment.layout
    transcripts = _transcripts(experiment)
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
        write_text_table(layout.lang / f"lexicon_{name}.txt", lexicons[name])
    counts = _write_phone_texts(experiment, transcripts, lexicons)
    write_phones(layout.phones, counts)
    write_phones(layout.target_phones, {recipe.target: counts[recipe.target]})
    write_sharing(layout.lang / "sharing.tsv", counts)
    _log_sharing(recipe, counts)


def _transcripts(experiment: Experiment) -> dict[str, dict[str, list[str]]]:
    """Read the words of every utterance from the cuts; write them as Kaldi's text."""
    layout = experiment.layout
    transcripts = {}
    for dataset in experiment.recipe.datasets:
        key = experiment.dataset_key(dataset)
        cuts = CutSet.from_jsonl_lazy(layout.cuts(key))
        transcripts[key] = {cut.id: cut.supervisions[0].text.split() for cut in cuts}
        write_text_table(layout.text(key, "words"), transcripts[key])
        speakers = {cut.id: [cut.supervisions[0].speaker] for cut in cuts}
        write_text_table(layout.text(key, "speakers"), speakers)
    return transcripts


def _of_language(experiment: Experiment, name: str) -> list[str]:
    return [experiment.dataset_key(d) for d in experiment.recipe.datasets if d.language == name]


def _write_phone_texts(
    experiment: Experiment,
    transcripts: Transcripts,
    lexicons: Mapping[str, Pronunciations],
) -> dict[str, Counter[str]]:
    """Write every transcript in phones; return the counts of phones by language."""
    recipe = experiment.recipe
    counts = {name: Counter[str]() for name in recipe.languages}
    for dataset in recipe.datasets:
        key = experiment.dataset_key(dataset)
        lexicon = lexicons[dataset.language]
        table = {
            name: [phone for word in words for phone in lexicon[word]]
            for name, words in transcripts[key].items()
        }
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
