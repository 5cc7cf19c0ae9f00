"""What every step of a training reads: a batch of each stream that takes part, in shares."""

import copy
import math
from collections.abc import Iterator, Sequence

from cascade.config.systems import Train
from cascade.features.batches import Request
from cascade.features.streams import StreamIterator
from cascade.training.ranks import Ranks

RAMP = (8, 4, 2)  # into how many pieces a batch is cut in each third of ``train.batch_ramp``


class Plan:
    """The batches of all steps, and the position in them, which is that of ``iterators``.

    A batch is cut into ``shares``: at first ``train.accumulate`` for each rank. So two ranks with
    batches of 20 s train as one with batches of 40 s. With the shares of a checkpoint, fewer or
    more ranks train on the same batches. ``steps`` is the length of the training.
    """

    def __init__(self, iterators: Sequence[StreamIterator], settings: Train, ranks: Ranks):
        self.iterators = list(iterators)
        self.settings = settings
        self.ranks = ranks
        self.divide(settings.accumulate * ranks.world)

    def divide(self, shares: int) -> None:
        """Begin again, with batches of ``shares`` times ``train.batch_seconds``."""
        self.shares = shares
        for iterator in self.iterators:
            if iterator.shares != shares:
                iterator.shares = shares
                iterator.restart()
        epochs = self.settings.epochs
        self.steps = self.settings.steps
        if epochs is not None:
            mean = sum(1 / pieces for pieces in RAMP) / len(RAMP)  # batches a step, in the ramp
            batches = 1 - self.settings.batch_ramp * (1 - mean)  # the same, over all steps
            self.steps = math.ceil(epochs * self.iterators[0].batches / batches)

    def requests(self, step: int) -> dict[str, Request]:
        """Return what a step reads, a batch of each active stream; move the iterators on."""
        return self._requests(self.iterators, step)

    def ahead(self, step: int) -> Iterator[list[dict[str, Request]]]:
        """Yield this rank's parts of ``step`` and of all later ones; move no iterator.

        So it may run ahead of the training, and a checkpoint has the position of its step.
        """
        iterators = [copy.copy(iterator) for iterator in self.iterators]
        for iterator in iterators:
            iterator.fetches = True
        data = {iterator.name: iterator.data for iterator in iterators}
        each = math.ceil(self.shares / self.ranks.world)
        count, first = each * self.ranks.world, each * self.ranks.rank
        for number in range(step, self.steps):
            requests = self._requests(iterators, number)
            yield [
                {name: data[name].share(whole, part, count) for name, whole in requests.items()}
                for part in range(first, first + each)
            ]

    def _requests(self, iterators: Sequence[StreamIterator], step: int) -> dict[str, Request]:
        requests = {}
        for iterator in iterators:
            first, last = self.settings.active.get(iterator.name, (0.0, 1.0))
            if first * self.steps <= step < last * self.steps:
                ramp = iterator.augment.ramp * self.steps
                iterator.strength = min(1.0, step / ramp) if ramp else 1.0
                iterator.pieces = self._pieces(step)
                requests[iterator.name] = next(iterator)
        return requests

    def _pieces(self, step: int) -> int:
        """Return into how many pieces a batch is cut that begins at this step."""
        ramp = self.settings.batch_ramp * self.steps
        return RAMP[int(len(RAMP) * step / ramp)] if step < ramp else 1
