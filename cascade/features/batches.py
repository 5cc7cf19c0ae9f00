"""Data iterators: one for each language, batches of about the same number of frames.

An iterator's whole state is an epoch and a position in it: the batches of an epoch
follow from the seed, so that a resumed run sees what an unbroken one would have seen.
"""

import logging
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import kaldiio
import numpy as np

from cascade.config.layout import Layout
from cascade.config.sections import Features
from cascade.config.systems import Augment
from cascade.corpora.corpus import Excluded
from cascade.features.augment import another_recording, mask, scaled
from cascade.features.cmn import online_cmn, utterance_cmn
from cascade.runtime.errors import UserError
from cascade.runtime.files import read_text_table
from cascade.text.phones import frames_needed

log = logging.getLogger("cascade")


@dataclass(frozen=True)
class Batch:
    """Padded utterances of one language.

    ``inputs`` is (N, T, C) float32, C being filters times stacked frames; ``lengths`` (N,)
    and ``label_lengths`` (N,) are int64; ``labels`` is (sum of label_lengths,) int64,
    phone numbers without blanks; ``ids`` names the utterances.
    """

    ids: tuple[str, ...]
    inputs: np.ndarray
    lengths: np.ndarray
    labels: np.ndarray
    label_lengths: np.ndarray


def normalised(features: np.ndarray, settings: Features, cms_init: np.ndarray) -> np.ndarray:
    """Features (frames, filters) without the mean that the recipe says; a new array."""
    if settings.cmn == "online":
        return online_cmn(features, cms_init, settings.cmn_window, settings.cmn_global)
    return utterance_cmn(features)


def stacked(features: np.ndarray, stack: int) -> np.ndarray:
    """Features (frames, filters) as the network takes them: (frames // stack, filters * stack)."""
    steps = len(features) // stack
    return features[: steps * stack].reshape(steps, -1)


class UtteranceSet:
    """The utterances of one or more data sets of a language: where features lie, and labels.

    It holds a few dozen bytes and the labels of each utterance; features are read when a
    batch wants them. Utterances too short for CTC are left out, and listed in ``excluded``;
    ``whole`` keeps them, for decoding.
    """

    def __init__(
        self,
        layout: Layout,
        keys: list[str],
        phones: list[str],
        settings: Features,
        cms_init: np.ndarray,
        whole: bool = False,
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
            for name, text in read_text_table(layout.text(key, "phones")).items():
                labels = np.array([numbers[phone] for phone in text], dtype=np.int16)
                frames = int(lengths[name][0])
                if not whole and frames // settings.stack < frames_needed(labels.tolist()):
                    reason = (
                        f"{frames // settings.stack} frames are too few for {len(labels)} phones"
                    )
                    self.excluded.append((key, Excluded(name, reason, frames / 100)))
                    continue
                self.ids.append(name)
                self.sources.append(" ".join(sources[name]))
                self.labels.append(labels)
                self.frames.append(frames)

    def __len__(self) -> int:
        return len(self.ids)

    def inputs(
        self, index: int, augment: Augment | None = None, random: np.random.Generator | None = None
    ) -> np.ndarray:
        """The network's input for one utterance: (T, C) float32, normalised and stacked."""
        settings = self.settings
        try:
            features = kaldiio.load_mat(self.sources[index])  # (frames, filters)
        except (OSError, ValueError, AssertionError) as error:
            raise UserError(
                f"The features of '{self.ids[index]}' at {self.sources[index]} cannot be read"
                f" ({error}). Run stage 2 again."
            ) from None
        if augment is not None:
            least = frames_needed(self.labels[index].tolist()) * settings.stack
            features = another_recording(features, augment, random, least)
        features = normalised(features, settings, self.cms_init)
        if augment is not None:
            mask(features, augment, settings.stack, random)
        return stacked(features, settings.stack)

    def batch(self, indices: list[int], augment: Augment | None = None, seed: int = 0) -> Batch:
        """Reads and pads utterances; ``seed`` decides the augmentation of each."""
        inputs = []
        for index in indices:
            random = np.random.default_rng([seed, zlib.crc32(self.ids[index].encode())])
            inputs.append(self.inputs(index, augment, random))
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
        """Batches of indices for decoding: all utterances, alike in length, longest first."""
        order = sorted(range(len(self)), key=lambda i: (-self.frames[i], self.ids[i]))
        yield from _pack(order, self.frames, seconds)


class LanguageIterator:
    """Endless training batches of one language, reshuffled each time round.

    ``epoch`` and ``position`` are its state; ``strength``, of the augmentation, is the
    trainer's to set. With an empty set it raises `UserError`.
    """

    def __init__(self, data: UtteranceSet, name: str, seconds: float, augment: Augment, seed: int):
        if not len(data):
            raise UserError(f"There is nothing to train on for '{name}'.")
        self.data = data
        self.name = name
        self.seconds = seconds
        self.augment = augment
        self.seed = seed
        self.strength = 1.0
        self.epoch = 0
        self.position = 0
        self._plan = self._shuffle(0)

    @property
    def batches(self) -> int:
        """Batches in the present epoch."""
        return len(self._plan)

    @property
    def at_end(self) -> bool:
        """Whether the present epoch's batches are all used."""
        return self.position == len(self._plan)

    def state(self) -> dict[str, int]:
        return {"epoch": self.epoch, "position": self.position}

    def restore(self, state: dict[str, int]) -> None:
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
        return self.data.batch(indices, augment, self._number(self.epoch))

    def _number(self, epoch: int) -> int:
        """A seed of this language and epoch alone: other languages do not shift it."""
        return zlib.crc32(f"{self.seed} {self.name} {epoch}".encode())

    def _shuffle(self, epoch: int) -> list[list[int]]:
        """Batches of an epoch: neighbours in length together, in random order.

        Lengths are jittered before sorting, so that the batches differ from epoch to epoch.
        """
        random = np.random.default_rng(self._number(epoch))
        frames = np.array(self.data.frames)
        jittered = frames * random.uniform(0.9, 1.1, len(frames))
        plan = list(_pack(np.argsort(-jittered, kind="stable").tolist(), frames, self.seconds))
        random.shuffle(plan)
        return plan


def _pack(order: list[int], frames, seconds: float) -> Iterator[list[int]]:
    """Cuts ``order`` into batches of at most ``seconds`` with their padding, or one utterance."""
    batch: list[int] = []
    longest = 0
    for index in order:
        longest = max(longest, frames[index])
        if batch and longest * (len(batch) + 1) > seconds * 100:
            yield batch
            batch, longest = [], frames[index]
        batch.append(index)
    if batch:
        yield batch
