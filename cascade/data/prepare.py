"""Stage 0: lists every corpus, checks it, and writes Lhotse manifests.

What fails a check is left out and stands in ``excluded.tsv``; more than the recipe's
limit stops the run. All findings are printed before it stops.
"""

import logging
from contextlib import ExitStack
from pathlib import Path

from cascade.config.experiment import Experiment
from cascade.corpora import corpus
from cascade.corpora.kaldi_archives import differing
from cascade.data.dataset_checks import Intake, shorten
from cascade.data.ledger import ledger
from cascade.data.manifests import manifests
from cascade.data.overlap import trained_on, warnings
from cascade.data.utterance_checks import Checked
from cascade.runtime import workers
from cascade.runtime.errors import UserError
from cascade.runtime.files import replacing
from cascade.runtime.stage import JobFiles
from cascade.runtime.stamp import ABSENT, Digest, Sources, digest

log = logging.getLogger("cascade")


def prepare(experiment: Experiment, jobs: int) -> JobFiles:
    """Writes the manifests of every data set; returns the files that went into them.

    Raises `UserError` where a data set is empty or loses more than the recipe's
    ``limits.max_excluded``, after all of them have been checked.
    """
    recipe, layout = experiment.recipe, experiment.layout
    for name in dict.fromkeys(dataset.corpus for dataset in recipe.datasets):
        if corpus.load(name).LICENCE:
            log.info("Licence of %s: %s", name, corpus.load(name).LICENCE)
    listed = layout.root / ".stamps" / "0.corpora.sources"
    sets: dict[str, Intake] = {}
    failures: list[str] = []
    with ExitStack() as stack:  # of manifests, which appear if nothing fails
        with ExitStack() as findings, workers.pool(jobs) as pool:
            sources = Sources(findings.enter_context(replacing(listed)))
            exclude = findings.enter_context(ledger(layout.excluded))
            before: dict[Path, Digest] = {}  # of the user's lists
            for dataset in recipe.datasets:
                found = Intake(experiment, dataset, jobs, exclude)
                sets[found.key] = found
                stack.callback(found.spool.close)
                own = corpus.lists(dataset.corpus, found.request)
                before |= {path: digest(path) or ABSENT for path in own}
                found.look()
            training = [found for found in sets.values() if found.dataset.role == "train"]
            for found in training:
                found.check(pool, sources)
                found.pronounce()
            shorten(training, recipe.target_minutes)
            for found in sets.values():
                if found not in training:
                    found.check(pool, sources)
                    found.pronounce()
                language, rate = found.dataset.language, recipe.features.rate
                write = stack.enter_context(manifests(found.key, language, rate, layout))
                found.keep(write)
                failures += found.judge()

        def named(key: str, numbers) -> list[Checked]:
            return sets[key].spool.some(map(int, numbers))

        traits = {key: found.traits for key, found in sets.items()}
        roles = {key: found.dataset.role for key, found in sets.items()}
        for warning in warnings(traits, [found.key for found in training], named):
            log.warning("warning: %s.", warning)
        failures += trained_on(traits, roles, named)
        wrong = differing({key: s.dim or recipe.features.filters for key, s in sets.items()})
        failures += [wrong] if wrong else []
        if failures:
            raise UserError("\n".join(failures))
    return JobFiles(inputs=list(before), input_digests=before, sources=listed)
