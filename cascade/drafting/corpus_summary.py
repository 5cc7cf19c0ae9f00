"""What a corpus holds, seen from its lists and the headers of its recordings.

It goes the way of stage 0 (`cascade.data.dataset_checks`), but decodes nothing: minutes where
that takes hours. What only listening finds, stage 0 finds.
"""

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from cascade.config.experiment import Experiment
from cascade.config.sections import Dataset
from cascade.corpora import corpus
from cascade.corpora.corpus import CorpusRequest, Excluded, Utterance
from cascade.corpora.split import group, within
from cascade.data.dataset_checks import Intake
from cascade.runtime import workers
from cascade.runtime.stamp import Sources

VARYING = re.compile(r"\([^()]*\)|'[^']*'|\S*/\S*|[-\d.]+")  # of a reason, between utterances


@dataclass(frozen=True)
class Row:
    """A usable utterance; ``rate`` in Hz, 0 where there are features in place of audio."""

    id: str
    speaker: str
    seconds: float
    rate: int
    words: tuple[str, ...]


@dataclass(frozen=True)
class Fault:
    """An utterance that is left out; a ``selection`` is a choice of its corpus."""

    id: str
    speaker: str
    reason: str
    seconds: float | None
    selection: bool


@dataclass(frozen=True, eq=False)
class Survey:
    """A data set, or what it would be made of."""

    dataset: Dataset
    rows: list[Row] = field(repr=False)
    faults: list[Fault] = field(repr=False)

    @cached_property
    def hours(self) -> float:
        return sum(row.seconds for row in self.rows) / 3600

    @cached_property
    def speakers(self) -> set[str]:
        """Those who are known by name."""
        return {row.speaker for row in self.rows} - {"unknown"}

    @cached_property
    def words(self) -> Counter[str]:
        return Counter(word for row in self.rows for word in row.words)

    @cached_property
    def rates(self) -> Counter[int]:
        """Utterances by sampling rate in Hz."""
        return Counter(row.rate for row in self.rows if row.rate)

    @property
    def excluded_share(self) -> float:
        """As stage 0 counts it against ``limits.max_excluded``."""
        faults = sum(not fault.selection for fault in self.faults)
        return faults / max(1, faults + len(self.rows))

    def part(self, dataset: Dataset) -> "Survey":
        """What the split of ``dataset`` takes of it."""
        split = dataset.split
        if split is None:
            return Survey(dataset, self.rows, self.faults)

        def taken(items: Iterable) -> list:
            return [i for i in items if within(group(i.id, i.speaker, split.by), split)]

        return Survey(dataset, taken(self.rows), taken(self.faults))

    def reasons(self) -> list[tuple[int, str]]:
        """How many are left out for a reason, and the first of them, most frequent first."""
        alike: dict[str, list[Fault]] = {}
        for fault in self.faults:
            alike.setdefault(VARYING.sub("", fault.reason), []).append(fault)
        most = sorted(alike.values(), key=len, reverse=True)
        return [(len(some), f"{some[0].id}: {some[0].reason}") for some in most]


def texts(dataset: Dataset, request: CorpusRequest) -> Iterator[str]:
    """The transcripts of a data set as its corpus has them."""
    path = Path(dataset.path) if dataset.path else None
    of_it = replace(request, part=dataset.part, path=path, language=dataset.language)
    for item in corpus.listing(dataset.corpus, of_it):
        if isinstance(item, Utterance):
            yield item.text


def survey(experiment: Experiment, dataset: Dataset, jobs: int) -> Survey:
    """Looks at all utterances of a data set; ``layout`` is for files that pass away."""
    left_out: list[Excluded] = []
    intake = Intake(experiment, dataset, jobs, lambda _, item: left_out.append(item), False)
    intake.look()
    with open(os.devnull, "wb") as nowhere, workers.pool(jobs) as pool:
        intake.check(pool, Sources(nowhere))
    intake.pronounce()
    passed = set(intake.passed)
    rows = [
        Row(item.id, item.speaker, item.seconds, item.info.rate if item.info else 0, item.words)
        for number, item in enumerate(intake.spool)
        if number in passed
    ]
    intake.spool.close()
    names = {item.id for item in left_out}
    listed = corpus.listing(dataset.corpus, intake.request) if names else ()
    speakers = {i.id: i.speaker for i in listed if isinstance(i, Utterance) and i.id in names}
    faults = [
        Fault(i.id, speakers.get(i.id, "unknown"), i.reason, i.seconds, i.selection)
        for i in left_out
    ]
    return Survey(dataset, rows, faults)
