"""The models of phones are learnt from training speech that the network has aligned.

First each frame belongs to the phone that the network shows nearest to it; then models and frames
are found in turn (Viterbi training), with more and more Gaussians a state. No times by hand are
needed. By how much the network is late is tried out: with the right lateness the first frames of a
phone sound alike, so its models are the likeliest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from cascade.alignment.boundaries import OUTSIDE, align_chain, chain, windows
from cascade.alignment.forced_path import ForcedPath
from cascade.alignment.phone_models import SIZE, STATES, PhoneModels, cepstra

ROUNDS = (1, 1, 2, 4, 8)  # Gaussians of a state at most, round by round
LATE = (0, 3, 6, 9, 12, 15)  # frames by which a network may show a phone after its middle
TRIED = 40  # utterances by which the lateness is chosen
LONG = 10.0  # frames of a phone on either side of its middle at most, in the first round
FEWEST = 50  # frames for each Gaussian
FLOOR = 0.01  # of the variance of all speech: the least of a Gaussian
STEPS = 4  # of expectation-maximisation, after a Gaussian was split


@dataclass(frozen=True)
class Example:
    """An utterance: its log-mel energies (T, C), its forced path, and frames in a step of it."""

    energies: np.ndarray
    path: ForcedPath
    stack: int


def train_models(examples: Sequence[Example], phones: int) -> PhoneModels:
    """Return models of ``phones`` phones, the first of which is silence."""
    speech = [Spoken(one) for one in examples]
    every = np.concatenate([one.features for one in speech])
    floor = FLOOR * every.var(axis=0)

    def fitted(some: Sequence[Spoken], most: int) -> PhoneModels:
        features = np.concatenate([one.features for one in some])
        labels = np.concatenate([one.labels for one in some])
        return fit(features, labels, STATES * phones, most, floor)

    def likelihood(late: int) -> float:
        some = [one.begin(late) for one in speech[:: len(speech) // TRIED + 1]]
        models = fitted(some, 1)
        return sum(one.align(models) for one in some)

    late = max(LATE, key=likelihood)
    models = fitted([one.begin(late) for one in speech], ROUNDS[0])
    for most in ROUNDS[1:]:
        for one in speech:
            one.align(models)
        models = fitted(speech, most)
    return models


class Spoken:
    """An example, its features (T, F), and ``labels`` (T,): the state of each frame."""

    def __init__(self, example: Example):
        self.features = cepstra(example.energies, example.energies.mean(axis=0))
        self.phones = example.path.phones
        self.line = chain(self.phones, example.path.ends)
        self.peaks = np.array([example.stack * (a + b) / 2 for a, b in example.path.runs])
        self.labels = np.zeros(len(self.features), np.int64)

    def begin(self, late: int) -> Self:
        """Set the labels by the network's peaks alone, ``late`` frames after their phones."""
        self.labels = first_labels(self.peaks - late, self.phones, len(self.features))
        return self

    def align(self, models: PhoneModels) -> float:
        """Set the labels by ``models``; return their log-likelihood, 0 if there is no path."""
        scores = models.log_likelihoods(self.features, self.line.states.tolist())
        near = windows(self.peaks, self.line, len(self.features))
        places = align_chain(np.where(near, scores, OUTSIDE), self.line)
        if places is None:
            return 0.0
        self.labels = self.line.states[places]
        return float(scores[np.arange(len(scores)), places].sum())


def first_labels(middles: np.ndarray, phones: Sequence[int], frames: int) -> np.ndarray:
    """Return a state for each frame (T,): phones around their middles, thirds of them in turn."""
    edges = (middles[1:] + middles[:-1]) / 2
    labels = np.zeros(frames, np.int64)
    for place, phone in enumerate(phones):
        begin, end = middles[place] - LONG, middles[place] + LONG
        begin = max(begin, edges[place - 1]) if place else begin
        end = min(end, edges[place]) if place < len(edges) else end
        cuts = np.clip(np.linspace(begin, end, STATES + 1).round().astype(int), 0, frames)
        for state in range(STATES):
            labels[cuts[state] : cuts[state + 1]] = STATES * phone + state
    return labels


def fit(
    features: np.ndarray, labels: np.ndarray, states: int, most: int, floor: np.ndarray
) -> PhoneModels:
    """Return models of features (T, F) with their states (T,): at most ``most`` Gaussians each.

    A state with fewer frames than features gets one broad Gaussian.
    """
    rows = []
    for state in range(states):
        frames = features[labels == state].astype(np.float64)
        if len(frames) < SIZE:
            frames = features[:: max(1, len(features) // 10_000)].astype(np.float64)
            mixture = _mixture(frames, 1, floor)
        else:
            mixture = _mixture(frames, min(most, max(1, len(frames) // FEWEST)), floor)
        weights, means, variances = mixture
        rows.append(
            np.concatenate(
                [np.full((len(weights), 1), state), np.log(weights)[:, None], means, variances], 1
            )
        )
    table = np.concatenate(rows).astype(np.float32)
    return PhoneModels(
        table[:, 0].astype(np.int64), table[:, 1], table[:, 2 : 2 + SIZE], table[:, 2 + SIZE :]
    )


def _mixture(
    frames: np.ndarray, count: int, floor: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return weights (M,), means and variances (M, F) of ``count`` Gaussians.

    The heaviest one is split until there are so many (Kaldi's gmm-mixup).
    """
    weights = np.ones(1)
    means, variances = frames.mean(axis=0)[None], np.maximum(frames.var(axis=0), floor)[None]
    while len(weights) < count:
        heavy = weights.argmax()
        step = 0.2 * np.sqrt(variances[heavy])
        means = np.concatenate([means, [means[heavy] + step]])
        means[heavy] -= step
        variances = np.concatenate([variances, [variances[heavy]]])
        weights[heavy] /= 2
        weights = np.append(weights, weights[heavy])
        for _ in range(STEPS):
            each = (
                np.log(weights)
                - 0.5 * (np.log(variances) + means**2 / variances).sum(axis=1)
                - 0.5 * frames**2 @ (1 / variances).T
                + frames @ (means / variances).T
            )  # (T, M)
            shares = np.exp(each - each.max(axis=1, keepdims=True))
            shares /= shares.sum(axis=1, keepdims=True)
            total = shares.sum(axis=0) + 1e-8
            weights = total / total.sum()
            means = shares.T @ frames / total[:, None]
            variances = np.maximum(shares.T @ frames**2 / total[:, None] - means**2, floor)
    return weights, means, variances
