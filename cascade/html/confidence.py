"""The section on confidences: whether they are true, and how many errors a threshold catches."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from cascade.config.experiment import Experiment
from cascade.html.scored import TestSet
from cascade.html.words import normalizer
from cascade.runtime.files import read_text_table
from cascade.scoring.confidence import word_confidences

BINS = 10
SHARES = range(0, 101, 5)  # per cent of the words, the least confident ones


def reliability(confidences: np.ndarray, correct: np.ndarray) -> list[dict[str, float]]:
    """Return the share of correct words, in per cent, of words with like confidences.

    >>> reliability(np.array([0.1, 0.12, 0.9]), np.array([False, True, True]))[0]
    {'confidence': 11.0, 'correct': 50.0, 'words': 2}
    """
    place = np.minimum((confidences * BINS).astype(int), BINS - 1)
    rows = []
    for number in range(BINS):
        mine = place == number
        if mine.any():
            mean, share = 100 * confidences[mine].mean(), 100 * correct[mine].mean()
            rows.append(
                {
                    "confidence": round(float(mean), 2),
                    "correct": round(float(share), 2),
                    "words": int(mine.sum()),
                }
            )
    return rows


def caught(confidences: np.ndarray, correct: np.ndarray) -> list[dict[str, float]]:
    """Return how many errors are among the least confident words, in per cent.

    >>> caught(np.array([0.1, 0.5, 0.9, 0.95]), np.array([False, True, True, False]))[10]
    {'checked': 50, 'caught': 50.0, 'threshold': 0.5}
    """
    order = np.argsort(confidences, kind="stable")
    wrong = np.concatenate([[0], np.cumsum(~correct[order])])
    rows = []
    for share in SHARES:
        count = round(share * len(order) / 100)
        rows.append(
            {
                "checked": share,
                "caught": round(100 * float(wrong[count]) / max(1, int(wrong[-1])), 2),
                "threshold": round(float(confidences[order[count - 1]]), 4) if count else 0.0,
            }
        )
    return rows


def section(experiment: Experiment, tests: Sequence[TestSet], keys: Sequence[str]) -> Any:
    """Return both charts for each test set and system; ``keys`` are those of the data sets."""
    bins, curve = [], []
    for test, key in zip(tests, keys, strict=True):
        reference = read_text_table(experiment.layout.text(key, "words"))
        for system, times in test.times.items():
            figures = word_confidences(reference, times, normalizer(experiment))
            if len(figures[0]):
                name = {"test": test.name, "system": system}
                bins += [{**name, **row} for row in reliability(*figures)]
                curve += [{**name, **row} for row in caught(*figures)]
    return {"reliability": bins, "caught": curve}
