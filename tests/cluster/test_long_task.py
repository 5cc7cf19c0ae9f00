"""Long tasks on two workers: their reports, and how they end."""

import subprocess
import sys
import threading
import time

import cluster_tasks as tasks
import pytest

pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")

from cascade.cluster.long_task import DaskLongTask
from cascade.cluster.pool import DaskCluster
from cascade.runtime import long_tasks, workers
from cascade.runtime.project import ROOT

RUN = """
import sys
import cluster_tasks as tasks
from pathlib import Path
from cascade.cluster.pool import DaskCluster
address, folder = sys.argv[1], Path(sys.argv[2])
with DaskCluster(address, folder).pool() as pool:
    print(pool.start(tasks.works, folder / "task").receiver.recv(), flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def pool(dask, tmp_path):
    machines = DaskCluster(dask.address, tmp_path / "exp", trains=True)
    with workers.on(machines), long_tasks.training_pool() as pool:
        yield pool
    assert list((tmp_path / "exp").iterdir()) == []


def messages(task):
    """All that a task sends."""
    received = []
    while True:
        try:
            received.append(task.receiver.recv())
        except EOFError:
            return received


def test_reports_that_nobody_receives_stop_nothing():
    may_end = threading.Event()
    task = DaskLongTask(lambda: may_end.wait() and "end", lambda: None)
    for number in range(10_000):
        task.report(number)
    may_end.set()
    *received, last = messages(task)
    assert received == [*range(len(received))] and 100 < len(received) < 10_000
    assert last == "end"


def test_reports_come_in_order_and_the_result_is_the_last(pool):
    tasks_of_both = [pool.start(tasks.reports, count) for count in (30, 40)]
    assert [messages(task) for task in tasks_of_both] == [[*range(30), 435], [*range(40), 780]]


def test_every_task_has_a_worker_of_its_own_and_ends_when_the_run_stops(pool, tmp_path):
    assert pool.workers == 2
    both = [pool.start(tasks.works, tmp_path / name) for name in "ab"]
    assert [task.receiver.recv() for task in both] == ["begun", "begun"]
    both[0].terminate()
    assert [messages(task) for task in both] == [[long_tasks.STOPS]] * 2


def test_a_task_whose_worker_dies_is_done_again_once(pool, tmp_path):
    task = pool.start(tasks.works, tmp_path / "once", 1)
    assert task.receiver.recv() == "begun"
    assert (tmp_path / "once").read_text() == "begun\nbegun\n"
    task.terminate()
    assert messages(task) == [long_tasks.STOPS]
    reason = "it has failed twice on the cluster, the last time because the worker died"
    task = pool.start(tasks.works, tmp_path / "twice", 9)
    end = "(out of memory, or killed). The same command continues it."
    assert messages(task) == [f"{reason} {end}"]


def test_a_task_ends_with_a_run_that_was_killed(dask, tmp_path):
    run = subprocess.Popen(
        [sys.executable, "-c", RUN, dask.address, tmp_path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=dask.environment,
        cwd=ROOT,
    )
    assert run.stdout.readline() == "begun\n"
    run.kill()
    run.communicate()
    while (tmp_path / "task").read_text() != "begun\nnobody waits for it\n":
        time.sleep(0.05)
