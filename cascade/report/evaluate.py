"""Stage 5: scores every system on every test set, and writes the table of results."""

import json
import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cascade.config.experiment import Experiment
from cascade.config.recipe import Recipe
from cascade.config.sections import Dataset
from cascade.decoding.word_times import read_ctm
from cascade.report.comparisons import findings
from cascade.report.environment import environment
from cascade.report.phone_analysis import changes, changes_tsv, phones_tsv, training_phones
from cascade.report.results import SystemResult, TestResult, results, table, write
from cascade.report.training_curves import draw, read_history, trained
from cascade.runtime.errors import UserError
from cascade.runtime.files import read_text_table, write_text
from cascade.scoring.confidence import nce_and_auc, word_confidences
from cascade.scoring.counts import FILE as COUNTS
from cascade.scoring.counts import UtteranceCounts, counts_tsv, utterance_counts
from cascade.scoring.details import write_details
from cascade.scoring.score import Score, counts_of, score_files
from cascade.scoring.speechbox import format_log
from cascade.text.words import WordNormalizer

log = logging.getLogger("cascade")


@dataclass(frozen=True)
class _Scored:
    """A system on a test set."""

    result: SystemResult
    counts: UtteranceCounts
    phones: Score


def evaluate(experiment: Experiment) -> None:
    """Scores every system on every test set, writes the results, and prints the table."""
    recipe, layout = experiment.recipe, experiment.layout
    summary = json.loads((layout.lang / "summary.json").read_text(encoding="utf-8"))
    phones = training_phones(experiment)
    log.info("words are compared by one rule: %s.", _rule(recipe))
    tests = {}
    for dataset in recipe.role("test"):
        test = dataset.label
        scored = {system: _score(experiment, system, dataset) for system in recipe.systems}
        found = {"oov": summary["oov"][test], "oracle": _oracle(experiment, dataset)}
        if recipe.language_model.open:
            found["open"] = True
        found |= _compare(experiment, test, scored, phones)
        found["phone_ngram"] = {s: _phone_ngram(experiment, s, dataset) for s in scored}
        if recipe.decode.nbest:
            found["confidence"] = {
                system: _confidence(experiment, system, dataset) for system in scored
            }
        files = len(read_text_table(layout.text(experiment.dataset_key(dataset), "words")))
        tests[test] = TestResult(files, {s: one.result for s, one in scored.items()}, found)
    training = {system: trained(layout.system(system)) for system in recipe.systems}
    found = results(recipe.name, recipe.seed, tests, training)
    histories = {system: read_history(layout.system(system)) for system in recipe.systems}
    draw(layout.root / "curves.svg", histories)
    write(layout.root, found, environment(recipe))
    print(table(found))


def _compare(
    experiment: Experiment,
    test: str,
    scored: Mapping[str, _Scored],
    training: Mapping[str, Counter],
) -> dict[str, Any]:
    """Compares the systems on a test set with the first that is no cascade."""
    recipe = experiment.recipe
    systems = sorted(recipe.systems, key=lambda system: recipe.systems[system].multilingual)
    counts = {system: scored[system].counts for system in systems}
    phones = {system: scored[system].phones for system in systems}
    changed = changes(phones)
    write_text(experiment.layout.phone_table(test), phones_tsv(phones, training))
    write_text(experiment.layout.phone_changes(test), changes_tsv(changed, training))
    return findings(test, counts, phones, training, changed)


def _score(experiment: Experiment, system: str, dataset: Dataset) -> _Scored:
    """Scores one system on one test set, and writes the details."""
    recipe, layout = experiment.recipe, experiment.layout
    test, key = dataset.label, experiment.dataset_key(dataset)
    folder = layout.decode(system, test)
    words = score_files(layout.text(key, "words"), folder / "words.txt", _rule(recipe))
    phones = score_files(layout.text(key, "phones"), folder / "phones.txt")
    for found, unit in ((words, "words"), (phones, "phones")):
        if found.partial:
            log.warning(
                "%s, %s: %d utterances have no hypothesis in %s; they count as deletions.",
                system,
                test,
                len(found.partial),
                unit,
            )
    counts = counts_of(words, phones, _memory_mb(folder / "decode.json"))
    speakers = {k: v[0] for k, v in read_text_table(layout.text(key, "speakers")).items()}
    when = datetime.now()
    by_utterance = utterance_counts(words, phones, speakers)
    write_details(
        layout.score(system, test),
        words,
        phones,
        speakers,
        {"speechbox.log": format_log(counts, when), COUNTS: counts_tsv(by_utterance)},
    )
    settings = recipe.systems[system]
    result = SystemResult(
        layers=settings.layers,
        neurons=settings.neurons,
        cascade=settings.multilingual,
        share=settings.share if settings.multilingual else None,
        counts=counts,
        model_kb=round(layout.model(system).stat().st_size / 1024),
    )
    return _Scored(result, by_utterance, phones)


def _confidence(experiment: Experiment, system: str, dataset: Dataset) -> dict[str, Any]:
    """How far the confidences of a decoding part right words from wrong ones."""
    reference = read_text_table(experiment.layout.text(experiment.dataset_key(dataset), "words"))
    ctm = read_ctm(experiment.layout.decode(system, dataset.label) / "words.ctm")
    return nce_and_auc(*word_confidences(reference, ctm, _rule(experiment.recipe)))


def _phone_ngram(experiment: Experiment, system: str, dataset: Dataset) -> dict[str, Any]:
    """The phone error rates of the search with the phone n-gram, with their counts."""
    reference = experiment.layout.text(experiment.dataset_key(dataset), "phones")
    found = score_files(
        reference, experiment.layout.decode(system, dataset.label) / "phones_ngram.txt"
    )
    counts = counts_of(found, found, None)
    return {
        "PH_ERRORS": counts.ph_errors,
        "PH_TERRORS": counts.ph_terrors,
        "ALL_PHONES": counts.all_phones,
        "PER": None if counts.per is None else round(counts.per, 4),
        "PERc": None if counts.perc is None else round(counts.perc, 4),
    }


def _oracle(experiment: Experiment, dataset: Dataset) -> dict[str, float]:
    """The word error rates that the reference phones give, through the same graph."""
    reference = experiment.layout.text(experiment.dataset_key(dataset), "words")
    words = score_files(
        reference, experiment.layout.oracle(dataset.label), _rule(experiment.recipe)
    )
    counts = counts_of(words, words, 0)
    return {"WER": round(counts.wer, 4), "WERc": round(counts.werc, 4)}


def _rule(recipe: Recipe) -> WordNormalizer:
    """How words of reference and hypothesis are compared."""
    language = recipe.target_language
    return WordNormalizer(language.letters, language.fold)


def _memory_mb(path: Path) -> int:
    """The peak memory of a decoding, as it measured itself."""
    try:
        return int(json.loads(path.read_text(encoding="utf-8"))["memory_mb"])
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(f"{path} does not read. Run stage 4 again.") from None
