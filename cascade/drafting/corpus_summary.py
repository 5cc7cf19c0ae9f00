"""What a data set contains, by its lists and the headers of its recordings.

It takes the steps of stage 0 (`cascade.data.dataset_checks`) but decodes nothing: minutes in
place of hours. Stage 0 finds the rest.
"""

import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Self

from cascade.config.experiment import Experiment
from cascade.config.sections import Dataset, Language
from cascade.corpora import corpus
from cascade.corpora.corpus import CorpusRequest, Excluded, Utterance
from cascade.corpora.split import contains, group
from cascade.data.dataset_checks import check_pronunciations, check_utterances, list_dataset
from cascade.data.utterance_file import UtteranceFile
from cascade.runtime import workers
from cascade.runtime.file_names import on_disk
from cascade.runtime.stamp import Sources
from cascade.text.numbers import in_words

UNKNOWN = ("unknown", "")  # speaker and text of what the list lacks
# What differs between the reasons of two utterances with the same fault.
VARYING = re.compile(r"\([^()]*\)|'[^']*'|\S*/\S*|[-\d.]+")


@dataclass(frozen=True)
class UsableUtterance:
    """An utterance that passed the checks.

    ``rate`` is in Hz, 0 for features in place of audio. ``text`` is the transcript of the corpus,
    ``words`` what is left of it.
    """

    id: str
    speaker: str
    seconds: float
    rate: int
    words: tuple[str, ...]
    text: str = ""


@dataclass(frozen=True)
class ExcludedUtterance:
    """An utterance that is left out; a ``selection`` is a choice of its corpus."""

    id: str
    reason: str
    seconds: float | None
    selection: bool
    speaker: str
    text: str = ""


@dataclass(frozen=True, eq=False)
class DatasetSummary:
    """The utterances of a data set."""

    dataset: Dataset
    usable: list[UsableUtterance] = field(repr=False)
    excluded: list[ExcludedUtterance] = field(repr=False)

    @cached_property
    def hours(self) -> float:
        return sum(row.seconds for row in self.usable) / 3600

    @cached_property
    def speakers(self) -> set[str]:
        """The speakers who are known by name."""
        return {row.speaker for row in self.usable} - {"unknown"}

    @cached_property
    def words(self) -> Counter[str]:
        return Counter(word for row in self.usable for word in row.words)

    @cached_property
    def rates(self) -> Counter[int]:
        """Utterances by sampling rate in Hz."""
        return Counter(row.rate for row in self.usable if row.rate)

    @property
    def excluded_share(self) -> float:
        """The share of faults, as stage 0 compares it with ``limits.max_excluded``."""
        faults = sum(not item.selection for item in self.excluded)
        return faults / max(1, faults + len(self.usable))

    def part(self, dataset: Dataset) -> Self:
        """Return the summary of ``dataset``, which is a part of this one by its split."""
        split = dataset.split
        if split is None:
            return replace(self, dataset=dataset)

        def inside(item: UsableUtterance | ExcludedUtterance) -> bool:
            return contains(split, group(item.id, item.speaker, item.text, split.by))

        return replace(
            self,
            dataset=dataset,
            usable=[item for item in self.usable if inside(item)],
            excluded=[item for item in self.excluded if inside(item)],
        )

    def reasons(self) -> list[tuple[int, str]]:
        """Return how many are left out for a reason, and an example; most frequent first."""
        by_reason: dict[str, list[ExcludedUtterance]] = {}
        for item in self.excluded:
            same = " ".join(VARYING.sub("", item.reason).split())
            by_reason.setdefault(same, []).append(item)
        most = sorted(by_reason.values(), key=len, reverse=True)
        return [(len(some), f"{some[0].id}: {some[0].reason}") for some in most]

    def left_out(self) -> str:
        """Return the most frequent reasons in brackets; "" if nothing is left out."""
        reasons = "; ".join(f"{count} as {reason}" for count, reason in self.reasons()[:3])
        return f" (left out: {reasons})" if reasons else ""


def transcripts(dataset: Dataset, request: CorpusRequest, language: Language) -> Iterator[str]:
    """Yield the transcripts of a data set as its corpus has them.

    Their numbers are in words if the data set says so.
    """
    path = on_disk(Path(dataset.path)) if dataset.path else None
    asked = replace(request, part=dataset.part, path=path, language=dataset.language)
    for item in corpus.listing(dataset.corpus, asked):
        if isinstance(item, Utterance):
            text = item.text
            yield in_words(text, language, Counter()) if dataset.numbers else text


def summarise(experiment: Experiment, dataset: Dataset, jobs: int) -> DatasetSummary:
    """Check all utterances of a data set without decoding any.

    Temporary files go below ``experiment.layout.root``. Raises `UserError` for a list that is
    wrong.
    """
    left_out: list[Excluded] = []
    listed = list_dataset(experiment, dataset, jobs, lambda _, item: left_out.append(item))
    items = corpus.listing(dataset.corpus, listed.request)
    said = {i.id: (i.speaker, i.text) for i in items if isinstance(i, Utterance)}
    path = experiment.layout.root / f"{listed.key}.utterances"
    with UtteranceFile(path) as utterances:
        with open(os.devnull, "wb") as nowhere, workers.pool(jobs) as pool:
            sources = Sources(nowhere)
            checked = check_utterances(listed, pool, sources, utterances, decode=False)
        numbers = set(check_pronunciations(checked).numbers.tolist())
        usable = []
        for number, i in enumerate(utterances):
            if number in numbers:
                rate = i.info.rate if i.info else 0
                _, text = said.get(i.id, UNKNOWN)
                usable.append(UsableUtterance(i.id, i.speaker, i.seconds, rate, i.words, text))
    excluded = []
    for item in left_out:
        known = said.get(item.id, UNKNOWN)
        row = ExcludedUtterance(item.id, item.reason, item.seconds, item.selection, *known)
        excluded.append(row)
    return DatasetSummary(dataset, usable, excluded)
