"""Confidences of words: how well they tell correct words from wrong ones."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from cascade.scoring.score import EPS, Normalizer, Texts, score

if TYPE_CHECKING:
    from cascade.decoding.word_times import Timed

NEAREST = 1 - 1e-4  # a CTM has four decimals: 1 and 0 stand for values near them


def word_confidences(
    ref: Texts, ctm: Mapping[str, Sequence["Timed"]], normalizer: Normalizer
) -> tuple[np.ndarray, np.ndarray]:
    """Return the confidence of each word of a CTM (N,), and whether the word is correct (N,).

    ``ref`` and the CTM are compared in the words that ``normalizer`` returns. Each part of a word
    has the word's confidence.
    """
    hyp = {utterance: [word for word, *_ in timed] for utterance, timed in ctm.items()}
    aligned = score(ref, hyp, normalizer)
    confidences: list[float] = []
    correct: list[bool] = []
    for utterance, timed in ctm.items():
        parts = normalizer(hyp[utterance])
        confidences += [c for (*_, c), words in zip(timed, parts, strict=True) for _ in words]
        correct += [ref == hyp for ref, hyp in aligned.pairs(utterance) if hyp != EPS]
    return np.array(confidences), np.array(correct, bool)


def nce_and_auc(confidences: np.ndarray, correct: np.ndarray) -> dict[str, float | int | None]:
    """Return ``NCE`` and ``AUC`` of N words; None if all are correct or none is.

    NCE is the normalised cross entropy of NIST (sclite): 1 at best; 0 if each word has the share
    of correct words as its confidence; below 0 for anything worse. AUC is the area under the ROC
    curve: how often a correct word has a higher confidence than a wrong one (equal ones count
    half).

    >>> nce_and_auc(np.array([0.9, 0.8, 0.3]), np.array([True, True, False]))
    {'words': 3, 'correct': 2, 'NCE': 0.6412, 'AUC': 1.0}
    """
    total, hits = len(correct), int(correct.sum())
    figures: dict[str, float | int | None] = {"words": total, "correct": hits}
    if not 0 < hits < total:
        return figures | {"NCE": None, "AUC": None}
    share = hits / total
    entropy = -hits * math.log2(share) - (total - hits) * math.log2(1 - share)
    p = np.clip(confidences, 1 - NEAREST, NEAREST)
    likelihood = float(np.log2(p[correct]).sum() + np.log2(1 - p[~correct]).sum())
    _, place, times = np.unique(confidences, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(times) - (times - 1) / 2)[place]  # from 1; equal ones have their mean
    above = float(ranks[correct].sum()) - hits * (hits + 1) / 2
    auc = above / (hits * (total - hits))
    return figures | {"NCE": round((entropy + likelihood) / entropy, 4), "AUC": round(auc, 4)}
