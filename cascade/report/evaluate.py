"""Stage 5: scores every system on every test set, and writes the results."""

import csv
import json
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cascade.config.experiment import Experiment
from cascade.config.recipe import Recipe
from cascade.config.sections import Evaluation
from cascade.decoding.word_times import read_ctm
from cascade.report.comparisons import compare_systems
from cascade.report.environment import environment
from cascade.report.phone_analysis import changes, changes_tsv, phones_tsv, training_phones
from cascade.report.results import SystemResult, TestResult, results_json, write
from cascade.report.results_page import Speakers, summary
from cascade.report.training_curves import draw, read_history, trained
from cascade.report.training_speech import training_speech
from cascade.runtime.errors import UserError
from cascade.runtime.files import read_text_table, write_text
from cascade.scoring.confidence import nce_and_auc, word_confidences
from cascade.scoring.counts import FILE as COUNTS
from cascade.scoring.counts import UtteranceCounts, counts_tsv, utterance_counts
from cascade.scoring.details import write_details
from cascade.scoring.score import Score, counts_of, score, score_files
from cascade.scoring.speechbox import format_log
from cascade.text.segments import UNSPACED
from cascade.text.words import WordNormalizer

log = logging.getLogger("cascade")


@dataclass(frozen=True)
class _Scored:
    """A system on a test set."""

    result: SystemResult
    counts: UtteranceCounts
    phones: Score


def evaluate(experiment: Experiment) -> None:
    """Score every system on every test set, write the results, and print their summary."""
    recipe, layout = experiment.recipe, experiment.layout
    language = json.loads((layout.lang / "summary.json").read_text(encoding="utf-8"))
    phones = training_phones(experiment)
    log.info("words are compared by one rule: %s.", _normalizer(recipe))
    tests, speakers = {}, {}
    for test in recipe.tests:
        scored = {system: _score(experiment, system, test) for system in recipe.systems}
        oov = language["oov"][test.dataset.label]
        extra: dict[str, Any] = {"oov": oov, "oracle": _oracle(experiment, test)}
        if test.adapted:
            extra["adapted"] = {system: _adapted(experiment, system, test) for system in scored}
        if recipe.language_model.open:
            extra["open"] = True
        if recipe.target_language.code in UNSPACED:
            extra["unspaced"] = True
        extra |= _compare(experiment, test.label, scored, phones)
        extra["phone_ngram"] = {s: _phone_ngram(experiment, s, test) for s in scored}
        if recipe.decode.nbest:
            extra["confidence"] = {s: _confidence(experiment, s, test) for s in scored}
        files = len(read_text_table(_reference(experiment, test, "words")))
        tests[test.label] = TestResult(files, {s: one.result for s, one in scored.items()}, extra)
        known = _speakers(experiment, test)
        if known:
            speakers[test.label] = known
    speech = training_speech(experiment)
    training = {s: trained(layout.system(s)) | {"speech": speech[s]} for s in recipe.systems}
    results = results_json(recipe.name, recipe.seed, tests, training)
    histories = {system: read_history(layout.system(system)) for system in recipe.systems}
    draw(layout.root / "curves.svg", histories)
    write(layout.root, results, environment(recipe, map(layout.system, recipe.systems)), speakers)
    print(summary(results, speakers))
    print(f"\nThe rest: {layout.root}/RESULTS.md, DETAILS.md and results.json.")


def _compare(
    experiment: Experiment,
    test: str,
    scored: Mapping[str, _Scored],
    training: Mapping[str, Counter],
) -> dict[str, Any]:
    """Compare the systems on a test set with the first one that only the target trained."""
    recipe = experiment.recipe
    systems = sorted(recipe.systems, key=lambda system: recipe.systems[system].multilingual)
    counts = {system: scored[system].counts for system in systems}
    phones = {system: scored[system].phones for system in systems}
    changed = changes(phones)
    write_text(experiment.layout.phone_table(test), phones_tsv(phones, training))
    write_text(experiment.layout.phone_changes(test), changes_tsv(changed, training))
    return compare_systems(test, counts, phones, training, changed)


def _reference(experiment: Experiment, test: Evaluation, unit: str) -> Path:
    """Return the file with the words, phones or speakers of a test's utterances."""
    return experiment.layout.text(experiment.dataset_key(test.dataset), unit)


def _score(experiment: Experiment, system: str, test: Evaluation) -> _Scored:
    """Score one system on one test set, and write the details."""
    recipe, layout = experiment.recipe, experiment.layout
    folder = layout.decode(system, test.label)
    reference = _reference(experiment, test, "words")
    words = score_files(reference, folder / "words.txt", _normalizer(recipe))
    phones = score_files(_reference(experiment, test, "phones"), folder / "phones.txt")
    for scored, unit in ((words, "words"), (phones, "phones")):
        if scored.partial:
            log.warning(
                "%s, %s: %d utterances have no hypothesis in %s; they count as deletions.",
                system,
                test.label,
                len(scored.partial),
                unit,
            )
    characters = score(_characters(words.ref), _characters(words.hyp))
    counts = counts_of(words, phones, _memory_mb(folder / "decode.json"))
    named = read_text_table(_reference(experiment, test, "speakers"))
    speakers = {utterance: name for utterance, (name,) in named.items()}
    by_utterance = utterance_counts(words, phones, speakers)
    extra = {"speechbox.log": format_log(counts), COUNTS: counts_tsv(by_utterance)}
    write_details(layout.score(system, test.label), words, phones, speakers, extra)
    settings = recipe.systems[system]
    result = SystemResult(
        layers=settings.layers,
        neurons=settings.neurons,
        encoder=recipe.encoder_of(system),
        cascade=settings.multilingual,
        share=settings.share if settings.multilingual else None,
        counts=counts,
        teacher=settings.teacher,
        untranscribed=sorted(experiment.dataset_key(d) for d in recipe.transcribed_for(system)),
        model_kb=round(layout.model(system).stat().st_size / 1024),
        characters=(characters.errors, characters.total),
    )
    return _Scored(result, by_utterance, phones)


def _characters(texts: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return the characters of each text's words, without spaces."""
    return {utterance: list("".join(words)) for utterance, words in texts.items()}


def _speakers(experiment: Experiment, test: Evaluation) -> Speakers | None:
    """Count the speakers of a test set, and those in training speech; None if not all known."""

    def names(key: str) -> set[str]:
        table = read_text_table(experiment.layout.text(key, "speakers"))
        return {speaker for (speaker,) in table.values()}

    speakers = names(experiment.dataset_key(test.dataset))
    if "unknown" in speakers:
        return None

    def of_roles(*roles: str) -> set[str]:
        return speakers & set[str]().union(*map(names, experiment.dataset_keys(*roles)))

    training = of_roles("train", "train_ext")
    untranscribed = of_roles("train_untranscribed") if experiment.recipe.teachers else set()
    return Speakers(len(speakers), len(training), len(untranscribed - training))


def _adapted(experiment: Experiment, system: str, test: Evaluation) -> int:
    """Return to how many speakers of a test a system has adapted."""
    with experiment.layout.adaptation(system, test.label).open(encoding="utf-8") as table:
        return sum(row["used"] != "0" for row in csv.DictReader(table, delimiter="\t"))


def _confidence(experiment: Experiment, system: str, test: Evaluation) -> dict[str, Any]:
    """Return how well the confidences of words tell correct words from wrong ones."""
    reference = read_text_table(_reference(experiment, test, "words"))
    ctm = read_ctm(experiment.layout.decode(system, test.label) / "words.ctm")
    return nce_and_auc(*word_confidences(reference, ctm, _normalizer(experiment.recipe)))


def _phone_ngram(experiment: Experiment, system: str, test: Evaluation) -> dict[str, Any]:
    """Return the phone errors of the search with the phone n-gram."""
    folder = experiment.layout.decode(system, test.label)
    score = score_files(_reference(experiment, test, "phones"), folder / "phones_ngram.txt")
    counts = counts_of(score, score, None)
    return {
        "PH_ERRORS": counts.ph_errors,
        "PH_TERRORS": counts.ph_terrors,
        "ALL_PHONES": counts.all_phones,
        "PER": None if counts.per is None else round(counts.per, 4),
        "PERc": None if counts.perc is None else round(counts.perc, 4),
    }


def _oracle(experiment: Experiment, test: Evaluation) -> dict[str, float]:
    """Return the word error rates of the reference phones, decoded with the same graph."""
    hypotheses = experiment.layout.oracle(test.dataset.label)
    reference = _reference(experiment, test, "words")
    words = score_files(reference, hypotheses, _normalizer(experiment.recipe))
    return {
        "WER": round(100 * words.errors / words.total, 4),
        "WERc": round(100 * words.terrors / words.total, 4),
    }


def _normalizer(recipe: Recipe) -> WordNormalizer:
    """Return how words of reference and hypothesis are compared."""
    return WordNormalizer(recipe.target_language)


def _memory_mb(path: Path) -> int:
    """Return the peak memory of a decoding in MiB, as stage 4 has written it."""
    try:
        return int(json.loads(path.read_text(encoding="utf-8"))["memory_mb"])
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(f"{path} is missing or damaged. Run stage 4 again.") from None
