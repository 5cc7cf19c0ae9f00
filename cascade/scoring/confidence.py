"""Stage 5: whether words that the search is sure of are right more often than others."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from cascade.decoding.word_times import Timed
from cascade.scoring.score import EPS, Rule, Tokens, score

Judged = tuple[np.ndarray, np.ndarray]
SUREST = 1 - 1e-4  # a CTM has four decimals: 1 and 0 stand for what is near them


def judged(ref: Tokens, ctm: Mapping[str, Sequence[Timed]], rule: Rule) -> Judged:
    """The confidence of every word of a CTM (N,), and whether it is correct (N,).

    ``ref`` and the CTM are compared by ``rule``; parts of a word are as sure as it is.
    """
    words = score(ref, {name: [word for word, *_ in timed] for name, timed in ctm.items()}, rule)
    sure: list[float] = []
    right: list[bool] = []
    for name, timed in ctm.items():
        parts = rule([word for word, *_ in timed])
        sure += [c for (*_, c), part in zip(timed, parts, strict=True) for _ in part]
        right += [ref == hyp for ref, hyp in words.pairs(name) if hyp != EPS]
    return np.array(sure), np.array(right, bool)


def figures(sure: np.ndarray, right: np.ndarray) -> dict[str, float | int | None]:
    """``NCE`` and ``AUC`` of N words, confidences and truth (N,); None where all are alike.

    NCE is NIST's normalised cross entropy (sclite's): 1 for what is always sure and right, 0
    for the share of correct words said of each, less than that for worse. AUC is the area
    under the ROC: how often a correct word is surer than a wrong one, draws by half.
    """
    total, correct = len(right), int(right.sum())
    found: dict[str, float | int | None] = {"words": total, "correct": correct}
    if not 0 < correct < total:
        return found | {"NCE": None, "AUC": None}
    share = correct / total
    least = -correct * math.log2(share) - (total - correct) * math.log2(1 - share)
    p = np.clip(sure, 1 - SUREST, SUREST)
    gained = float(np.log2(p[right]).sum() + np.log2(1 - p[~right]).sum())
    _, place, times = np.unique(sure, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(times) - (times - 1) / 2)[place]  # from 1, the mean of equal ones
    above = float(ranks[right].sum()) - correct * (correct + 1) / 2
    auc = above / (correct * (total - correct))
    return found | {"NCE": round((least + gained) / least, 4), "AUC": round(auc, 4)}
