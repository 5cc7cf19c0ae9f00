"""Stage 0: list every corpus, check it, and write Lhotse manifests.

What fails a check is left out and listed in ``excluded.tsv``. More than the recipe's limit
stops the run, after all data sets were checked. Synthetic speech of the target language is checked
after the valid and test sets, since no sentence of them may be in the training.
"""

import logging
from collections.abc import Iterable
from contextlib import ExitStack

import numpy as np

from cascade.config.experiment import Experiment
from cascade.corpora import corpus
from cascade.corpora.kaldi_archives import size_mismatch
from cascade.data.dataset_checks import (
    ListedDataset,
    UsableDataset,
    check_pronunciations,
    check_utterances,
    list_dataset,
)
from cascade.data.ledger import ledger
from cascade.data.manifests import manifests
from cascade.data.overlap import overlap_warnings, shared_recordings
from cascade.data.selection import (
    SelectedDataset,
    acronyms_in,
    choose_minutes,
    failure,
    leave_out_heard,
    limit_speakers,
    log_contents,
    write_selection,
)
from cascade.data.utterance_checks import CheckedUtterance
from cascade.data.utterance_file import UtteranceFile
from cascade.runtime import workers
from cascade.runtime.errors import UserError
from cascade.runtime.files import replacing
from cascade.runtime.stage import JobFiles
from cascade.runtime.stamp import Sources
from cascade.text.segments import how

log = logging.getLogger("cascade")


def prepare(experiment: Experiment, jobs: int) -> JobFiles:
    """Write the manifests of every data set; return the files that went into them.

    Raises `UserError` if a data set is empty, loses more than the recipe's
    ``limits.max_excluded``, or shares recordings with the training; all reasons at once.
    """
    recipe, layout = experiment.recipe, experiment.layout
    for name in dict.fromkeys(dataset.corpus for dataset in recipe.datasets):
        if corpus.load(name).LICENCE:
            log.info("Licence: %s", corpus.load(name).LICENCE)
    for name in recipe.languages:
        if cut := how(recipe.languages[name].code):
            log.info("%s: %s.", name, cut)
    source_list = layout.root / ".stamps" / "0.corpora.sources"
    with ExitStack() as outputs:  # the manifests, which appear if nothing fails
        with ExitStack() as findings, workers.pool(jobs) as pool:
            sources = Sources(findings.enter_context(replacing(source_list)))
            add_row = findings.enter_context(ledger(layout.excluded))

            datasets = [list_dataset(experiment, d, jobs, add_row) for d in recipe.datasets]
            choices: dict[str, tuple[UsableDataset, np.ndarray]] = {}
            held_out: dict[int, str] = {}  # sentences that no program may speak for training

            def check(listed: ListedDataset) -> UsableDataset:
                path = layout.root / "manifests" / f".{listed.key}.utterances"
                utterances = outputs.enter_context(UtteranceFile(path))
                checked = check_utterances(listed, pool, sources, utterances)
                excluded = held_out if listed.synthetic_training else {}
                return check_pronunciations(checked, excluded)

            def limited(listed: ListedDataset) -> UsableDataset:
                return limit_speakers(check(listed))

            if any(listed.synthetic_training for listed in datasets):
                for listed in datasets:
                    if listed.dataset.role in ("valid", "test"):
                        usable = limited(listed)
                        choices[listed.key] = usable, usable.numbers
                        held_out |= dict.fromkeys(usable.sentences(), listed.key)
            training = [limited(listed) for listed in datasets if listed.dataset.role == "train"]
            chosen = choose_minutes(training, recipe.target_minutes)
            choices |= {
                usable.listed.key: (usable, numbers)
                for usable, numbers in zip(training, chosen, strict=True)
            }
            for listed in datasets:
                if listed.dataset.transcribed and listed.key not in choices:
                    usable = limited(listed)
                    choices[listed.key] = usable, usable.numbers
            transcribed = [usable for usable, _ in choices.values()]
            capitals = {name: acronyms_in(name, transcribed) for name in recipe.languages}
            selected: dict[str, SelectedDataset] = {}
            # Untranscribed speech comes last: it is what the others do not have.
            for listed in sorted(datasets, key=lambda one: not one.dataset.transcribed):
                if not listed.dataset.transcribed:
                    usable = check(listed)
                    others = [one.fingerprints for one in selected.values()]
                    left = limit_speakers(leave_out_heard(usable, others))
                    # `usable` has the other recordings, too, so that features are shared.
                    choices[listed.key] = usable, left.numbers
                language, rate = listed.dataset.language, recipe.features.rate
                write = outputs.enter_context(
                    manifests(listed.key, language, rate, layout, capitals[language])
                )
                selected[listed.key] = write_selection(*choices[listed.key], write)
                log_contents(selected[listed.key])
        failures = [reason for one in selected.values() if (reason := failure(one))]
        failures += _compare(experiment, selected)
        if failures:
            raise UserError("\n".join(failures))
    digests = {path: known for listed in datasets for path, known in listed.list_digests.items()}
    return JobFiles(inputs=list(digests), input_digests=digests, sources=source_list)


def _compare(experiment: Experiment, selected: dict[str, SelectedDataset]) -> list[str]:
    """Compare the data sets with each other; log warnings, return the reasons to stop."""

    def utterances(key: str, numbers: Iterable[int]) -> list[CheckedUtterance]:
        return selected[key].usable.utterances.pick(map(int, numbers))

    fingerprints = {key: one.fingerprints for key, one in selected.items()}
    datasets = {key: one.usable.listed.dataset for key, one in selected.items()}
    roles = {key: dataset.role for key, dataset in datasets.items()}
    target = {key for key, one in datasets.items() if one.language == experiment.recipe.target}
    for warning in overlap_warnings(fingerprints, roles, target, utterances):
        log.warning("warning: %s.", warning)
    failures = shared_recordings(fingerprints, roles, utterances)
    filters = experiment.recipe.features.filters
    mismatch = size_mismatch(
        {key: one.usable.feature_size or filters for key, one in selected.items()}
    )
    return [*failures, mismatch] if mismatch else failures
