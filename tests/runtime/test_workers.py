import gc
import os
import signal
import subprocess
import sys
import time
import weakref
from pathlib import Path

import pytest

from cascade.runtime import workers
from cascade.runtime.project import ROOT

PARENT = """
import os, time
from cascade.runtime import workers
with workers.pool(1) as pool:
    print(pool.submit(os.getpid).result(), flush=True)
    time.sleep(60)
"""


def test_work_comes_back_in_order():
    with workers.pool(2) as pool:
        assert list(pool.map(abs, [-3, 1, -2])) == [3, 1, 2]


def test_tasks_are_taken_as_they_are_needed():
    taken = []

    def tasks():
        for number in range(100):
            taken.append(number)
            yield -number

    with workers.pool(2) as pool:
        results = workers.in_order(pool, abs, tasks(), 4)
        for number in range(100):
            assert next(results) == number
            assert len(taken) <= number + 5
        assert next(results, None) is None


def test_a_task_that_fails_is_said_to_and_the_rest_is_left():
    with workers.pool(1) as pool, pytest.raises(ValueError):
        list(workers.in_order(pool, int, ["1", "x", *["2"] * 50], 4))


class Large:
    """Something that cannot be sent to another process, only be there."""

    def __init__(self, factor):
        self.factor = factor

    def __reduce__(self):
        raise AssertionError("it was pickled")


def times(large, number):
    return os.getpid(), large.factor * number


def test_a_shared_object_is_in_every_process_without_being_sent():
    for factor in (2, 3):  # the object of an earlier call is not used again
        results = list(workers.shared_map(times, Large(factor), range(50), 2))
        assert [product for _, product in results] == [factor * number for number in range(50)]
        assert os.getpid() not in {pid for pid, _ in results}
    assert workers._shared is None


def test_a_shared_object_is_let_go_at_the_end():
    large = Large(2)
    gone = weakref.ref(large)
    assert len(list(workers.shared_map(times, large, range(3), 1))) == 3
    del large
    gc.collect()
    assert gone() is None


def test_what_is_loaded_stays_shared_when_a_worker_collects_garbage():
    objects = [[number] for number in range(300_000)]  # some 20 MB
    with workers.pool(1) as pool:
        before = pool.submit(private_mb).result()
        pool.submit(gc.collect).result()
        after = pool.submit(private_mb).result()
    assert after - before < 5
    assert len(objects) == 300_000
    assert gc.get_freeze_count() == 0


def private_mb() -> float:
    """MB that this process shares with no other."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("Private_Dirty:"))
    return int(line.split()[1]) / 1024


def test_chunks():
    assert list(workers.chunks(range(5), 2)) == [[0, 1], [2, 3], [4]]


def test_workers_end_with_a_parent_that_was_killed():
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    worker = int(parent.stdout.readline())
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    for _ in range(100):
        if not alive(worker):
            return
        time.sleep(0.05)
    raise AssertionError("the worker outlived its parent")


def alive(pid: int) -> bool:
    """Whether a process runs; a dead one that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
