from contextlib import nullcontext

import pytest

from cascade.runtime import workers
from cascade.runtime.long_tasks import training_pool


class Machines:
    """A cluster whose pool is a word."""

    def __init__(self, trains):
        self.trains, self.released = trains, 0

    def pool(self, shared):
        return nullcontext("pool")

    def release(self):
        self.released += 1


@pytest.mark.parametrize(("trains", "pool"), [(True, "pool"), (False, None)])
def test_workers_that_train_are_kept_for_it(trains, pool):
    machines = Machines(trains)
    with workers.on(machines):
        workers.release()
        assert machines.released == (0 if trains else 1)
        with training_pool() as given:
            assert given == pool
    assert machines.released == (1 if trains else 2)
    with training_pool() as given:
        assert given is None
