"""Stage 0: lists every corpus, checks it, and writes Lhotse manifests.

What fails a check is left out and stands in ``excluded.tsv``; more than the recipe's
limit stops the run. All findings are printed before it stops.
"""

import hashlib
import logging
from collections import Counter
from pathlib import Path

from cascade import corpus, workers
from cascade.check import Checked, check_pronunciations, check_utterance, warnings
from cascade.corpus import Excluded, Utterance
from cascade.errors import UserError
from cascade.layout import Layout, dataset_key, dataset_name
from cascade.ledger import write_ledger
from cascade.manifests import write_manifests
from cascade.recipe import Dataset, Recipe
from cascade.stage import Found

log = logging.getLogger("cascade")
SHOWN = 10  # findings printed a data set; the ledger has all


def prepare(recipe: Recipe, layout: Layout, jobs: int) -> Found:
    """Writes the manifests of every data set; returns the files that went into them.

    Raises `UserError` where a data set is empty or loses more than the recipe's
    ``limits.max_excluded``, after all of them have been checked.
    """
    sources: list[Path] = []
    ledger, failures, good = [], [], []
    owners: dict[tuple[Path, float], str] = {}
    for name in dict.fromkeys(dataset.corpus for dataset in recipe.datasets):
        if corpus.load(name).LICENCE:
            log.info("Licence of %s: %s", name, corpus.load(name).LICENCE)
    with workers.pool(jobs) as pool:
        for dataset in recipe.datasets:
            key = dataset_key(recipe, dataset)
            kept, excluded, files = _check_dataset(recipe, dataset, layout, pool, jobs)
            passed = len(kept)
            if dataset.role == "train":
                kept, spared = _subset(kept, recipe)
                excluded += spared
            failures += _shared(key, dataset.role, kept, owners)
            ledger += [(key, item) for item in excluded]
            failures += _judge(recipe, dataset, key, kept, excluded, passed)
            good.append((key, dataset, kept))
            sources += files  # those that failed a check, too: they may be mended
            if dataset.path:
                sources += _tables(Path(dataset.path))
    write_ledger(layout.excluded, ledger)
    training = [dataset_key(recipe, dataset) for dataset in recipe.role("train")]
    for warning in warnings({key: kept for key, _, kept in good}, training):
        log.warning("warning: %s.", warning)
    if failures:
        raise UserError("\n".join(failures))
    for key, dataset, kept in good:
        write_manifests(key, dataset.language, kept, layout)
    return Found(inputs=sources)


def _check_dataset(recipe, dataset: Dataset, layout: Layout, pool, jobs: int):
    """Lists a data set and checks it: what is kept, what is not, and all audio files."""
    request = corpus.Request(
        downloads=layout.downloads,
        data=layout.data,
        part=dataset.part,
        path=Path(dataset.path) if dataset.path else None,
        rate=recipe.features.rate,
        jobs=jobs,
    )
    listed: list[Utterance] = []
    excluded: list[Excluded] = []
    seen = set()
    for item in corpus.listing(dataset.corpus, request):
        if item.id in seen:
            raise UserError(f"Corpus '{dataset.corpus}' lists the utterance '{item.id}' twice.")
        seen.add(item.id)
        (excluded if isinstance(item, Excluded) else listed).append(item)
    letters = recipe.languages[dataset.language].letters
    arguments = [(item, letters, recipe.features.rate, recipe.limits) for item in listed]
    kept: list[Checked] = []
    for result in pool.map(check_utterance, arguments, chunksize=64):
        (excluded if isinstance(result, Excluded) else kept).append(result)
    language = recipe.languages[dataset.language]
    kept, unspeakable = check_pronunciations(kept, language, recipe.features.stack)
    excluded += unspeakable
    return kept, excluded, sorted({item.audio for item in listed})


def _subset(kept: list[Checked], recipe: Recipe) -> tuple[list[Checked], list[Excluded]]:
    """The seeded part of the target's training speech that the recipe asks for.

    Utterances come in an order that the seed and their ids alone decide, so that a
    smaller part is always inside a larger one.
    """
    if recipe.target_minutes == "all":
        return kept, []
    wanted = float(recipe.target_minutes) * 60
    total, chosen = 0.0, set()
    for item in sorted(kept, key=lambda item: _rank(recipe.seed, item.id)):
        if total >= wanted:
            break
        total += item.seconds
        chosen.add(item.id)
    if total < wanted:
        log.warning(
            "target_minutes: %s, but there are only %.1f minutes; all are used.",
            recipe.target_minutes,
            total / 60,
        )
    reason = f"beyond target_minutes: {recipe.target_minutes}"
    spared = [Excluded(k.id, reason, k.seconds, True) for k in kept if k.id not in chosen]
    return [k for k in kept if k.id in chosen], spared


def _rank(seed: int, utterance: str) -> bytes:
    return hashlib.sha256(f"{seed} {utterance}".encode()).digest()


def _shared(key: str, role: str, kept: list[Checked], owners: dict) -> list[str]:
    """The reason to stop where a data set is trained on what judges it.

    ``owners`` maps the recordings seen so far, and where in them, to their data set.
    """
    found = []
    for item in kept:
        other = owners.setdefault((item.audio, item.start), key)
        if other != key and "train" in (role, other.partition("_")[0]):
            found.append(f"{item.id} ({item.audio}) is both in {other} and {key}.")
    return found[:SHOWN]


def _judge(recipe: Recipe, dataset: Dataset, key: str, kept, excluded, passed: int) -> list[str]:
    """Logs what a data set holds; returns the reason to stop, if there is one.

    ``passed`` utterances are without fault, whether ``target_minutes`` wants them or not.
    """
    faults = [item for item in excluded if not item.selection]
    chosen = Counter(item.reason for item in excluded if item.selection)
    speakers = len({item.speaker for item in kept})
    log.info(
        "%s: %d utterances, %.1f min, %d speaker%s (%s)",
        key,
        len(kept),
        sum(item.seconds for item in kept) / 60,
        speakers,
        "" if speakers == 1 else "s",
        dataset_name(dataset),
    )
    for reason, count in chosen.most_common():
        log.info("  not taken: %d, %s", count, reason)
    for item in faults[:SHOWN]:
        log.warning("  left out: %s: %s.", item.id, item.reason)
    if len(faults) > SHOWN:
        log.warning("  ... and %d more, see excluded.tsv", len(faults) - SHOWN)
    total = passed + len(faults)
    if not kept:
        return [f"{key}: not one utterance of corpus '{dataset.corpus}' is usable."]
    if len(faults) > recipe.limits.excluded_share * total:
        return [
            f"{key}: {len(faults)} of {total} utterances fail the checks, more than"
            f" limits.max_excluded: {recipe.limits.max_excluded} lets pass."
            f" Mend them (excluded.tsv names each), or raise the limit."
        ]
    return []


def _tables(path: Path) -> list[Path]:
    """The user's own lists: their change makes stage 0 stale as much as a recording's."""
    return [path] if path.is_file() else sorted(p for p in path.glob("*") if p.is_file())
