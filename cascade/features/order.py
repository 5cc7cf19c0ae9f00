"""The order of the speech in one epoch: all of it shuffled, or some archives at a time."""

import functools

import numpy as np

from cascade.features.batches import UtteranceSet, pack


class EpochOrder:
    """The batches of an epoch: each has utterances of similar length, all are in random order.

    With ``shards`` the archives of the features, 500 utterances each, are shuffled, and so many
    are mixed at a time: a batch has speech of one *mix* only. So the archives can be read one after
    the other, which a hard disk or a network does faster than utterances from all over a corpus.
    With 0 all speech is one mix.

    The order follows from ``seed``. Memory has the batches of two mixes at most.
    """

    def __init__(self, data: UtteranceSet, seconds: float, seed: int, shards: int):
        self.data = data
        self.seconds = seconds
        self.seed = seed
        self._mixes: list[np.ndarray] = []  # the archives of each
        if shards:
            count = int(data.archives.max()) + 1
            order = np.random.default_rng(seed).permutation(count)
            self._mixes = [order[i : i + shards] for i in range(0, len(order), shards)]
        self._batches = functools.lru_cache(maxsize=2)(self._shuffled)
        counts = [len(self._batches(mix)) for mix in range(max(1, len(self._mixes)))]
        self._ends = np.cumsum(counts)

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __getitem__(self, position: int) -> list[int]:
        """Return the utterances of a batch."""
        mix = self.mix(position)
        return self._batches(mix)[position - int(self._ends[mix])]  # counted from the mix's end

    def mix(self, position: int) -> int:
        """Return the number of the mix that a batch is of."""
        return int(np.searchsorted(self._ends, position, side="right"))

    def utterances(self, mix: int) -> np.ndarray:
        """Return the numbers of the utterances of a mix, in the order of the corpus."""
        if not self._mixes:
            return np.arange(len(self.data))
        mixed = np.zeros(int(self.data.archives.max()) + 1, dtype=bool)
        mixed[self._mixes[mix]] = True
        return np.flatnonzero(mixed[self.data.archives])

    def fetch(self, mix: int) -> None:
        """Ask the kernel to read the files of a mix, if there is such a mix."""
        if mix < len(self._mixes):
            self.data.fetch(self.utterances(mix))

    def _shuffled(self, mix: int) -> list[list[int]]:
        """Return the batches of a mix.

        Lengths are changed by up to 10 % before sorting, so that each epoch has other batches.
        """
        random = np.random.default_rng([self.seed, mix] if self._mixes else self.seed)
        chosen = self.utterances(mix)
        frames = self.data.frames[chosen]
        jittered = frames * random.uniform(0.9, 1.1, len(frames))
        order = np.argsort(-jittered, kind="stable").tolist()
        plan = [chosen[batch].tolist() for batch in pack(order, frames.tolist(), self.seconds)]
        random.shuffle(plan)
        return plan
