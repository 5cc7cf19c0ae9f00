"""The section on data: how much speech of whom, how long and how fast, and what was left out."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cascade.config.experiment import Experiment
from cascade.corpora import corpus
from cascade.html.scored import read_cuts
from cascade.runtime.files import read_text_table

BINS = 24  # of a histogram
LISTED = 400  # rows of the ledger that the report has, the rest is in the file


@dataclass(frozen=True, eq=False)
class SpeechSet:
    """A data set: its utterances' ``durations`` in seconds and ``rates`` in phones a second."""

    key: str
    role: str
    language: str
    corpus: str
    licence: str
    speakers: tuple[str, ...]
    durations: np.ndarray  # (U,)
    rates: np.ndarray  # (U,)

    @property
    def seconds(self) -> float:
        return math.fsum(self.durations)


def read_speech(experiment: Experiment) -> list[SpeechSet]:
    """Return the data sets of a recipe, from the manifests of stage 0 and phones of stage 1."""
    sets = []
    for dataset in experiment.recipe.datasets:
        key = experiment.dataset_key(dataset)
        cuts = dict(read_cuts(experiment.layout.cuts(key)))
        phones = read_text_table(experiment.layout.text(key, "phones"))
        counts = [(len(phones[name]), cut.seconds) for name, cut in cuts.items() if name in phones]
        sets.append(
            SpeechSet(
                key,
                dataset.role,
                dataset.language,
                dataset.corpus,
                corpus.load(dataset.corpus).LICENCE,
                tuple(sorted({cut.speaker for cut in cuts.values()})),
                np.array([cut.seconds for cut in cuts.values()]),
                np.array([count / seconds for count, seconds in counts if count and seconds]),
            )
        )
    return sets


def histogram(sets: Sequence[SpeechSet], field: str) -> list[dict[str, Any]]:
    """Return the bins of a field of each data set: its share of the set's utterances, in per cent.

    All sets have the same bins. The last one takes the highest hundredth of all values.
    """
    values = {s.key: getattr(s, field) for s in sets}
    together = np.concatenate([*values.values(), np.zeros(1)])
    edges = np.linspace(0, np.quantile(together, 0.99) or 1.0, BINS + 1)
    rows = []
    for one in sets:
        counts, _ = np.histogram(np.minimum(values[one.key], edges[-1]), edges)
        for low, high, count in zip(edges, edges[1:], counts, strict=False):
            share = 100 * count / max(1, counts.sum())
            ends = {"low": round(float(low), 2), "high": round(float(high), 2)}
            rows.append({"set": one.key, "role": one.role, **ends, "share": round(share, 2)})
    return rows


def quartiles(values: np.ndarray) -> str:
    """Return the median and the quartiles, such as ``3.1 (2.2 to 4.8)``."""
    if not len(values):
        return "n/a"
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
    return f"{middle:.1f} ({low:.1f} to {high:.1f})"


def excluded(path: Path) -> dict[str, Any]:
    """Return what the ledger ``excluded.tsv`` has: sums by data set and reason, and its rows.

    Only the first `LISTED` of the rows, faults before selections, are in it.
    """
    rows = [
        line.split("\t")
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines()[1:]
    ]
    sums: dict[tuple[str, str, str], list[float]] = {}
    for dataset, _, reason, seconds, kind in rows:
        sums.setdefault((dataset, _general(reason), kind), []).append(float(seconds or 0))
    faults_first = sorted(rows, key=lambda row: row[4] != "fault")
    return {
        "sums": sorted(
            (
                {
                    "dataset": dataset,
                    "reason": reason,
                    "kind": kind,
                    "utterances": len(seconds),
                    "hours": round(math.fsum(seconds) / 3600, 4),
                }
                for (dataset, reason, kind), seconds in sums.items()
            ),
            key=lambda row: (-row["hours"], row["dataset"], row["reason"]),
        ),
        "rows": faults_first[:LISTED],
        "total": len(rows),
    }


def _general(reason: str) -> str:
    """Return a reason without what is of one utterance, so that like reasons are added up.

    >>> _general("the word 'x1' has a letter that is not of ru: 1")
    'the word … has a letter that is not of ru'
    """
    head = reason.partition(": ")[0]
    parts = head.split("'")
    return "…".join(parts[::2]) if len(parts) % 2 else head


def by_role(sets: Iterable[SpeechSet]) -> Mapping[str, list[SpeechSet]]:
    """Group data sets by role, in their order."""
    groups: dict[str, list[SpeechSet]] = {}
    for one in sets:
        groups.setdefault(one.role, []).append(one)
    return groups
