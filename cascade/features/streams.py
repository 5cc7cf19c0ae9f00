"""Data iterators: one for each stream, batches of about the same number of frames.

The state of an iterator is an epoch and a position in it, because the batches of an epoch
follow from the seed: a resumed training sees what an unbroken one would have seen. Lhotse's
samplers replay all batches before the position instead.
"""

import zlib
from collections.abc import Iterator

from cascade.config.systems import Augment
from cascade.features.augment import scaled
from cascade.features.batches import Request, UtteranceSet
from cascade.features.order import EpochOrder
from cascade.runtime.errors import UserError


class StreamIterator:
    """Endless requests for training batches of one stream, shuffled again in each epoch.

    ``data`` reads them. ``epoch``, ``position`` and the pieces of a batch that were used are its
    state. The trainer sets ``strength``, that of the augmentation, and ``pieces``, into how many
    the next batch is cut. A batch has up to ``shares`` times ``seconds`` of speech. For
    ``shuffled_shards`` see `EpochOrder`; with ``fetches`` its archives are read ahead. Raises
    `UserError` for an empty set.
    """

    def __init__(
        self,
        data: UtteranceSet,
        name: str,
        seconds: float,
        augment: Augment,
        seed: int,
        copies: int = 1,
        shares: int = 1,
        shuffled_shards: int = 0,
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
        self.shares = shares
        self.shuffled_shards = shuffled_shards
        self.fetches = False
        self.strength = 1.0
        self.pieces = 1
        self.restart()

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
        piece, pieces = self._cut
        return {"epoch": self.epoch, "position": self.position, "piece": piece, "pieces": pieces}

    def restore(self, state: dict[str, int]) -> None:
        """Go on where another iterator of the same data and seed was."""
        self.restart(state["epoch"])
        self.position = state["position"]
        self._cut = (state["piece"], state["pieces"])

    def restart(self, epoch: int = 0) -> None:
        """Go to the beginning of an epoch."""
        self.epoch, self.position = epoch, 0
        self._cut = (0, 1)  # the next piece of the present batch, and how many there are
        seconds = self.shares * self.seconds
        self._plan = EpochOrder(self.data, seconds, self._number(epoch), self.shuffled_shards)
        self._fetched = 0  # so many mixes of the plan

    def __iter__(self) -> Iterator[Request]:
        return self

    def __next__(self) -> Request:
        if self.at_end:
            self.restart(self.epoch + 1)
        if self.fetches:
            self._fetch()
        indices = self._plan[self.position]
        piece, pieces = self._cut
        if piece == 0:
            pieces = min(self.pieces, len(indices))
        indices = indices[piece::pieces]
        self._cut = ((piece + 1) % pieces, pieces)
        self.position += piece + 1 == pieces
        augment = scaled(self.augment, self.strength)
        return Request(tuple(indices), augment, self._number(self.epoch), self.copies)

    def _number(self, epoch: int) -> int:
        """Return a seed that depends on this stream and epoch only, not on other streams."""
        return zlib.crc32(f"{self.seed} {self.name} {epoch}".encode())

    def _fetch(self) -> None:
        """Have the archives of the next batch, and of those mixed after them, read ahead."""
        mix = self._plan.mix(self.position)
        for number in range(max(mix, self._fetched), mix + 2):
            self._plan.fetch(number)
        self._fetched = mix + 2
