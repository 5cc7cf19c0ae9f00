"""Stage 0: lists every corpus, checks it, and writes Lhotse manifests.

What fails a check is left out and stands in ``excluded.tsv``; more than the recipe's
limit stops the run. All findings are printed before it stops.
"""

import functools
import hashlib
import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lhotse import MonoCut, Recording, SupervisionSegment
from lhotse.audio import AudioSource

from cascade import audio, corpus, text, workers
from cascade.corpus import Excluded, Utterance
from cascade.errors import UserError
from cascade.files import write_jsonl_gz, write_text
from cascade.layout import Layout, dataset_key, dataset_name
from cascade.recipe import Dataset, Recipe

log = logging.getLogger("cascade")
SHOWN = 10  # findings printed a data set; the ledger has all


@dataclass(frozen=True)
class Checked:
    """An utterance that passed: normalised words, and the part of its recording it is."""

    id: str
    audio: Path
    words: tuple[str, ...]
    speaker: str
    start: float
    seconds: float
    info: audio.AudioInfo
    digest: str


def prepare(recipe: Recipe, layout: Layout, jobs: int) -> list[Path]:
    """Writes the manifests of every data set; returns the files that went into them.

    Raises `UserError` where a data set is empty or loses more than the recipe's
    ``limits.max_excluded``, after all of them have been checked.
    """
    sources: list[Path] = []
    ledger, failures, good = [], [], []
    owners: dict[str, str] = {}
    for name in dict.fromkeys(dataset.corpus for dataset in recipe.datasets):
        if corpus.load(name).LICENCE:
            log.info("Licence of %s: %s", name, corpus.load(name).LICENCE)
    with workers.pool(jobs) as pool:
        for dataset in recipe.datasets:
            key = dataset_key(recipe, dataset)
            kept, excluded, files = _check_dataset(recipe, dataset, layout, pool, jobs)
            for item in kept:
                if item.id in owners:
                    raise UserError(
                        f"Utterance '{item.id}' is both in {owners[item.id]} and {key}."
                    )
                owners[item.id] = key
            passed = len(kept)
            if dataset.role == "train":
                kept, spared = _subset(kept, recipe)
                excluded += spared
            ledger += [(key, item) for item in excluded]
            failures += _judge(recipe, dataset, key, kept, excluded, passed)
            good.append((key, dataset, kept))
            sources += files  # those that failed a check, too: they may be mended
            if dataset.path:
                sources += _tables(Path(dataset.path))
    _write_ledger(layout.excluded, ledger)
    if failures:
        raise UserError("\n".join(failures))
    for key, dataset, kept in good:
        _write(key, dataset, kept, layout)
    return sources


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
    for result in pool.map(_check_utterance, arguments, chunksize=64):
        (excluded if isinstance(result, Excluded) else kept).append(result)
    return kept, excluded, sorted({item.audio for item in listed})


def _check_utterance(arguments) -> Checked | Excluded:
    """Every check of one utterance; the first that fails is the reason."""
    item, letters, rate, limits = arguments
    if not item.id or any(c.isspace() for c in item.id):
        return Excluded(repr(item.id), "the utterance id is empty or has white space in it")
    try:
        info = audio.inspect(item.audio)
    except UserError as error:
        return Excluded(item.id, str(error))
    end = info.seconds if item.end is None else item.end
    seconds = round(min(end, info.seconds) - item.start, 6)  # lists round their times

    def fault(reason: str) -> Excluded:
        return Excluded(item.id, reason, max(0.0, seconds))

    if info.rate != rate:
        return fault(
            f"{item.audio} is sampled at {info.rate} Hz, the recipe wants {rate} Hz: resample it"
        )
    if info.channels != 1:
        return fault(f"{item.audio} has {info.channels} channels: choose or mix them to one")
    if item.start < 0 or seconds <= 0 or end > info.seconds + 0.01:
        return fault(
            f"{item.start} to {end} s does not lie in {item.audio} of {info.seconds:.2f} s"
        )
    if not limits.min_seconds <= seconds <= limits.max_seconds:
        return fault(
            f"{seconds:.2f} s is not within the recipe's"
            f" {limits.min_seconds} to {limits.max_seconds} s"
        )
    words = text.words_of(item.text, letters)
    if not words:
        return fault("the transcript is empty")
    odd = text.foreign(words, letters)
    if odd:
        return fault(f"the transcript has {odd}")
    digest = _digest(item.audio)
    speaker = item.speaker or "unknown"
    return Checked(item.id, item.audio, tuple(words), speaker, item.start, seconds, info, digest)


@functools.lru_cache(maxsize=1)  # segments of one recording come one after the other
def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


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


def _write(key: str, dataset: Dataset, kept: Iterable[Checked], layout: Layout) -> None:
    """Lhotse's three manifests of a data set, and the SHA-256 of its audio files."""
    recordings, cuts, digests = {}, [], {}
    for item in kept:
        whole = item.start == 0 and item.seconds == round(item.info.seconds, 6)
        recording = Recording(
            id=item.id if whole else str(item.audio),
            sources=[AudioSource(type="file", channels=[0], source=str(item.audio))],
            sampling_rate=item.info.rate,
            num_samples=item.info.samples,
            duration=item.info.seconds,
        )
        supervision = SupervisionSegment(
            id=item.id,
            recording_id=recording.id,
            start=0.0,
            duration=item.seconds,
            text=" ".join(item.words),
            language=dataset.language,
            speaker=item.speaker,
        )
        cut = MonoCut(
            id=item.id,
            start=item.start,
            duration=item.seconds,
            channel=0,
            supervisions=[supervision],
            recording=recording,
        )
        recordings[recording.id] = recording.to_dict()
        cuts.append(cut.to_dict())
        digests[str(item.audio)] = item.digest
    supervisions = [{**c["supervisions"][0], "start": c["start"]} for c in cuts]
    write_jsonl_gz(layout.recordings(key), recordings.values())
    write_jsonl_gz(layout.supervisions(key), supervisions)
    write_jsonl_gz(layout.cuts(key), cuts)
    lines = (f"{digest}  {path}\n" for path, digest in digests.items())
    write_text(layout.audio_digests(key), "".join(lines))


def _write_ledger(path: Path, rows: list[tuple[str, Excluded]]) -> None:
    lines = ["dataset\tutterance\treason\tseconds\tkind\n"]
    for key, item in rows:
        seconds = "" if item.seconds is None else f"{item.seconds:.2f}"
        reason = " ".join(item.reason.split())
        kind = "selection" if item.selection else "fault"
        lines.append(f"{key}\t{item.id}\t{reason}\t{seconds}\t{kind}\n")
    write_text(path, "".join(lines))


def _tables(path: Path) -> list[Path]:
    """The user's own lists: their change makes stage 0 stale as much as a recording's."""
    return [path] if path.is_file() else sorted(p for p in path.glob("*") if p.is_file())
