"""Data iterators: one for each stream, batches of about the same number of frames.

The state of an iterator is an epoch and a position in it, because the batches of an epoch
follow from the seed: a resumed training sees what an unbroken one would have seen. Lhotse's
samplers replay all batches before the position instead.
"""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import kaldiio
import numpy as np

from cascade.config.layout import Layout
from cascade.config.sections import FRAMES_PER_SECOND, Features
from cascade.config.systems import Augment
from cascade.corpora.corpus import Excluded
from cascade.features.augment import another_recording, mask, scaled
from cascade.features.cmn import online_cmn, utterance_cmn
from cascade.runtime.errors import UserError
from cascade.runtime.files import read_text_table
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
    """

    ids: tuple[str, ...]
    inputs: np.ndarray
    lengths: np.ndarray
    labels: np.ndarray
    label_lengths: np.ndarray


def normalised(features: np.ndarray, settings: Features, cms_init: np.ndarray) -> np.ndarray:
    """Return features (T, C) minus the mean that the recipe names, as a new array (T, C)."""
    if settings.cmn == "online":
        return online_cmn(features, cms_init, settings.cmn_window, settings.cmn_global)
    return utterance_cmn(features)


def stacked(features: np.ndarray, stack: int) -> np.ndarray:
    """Return features (T, C) as the network takes them: (T // stack, C * stack).

    >>> stacked(np.arange(10).reshape(5, 2), 2).tolist()
    [[0, 1, 2, 3], [4, 5, 6, 7]]
    """
    steps = len(features) // stack
    return features[: steps * stack].reshape(steps, -1)  # (T, C) -> (T // stack, C * stack)


def smoothed(features: np.ndarray, share: float) -> np.ndarray:
    """Return features (T, C), each moved by ``share`` towards the next frame and filter.

    >>> smoothed(np.array([[0.0, 4.0], [8.0, 4.0]]), 0.5).tolist()
    [[4.0, 4.0], [6.0, 4.0]]
    """
    for axis in (0, 1) if share else ():
        after = np.concatenate([features, features.take([-1], axis)], axis)
        features = features + share * np.diff(after, axis=axis)
    return features


def network_inputs(features: np.ndarray, settings: Features, cms_init: np.ndarray) -> np.ndarray:
    """Return features (T, C) as the network takes those to recognise: (T // stack, C * stack)."""
    features = normalised(smoothed(features, settings.smooth), settings, cms_init)
    return stacked(features, settings.stack)


class UtteranceSet:
    """The utterances of one or more data sets of a stream: places of features, and labels.

    It keeps a few dozen bytes and the labels of each utterance in memory; features are read
    when a batch needs them. Utterances too short for CTC are left out and listed in
    ``excluded``; ``keep_short`` keeps them, for decoding. ``transcripts`` gives the table of
    phones of data sets without transcripts, which may lack some of the utterances.
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
        self.ids: list[str] = []
        self.sources: list[str] = []
        self.labels: list[np.ndarray] = []
        self.frames: list[int] = []
        self.excluded: list[tuple[str, Excluded]] = []
        numbers = {phone: i for i, phone in enumerate(phones)}
        for key in keys:
            lengths = read_text_table(layout.num_frames(key))
            sources = read_text_table(layout.scp(key))
            texts = read_text_table(transcripts.get(key, layout.text(key, "phones")))
            for name, text in texts.items():
                labels = np.array([numbers[phone] for phone in text], dtype=np.int16)
                frames = int(lengths[name][0])
                if not keep_short and frames // settings.stack < frames_needed(labels.tolist()):
                    reason = (
                        f"{frames // settings.stack} frames are too few for {len(labels)} phones"
                    )
                    self.excluded.append((key, Excluded(name, reason, frames / FRAMES_PER_SECOND)))
                    continue
                self.ids.append(name)
                self.sources.append(" ".join(sources[name]))
                self.labels.append(labels)
                self.frames.append(frames)

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
        features = normalised(features, settings, self.cms_init)
        mask(features, augment, settings.stack, random)
        return stacked(features, settings.stack)

    def features(self, index: int) -> np.ndarray:
        """Return the features of one utterance as stage 2 wrote them: (frames, filters)."""
        try:
            matrix: np.ndarray = kaldiio.load_mat(self.sources[index])
        except (OSError, ValueError, AssertionError) as error:
            raise UserError(
                f"The features of '{self.ids[index]}' at {self.sources[index]} cannot be read"
                f" ({error}). Run stage 2 again."
            ) from None
        return matrix

    def batch(
        self,
        indices: Sequence[int],
        augment: Augment | None = None,
        seed: int = 0,
        copies: int = 1,
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
        lengths = np.array([len(x) for x in inputs], dtype=np.int64)
        padded = np.zeros((len(inputs), lengths.max(), inputs[0].shape[1]), dtype=np.float32)
        for row, x in zip(padded, inputs, strict=True):
            row[: len(x)] = x
        labels = [self.labels[i].astype(np.int64) for i in indices]
        return Batch(
            ids=tuple(self.ids[i] for i in indices),
            inputs=padded,
            lengths=lengths,
            labels=np.concatenate(labels),
            label_lengths=np.array([len(x) for x in labels], dtype=np.int64),
        )

    def in_order(self, seconds: float) -> Iterator[list[int]]:
        """Yield batches of indices for decoding: all utterances, the longest first."""
        order = sorted(range(len(self)), key=lambda i: (-self.frames[i], self.ids[i]))
        yield from _pack(order, self.frames, seconds)


class StreamIterator:
    """Endless training batches of one stream, shuffled again in each epoch.

    ``epoch`` and ``position`` are its state. The trainer sets ``strength``, that of the
    augmentation. Raises `UserError` for an empty set.
    """

    def __init__(
        self,
        data: UtteranceSet,
        name: str,
        seconds: float,
        augment: Augment,
        seed: int,
        copies: int = 1,
    ):
        if not len(data):
            raise UserError(
                f"Stream '{name}' has no utterance to train on: all of them are too short for"
                " their transcripts. Check its data sets."
            )
        self.data = data
        self.name = name
        self.seconds = seconds
        self.augment = augment
        self.seed = seed
        self.copies = copies
        self.strength = 1.0
        self.epoch = 0
        self.position = 0
        self._plan = self._shuffle(0)

    @property
    def batches(self) -> int:
        """The number of batches in the present epoch."""
        return len(self._plan)

    @property
    def at_end(self) -> bool:
        """Whether all batches of the present epoch have been used."""
        return self.position == len(self._plan)

    def state(self) -> dict[str, int]:
        """Return what `restore` needs."""
        return {"epoch": self.epoch, "position": self.position}

    def restore(self, state: dict[str, int]) -> None:
        """Go on where another iterator of the same data and seed was."""
        self.epoch, self.position = state["epoch"], state["position"]
        self._plan = self._shuffle(self.epoch)

    def __iter__(self) -> Iterator[Batch]:
        return self

    def __next__(self) -> Batch:
        if self.at_end:
            self.epoch, self.position = self.epoch + 1, 0
            self._plan = self._shuffle(self.epoch)
        indices = self._plan[self.position]
        self.position += 1
        augment = scaled(self.augment, self.strength)
        return self.data.batch(indices, augment, self._number(self.epoch), self.copies)

    def _number(self, epoch: int) -> int:
        """Return a seed that depends on this stream and epoch only, not on other streams."""
        return zlib.crc32(f"{self.seed} {self.name} {epoch}".encode())

    def _shuffle(self, epoch: int) -> list[list[int]]:
        """Return the batches of an epoch: utterances of similar length, in random order.

        Lengths are changed by up to 10 % before sorting, so that each epoch has other batches.
        """
        random = np.random.default_rng(self._number(epoch))
        frames = np.array(self.data.frames)
        jittered = frames * random.uniform(0.9, 1.1, len(frames))
        order = np.argsort(-jittered, kind="stable").tolist()
        plan = list(_pack(order, self.data.frames, self.seconds))
        random.shuffle(plan)
        return plan


def _pack(order: Sequence[int], frames: Sequence[int], seconds: float) -> Iterator[list[int]]:
    """Cut ``order`` into batches of at most ``seconds`` with padding, or of one utterance.

    >>> list(_pack([2, 0, 1], frames=[200, 100, 300], seconds=6))
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
