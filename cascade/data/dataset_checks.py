"""A data set on its way through stage 0: listed, checked, spooled, chosen from, judged.

Utterances pass through one by one; memory holds a few dozen bytes of each. They are
spooled to disk, and read from there when the words of all are known.
"""

import hashlib
import logging
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from cascade.config.experiment import Experiment
from cascade.config.sections import Dataset
from cascade.corpora import corpus, split
from cascade.corpora.corpus import Excluded, Utterance
from cascade.data.checked_utterances import Spool
from cascade.data.overlap import Traits, short
from cascade.data.utterance_checks import Checked, Rules, check_pronunciation, check_utterance
from cascade.runtime import workers
from cascade.runtime.errors import UserError
from cascade.runtime.progress import meter
from cascade.runtime.stamp import Sources
from cascade.text.lexicon import look_up

log = logging.getLogger("cascade")
SHOWN = 10  # findings printed a data set; the ledger has all
CHUNK = 32  # utterances that a worker process takes at once


class Intake:
    """What is known of a data set while it is prepared.

    ``exclude`` takes the data set's key and what is left out of it. Without ``listen``
    recordings are not decoded, only their headers are read.
    """

    def __init__(
        self,
        experiment: Experiment,
        dataset: Dataset,
        jobs: int,
        exclude: Callable[[str, Excluded], None],
        listen: bool = True,
    ):
        recipe, layout = experiment.recipe, experiment.layout
        self.recipe = recipe
        self.dataset = dataset
        self.language = recipe.languages[dataset.language]
        self.key = experiment.dataset_key(dataset)
        self.request = corpus.CorpusRequest(
            downloads=layout.downloads,
            data=layout.data,
            part=dataset.part,
            path=Path(dataset.path) if dataset.path else None,
            language=dataset.language,
            rate=recipe.features.rate,
            jobs=jobs,
        )
        self.spool = Spool(layout.root / "manifests" / f".{self.key}.spool")
        self.traits = Traits()
        self.words: set[str] = set()
        self.passed = array("Q")  # numbers in the spool
        self.ranks, self.seconds = array("Q"), array("d")  # of each that passed
        self.chosen: np.ndarray | None = None  # those of ``passed`` to keep; None for all
        self.mixed: Counter[int] = Counter()  # recordings by their number of channels
        self.faults: list[Excluded] = []  # the first few
        self.fault_count = 0
        self.not_taken: Counter[str] = Counter()
        self.kept_seconds = 0.0
        self.listed: int | None = None  # utterances; of a corpus that is fetched, not counted
        self.dim = 0  # of features that the corpus has ready in place of audio
        self._exclude = exclude
        self._listen = listen

    def exclude(self, item: Excluded) -> None:
        self._exclude(self.key, item)
        if item.selection:
            self.not_taken[item.reason] += 1
        else:
            self.fault_count += 1
            self.faults += [item] * (len(self.faults) < SHOWN)

    def look(self) -> None:
        """Reads the user's own lists to their end; raises `UserError`.

        What is wrong with the last line is said before hours go into the recordings.
        """
        if corpus.own(self.dataset.corpus):
            self.listed = sum(1 for _ in self._listing())

    def check(self, pool: ProcessPoolExecutor, sources: Sources) -> None:
        """Lists the corpus, and spools what passes the checks of one utterance.

        ``sources`` get all recordings, those that fail, too: they may be mended.
        """
        chosen = self.dataset.channel
        channel = None if chosen in (None, "mix") else int(chosen)
        limits, rate = self.recipe.limits, self.recipe.features.rate
        rules = Rules(self.language.letters, rate, limits, channel, self._listen)
        tasks = workers.chunks(((item, rules) for item in self._listing()), CHUNK)
        checked = workers.in_order(pool, _check, tasks, 2 * self.request.jobs)
        with meter(self.key, self.listed, "utterances") as advance:
            for results in checked:
                for result, path, known in results:
                    if path is not None:
                        sources.add(path, known)
                    self._take(result)
                advance(len(results))

    def _take(self, result: Checked | Excluded) -> None:
        """Spools an utterance that was checked, or notes why it is left out."""
        if isinstance(result, Checked):
            self.dim = self.dim or result.dim
            if result.dim != self.dim:
                reason = f"its features are of size {result.dim}, those before of {self.dim}"
                result = Excluded(result.id, reason, result.seconds)
        if isinstance(result, Excluded):
            self.exclude(result)
        else:
            self.spool.add(result)
            self.words.update(result.words)

    def _listing(self) -> Iterator[Utterance | Excluded]:
        """What the corpus lists; raises `UserError` at its end where an id came twice."""
        ids = array("Q")
        name = self.dataset.corpus
        for item in split.part(corpus.listing(name, self.request), self.dataset.split):
            ids.append(short(item.id))
            yield item
        found, times = np.unique(np.frombuffer(ids, np.uint64), return_counts=True)
        twice = set(found[times > 1].tolist())
        for item in corpus.listing(name, self.request) if twice else ():
            if short(item.id) in twice:
                where = self.request.path or f"Corpus '{name}'"
                raise UserError(
                    f"{where} lists the utterance '{item.id}' twice. Take one out of its list, or"
                    f" give it an id of its own."
                )

    def pronounce(self) -> None:
        """Leaves out what has no pronunciation, or more phones than time."""
        lexicon = look_up(self.words, self.language)
        self.words.clear()
        for number, item in enumerate(self.spool):
            left_out = check_pronunciation(item, lexicon, self.recipe.features.stack)
            if left_out:
                self.exclude(left_out)
            else:
                self.passed.append(number)
                self.ranks.append(_rank(self.recipe.seed, item.id))
                self.seconds.append(item.seconds)

    def keep(self, write: Callable[[Checked, bool], None]) -> None:
        """Writes what passed, and whether it is chosen; leaves out what is not."""
        chosen = iter((self.passed if self.chosen is None else self.chosen).tolist())
        passed = iter(self.passed)
        following, next_passed = next(chosen, None), next(passed, None)
        for number, item in enumerate(self.spool):
            if number != next_passed:
                continue
            next_passed = next(passed, None)
            write(item, number == following)
            if number != following:
                reason = f"beyond target_minutes: {self.recipe.target_minutes}"
                self.exclude(Excluded(item.id, reason, item.seconds, True))
                continue
            following = next(chosen, None)
            self.traits.add(number, item)
            self.kept_seconds += item.seconds
            if item.mixed and self.dataset.channel is None:
                self.mixed[item.info.channels] += 1

    def judge(self) -> list[str]:
        """Logs what the data set holds; returns the reason to stop, if there is one."""
        speakers = self.traits.speaker_count()
        log.info(
            "%s: %d utterances, %.1f min, %s (%s)",
            self.key,
            len(self.traits),
            self.kept_seconds / 60,
            {0: "speakers not known", 1: "1 speaker"}.get(speakers, f"{speakers} speakers"),
            self.dataset.label,
        )
        for channels, count in sorted(self.mixed.items()):
            log.warning(
                "  %d of %d channels: their mean is taken. 'channel: 0' in the recipe's data"
                " set takes the first, 'channel: mix' says that the mean is right.",
                count,
                channels,
            )
        for reason, count in self.not_taken.most_common():
            log.info("  not taken: %d, %s", count, reason)
        for item in self.faults:
            log.warning("  left out: %s: %s.", item.id, item.reason)
        if self.fault_count > SHOWN:
            more = self.fault_count - SHOWN
            log.warning("  ... and %d more, see excluded.tsv", more)
        total = len(self.passed) + self.fault_count
        limits = self.recipe.limits
        if self.chosen is not None and not len(self.chosen) and len(self.passed):
            minutes = self.recipe.target_minutes
            return [f"{self.key}: target_minutes: {minutes} leaves nothing of it. Take more."]
        if not len(self.traits):
            return [f"{self.key}: not one utterance of corpus '{self.dataset.corpus}' is usable."]
        if self.fault_count > limits.excluded_share * total:
            return [
                f"{self.key}: {self.fault_count} of {total} utterances fail the checks, more"
                f" than limits.max_excluded: {limits.max_excluded} lets pass."
                f" Mend them (excluded.tsv names each), or raise the limit."
            ]
        return []


def shorten(training: Sequence[Intake], minutes: str) -> None:
    """Chooses ``minutes`` of the target's training speech, from all its data sets together.

    It comes in an order that the seed and the ids alone decide, so that a smaller part is
    always inside a larger one.
    """
    passed = [np.frombuffer(one.passed, np.uint64) for one in training]
    if minutes == "all" or not sum(map(len, passed)):
        return
    ranks = np.concatenate([np.frombuffer(one.ranks, np.uint64) for one in training])
    order = np.argsort(ranks, kind="stable")
    total = np.cumsum(np.concatenate([np.frombuffer(one.seconds) for one in training])[order])
    if total[-1] < float(minutes) * 60:
        log.warning(
            "target_minutes: %s, but there are only %.1f minutes; all are used.",
            minutes,
            total[-1] / 60,
        )
    enough = np.searchsorted(np.append(0.0, total), float(minutes) * 60)
    taken = np.zeros(len(order), bool)
    taken[order[:enough]] = True
    ends = np.cumsum([len(numbers) for numbers in passed])
    for one, numbers, mask in zip(training, passed, np.split(taken, ends[:-1]), strict=True):
        one.chosen = numbers[mask]


def _check(chunk: list[tuple[Utterance | Excluded, Rules]]) -> list[tuple]:
    """In a worker process: what became of each item, its file, and the file's digest."""
    found = []
    for item, rules in chunk:
        if isinstance(item, Excluded):
            found.append((item, None, None))
        else:
            result, known = check_utterance((item, rules))
            found.append((result, item.audio, known))
    return found


def _rank(seed: int, utterance: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed} {utterance}".encode()).digest()[:8])
