"""Batches: the features of utterances, normalised, augmented and padded, with their labels."""

import dataclasses
import math
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch
from torch import Tensor

from cascade.config.layout import Layout
from cascade.config.sections import FRAMES_PER_SECOND, Features
from cascade.config.systems import Augment
from cascade.corpora.corpus import Excluded
from cascade.features.augment import another_recording, mask
from cascade.features.cmn import utterance_cmn
from cascade.features.inputs import network_inputs, normalised, stacked
from cascade.features.listing import Listing
from cascade.features.sources import FeatureReader, will_read
from cascade.text.phones import frames_needed


@dataclass(frozen=True)
class Batch:
    """Padded utterances of one stream, or ``copies`` of each: all of them, then all again.

    Attributes:
        ids: The names of the N utterances.
        inputs: (N, T, C) float32; C is filters times stacked frames.
        lengths: (N,) int64, in stacked frames.
        labels: (sum of ``label_lengths``,) int64: phone numbers without blanks.
        label_lengths: (N,) int64.
        phones: What the loss is divided by: how many phones there are in the batch, or in the
            larger one of which this is a share. Infinite for a share that does not count.
    """

    ids: tuple[str, ...]
    inputs: Tensor
    lengths: Tensor
    labels: Tensor
    label_lengths: Tensor
    phones: float

    def pin_memory(self) -> "Batch":
        """Return the batch in memory that a GPU reads by itself; torch's `DataLoader` calls it."""
        return dataclasses.replace(
            self, inputs=self.inputs.pin_memory(), labels=self.labels.pin_memory()
        )


@dataclass(frozen=True)
class Request:
    """What to read for a batch of training speech. It decides every byte of the batch.

    Attributes:
        indices: Which utterances of a set.
        augment: How they are changed.
        seed: Decides the changes of each utterance.
        copies: How many changed copies of each.
        phones: As of a `Batch`; None: those of ``indices``.
    """

    indices: tuple[int, ...]
    augment: Augment
    seed: int
    copies: int = 1
    phones: float | None = None


class UtteranceSet:
    """The utterances of one or more data sets of a stream: places of features, and labels.

    It reads features, names and labels when a batch needs them: see `Listing`. Utterances too
    short for CTC are left out and listed in ``excluded``; ``keep_short`` keeps them, for decoding.
    ``transcripts`` gives the table of phones of data sets without transcripts, which may lack some
    of the utterances.
    """

    def __init__(
        self,
        layout: Layout,
        keys: Sequence[str],
        phones: Sequence[str],
        settings: Features,
        cms_init: np.ndarray,
        keep_short: bool = False,
        transcripts: Mapping[str, Path] = MappingProxyType({}),
    ):
        self.settings = settings
        self.cms_init = cms_init
        self._read = FeatureReader(settings.rate, settings.filters)
        self.excluded: list[tuple[str, Excluded]] = []
        listing = Listing({phone: i for i, phone in enumerate(phones)})
        for key in keys:
            texts = transcripts.get(key, layout.text(key, "phones"))
            for one in listing.read(layout.scp(key), layout.num_frames(key), texts):
                length = one.frames // settings.stack
                if not keep_short and length < frames_needed(one.labels.tolist()):
                    reason = f"{length} frames are too few for {len(one.labels)} phones"
                    seconds = one.frames / FRAMES_PER_SECOND
                    self.excluded.append((key, Excluded(one.name, reason, seconds)))
                else:
                    listing.keep(one)
        listing.finish()
        self.ids, self.sources, self.labels = listing.ids, listing.sources, listing.labels
        self.frames, self.archives = listing.frames, listing.archives

    def __len__(self) -> int:
        return len(self.ids)

    def inputs(
        self,
        index: int,
        augment: Augment | None = None,
        random: np.random.Generator | None = None,
        tempo: np.random.Generator | None = None,
    ) -> np.ndarray:
        """Return the network's input for one utterance: (T, C) float32, normalised, stacked.

        ``augment`` changes it by draws from ``random``, its length by one from ``tempo``.
        """
        settings, features = self.settings, self.features(index)
        if augment is None or random is None:
            assert augment is None, "augmentation needs a random state"
            return network_inputs(features, settings, self.cms_init)
        least = frames_needed(self.labels[index].tolist()) * settings.stack
        features = another_recording(features, augment, random, least, tempo)
        if augment.utterance_mean and random.random() < augment.utterance_mean:
            features = utterance_cmn(features)
        else:
            features = normalised(features, settings, self.cms_init)
        mask(features, augment, settings.stack, random)
        return stacked(features, settings.stack)

    def features(self, index: int) -> np.ndarray:
        """Return the features of one utterance as stage 2 computed them: (frames, filters)."""
        return self._read(self.ids[index], self.sources[index])

    def fetch(self, indices: Iterable[int]) -> None:
        """Ask the kernel to read the files that have the features of some utterances."""
        will_read(self.sources[index] for index in indices)

    def batch(
        self,
        indices: Sequence[int],
        augment: Augment | None = None,
        seed: int = 0,
        copies: int = 1,
        phones: float | None = None,
    ) -> Batch:
        """Read and pad utterances; ``seed`` decides the augmentation of each.

        Of several ``copies``, each is augmented in another way, to the same length.
        """
        inputs = []
        for copy in range(copies):
            for index in indices:
                seeds = [seed, zlib.crc32(self.ids[index].encode())]
                random = np.random.default_rng([*seeds, copy] if copy else seeds)
                tempo = np.random.default_rng(seeds) if copy else None
                inputs.append(self.inputs(index, augment, random, tempo))
        indices = [*indices] * copies
        lengths = [len(x) for x in inputs]
        padded = np.zeros((len(inputs), max(lengths), inputs[0].shape[1]), dtype=np.float32)
        for row, x in zip(padded, inputs, strict=True):
            row[: len(x)] = x
        labels = [self.labels[i].astype(np.int64) for i in indices]
        return Batch(
            ids=tuple(self.ids[i] for i in indices),
            inputs=torch.from_numpy(padded),
            lengths=torch.tensor(lengths),
            labels=torch.from_numpy(np.concatenate(labels)),
            label_lengths=torch.tensor([len(x) for x in labels]),
            phones=sum(len(x) for x in labels) if phones is None else phones,
        )

    def read(self, request: Request) -> Batch:
        """Read the batch of a request."""
        return self.batch(
            request.indices, request.augment, request.seed, request.copies, request.phones
        )

    def share(self, request: Request, part: int, parts: int) -> Request:
        """Return one of ``parts`` requests that together are a request.

        With fewer utterances than parts, the last parts read one that does not count: each
        process that has a part computes something of every stream.
        """
        if parts == 1:
            return request
        indices, phones = request.indices[part::parts], self._phones(request)
        if not indices:
            indices, phones = request.indices[:1], math.inf
        return dataclasses.replace(request, indices=indices, phones=phones)

    def _phones(self, request: Request) -> float:
        return request.copies * sum(len(self.labels[i]) for i in request.indices)

    def in_order(self, seconds: float, indices: Iterable[int] | None = None) -> Iterator[list[int]]:
        """Yield batches of ``indices`` for decoding, the longest first. Default: all utterances."""
        frames = self.frames.tolist()
        chosen = range(len(self)) if indices is None else indices
        order = sorted(chosen, key=lambda i: (-frames[i], self.ids[i]))
        yield from pack(order, frames, seconds)


def pack(order: Sequence[int], frames: Sequence[int], seconds: float) -> Iterator[list[int]]:
    """Cut ``order`` into batches of at most ``seconds`` with padding, or of one utterance.

    >>> list(pack([2, 0, 1], frames=[200, 100, 300], seconds=6))
    [[2, 0], [1]]
    """
    batch: list[int] = []
    longest = 0
    for index in order:
        longest = max(longest, frames[index])
        if batch and longest * (len(batch) + 1) > seconds * FRAMES_PER_SECOND:
            yield batch
            batch, longest = [], frames[index]
        batch.append(index)
    if batch:
        yield batch
