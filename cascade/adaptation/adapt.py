"""A network trains on what it has recognised of one speaker.

All weights adapt. (Swietojanski et al. 2016, arXiv:1601.02828, is on ways to adapt fewer of them.)
"""

import zlib
from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from cascade.config.recipe import Recipe
from cascade.config.sections import Features
from cascade.features.batches import UtteranceSet, pack
from cascade.features.listing import Column
from cascade.model.network import Network
from cascade.text.phones import frames_needed
from cascade.training.losses import mean_ctc_loss


class RecognisedSpeech(UtteranceSet):
    """Utterances in memory: features (frames, filters) of each, and the phones recognised.

    Those without phones, or with too few frames for CTC, are left out.
    """

    def __init__(
        self,
        utterances: Sequence[tuple[np.ndarray, Sequence[str]]],
        phones: Sequence[str],
        settings: Features,
        cms_init: np.ndarray,
    ):
        number = {phone: i for i, phone in enumerate(phones)}
        kept = []
        for features, spoken in utterances:
            labels = np.array([number[phone] for phone in spoken], dtype=np.int16)
            if spoken and len(features) // settings.stack >= frames_needed(labels.tolist()):
                kept.append((features, labels))
        self.settings, self.cms_init = settings, cms_init
        self.ids = Column(len(kept), str)
        self.labels = Column(len(kept), lambda index: kept[index][1])
        self.frames = np.array([len(features) for features, _ in kept], dtype=np.int64)
        self._kept = kept

    def features(self, index: int) -> np.ndarray:
        """Return the features of one utterance: (frames, filters)."""
        return self._kept[index][0]


def adapt(
    network: Network,
    speech: UtteranceSet,
    chosen: Sequence[int],
    recipe: Recipe,
    system: str,
    seed: int,
) -> tuple[float, float]:
    """Train ``network`` on the utterances ``chosen``, as ``recipe.adapt`` says.

    The speech is augmented as in the training of ``system``, at full strength from the first
    step. ``seed`` and that of the recipe decide how, and the order. Returns the mean losses of
    the first epoch and of the last, in nats a phone.
    """
    language, settings = recipe.target, recipe.adapt
    augment, clip = recipe.augment_of(system, language), recipe.train_of(system).clip
    random = np.random.default_rng(zlib.crc32(f"{recipe.seed} {seed}".encode()))
    frames = speech.frames.tolist()
    epochs = [
        [*pack(random.permutation(chosen).tolist(), frames, settings.batch_seconds)]
        for _ in range(settings.epochs)
    ]
    optimizer = torch.optim.Adam(network.parameters(), lr=settings.learning_rate)
    schedule = torch.optim.lr_scheduler.LinearLR(
        optimizer, start_factor=1.0, end_factor=0.0, total_iters=sum(map(len, epochs))
    )
    means = []
    for epoch, batches in enumerate(epochs):
        total, phones = 0.0, 0.0
        for indices in batches:
            draw = zlib.crc32(f"{recipe.seed} {seed} {epoch}".encode())
            batch = speech.batch(indices, augment, seed=draw)
            outputs = network({language: batch.inputs}, {language: batch.lengths})
            loss = mean_ctc_loss(outputs[0], batch)  # of log-probabilities (N, T, phones)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), clip)
            optimizer.step()
            schedule.step()
            total, phones = total + loss.item() * batch.phones, phones + batch.phones
        means.append(total / phones)
    return means[0], means[-1]
