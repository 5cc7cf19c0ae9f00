"""Pools on a Dask cluster: a scheduler and two workers, each a process with its own folder."""

import os

import cluster_tasks as tasks
import pytest
from dask_workers import Dask

pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")

from cascade.cluster import part
from cascade.cluster import pool as pool_module
from cascade.cluster.pool import DaskCluster
from cascade.runtime import workers
from cascade.runtime.errors import UserError
from cascade.runtime.project import ROOT


@pytest.fixture
def cluster(dask, tmp_path):
    """Lets the two workers run the tasks of all pools."""
    with workers.on(DaskCluster(dask.address, tmp_path / "exp")):
        yield
    assert list((tmp_path / "exp").iterdir()) == []  # no mark, no pickle is left


def test_results_come_in_order(cluster):
    with workers.pool(1) as pool:
        assert list(workers.in_order(pool, tasks.double, range(40), 2)) == [*range(0, 80, 2)]


def test_tasks_are_done_by_the_workers_from_the_project_s_folder(cluster):
    with workers.pool(1) as pool:
        processes, folders = zip(*workers.in_order(pool, tasks.where, range(40), 1), strict=True)
    assert len(set(processes)) == 2 and os.getpid() not in processes
    assert set(folders) == {str(ROOT)}


def test_what_is_shared_is_read_again_by_each_pool(cluster, tmp_path):
    path = tmp_path / "a.txt"
    for text in ("one", "two"):
        path.write_text(text)
        shared = tasks.Text(path, upper=True)
        assert [*workers.shared_map(tasks.first, shared, range(8), 1)] == [text.upper()] * 8


def test_a_worker_that_dies_has_its_part_done_again(cluster, tmp_path):
    path = tmp_path / "done"
    with workers.pool(1) as pool:
        work = ((number, path, 7, 1) for number in range(30))
        assert [*workers.in_order(pool, tasks.mortal, work, 1)] == [*range(0, 60, 2)]
    begun = path.read_text().split()
    assert begun.count("7") == 2
    # Once more are only parts whose results were not used yet: all of them may have been there.
    assert len(begun) <= 30 + pool_module.AHEAD * 2


def test_a_part_with_which_two_workers_die_is_named(cluster, tmp_path):
    path = tmp_path / "done"
    with workers.pool(1) as pool, pytest.raises(UserError) as error:
        work = ((number, path, 5, 99) for number in range(30))
        list(workers.in_order(pool, tasks.mortal, work, 1))
    assert path.read_text().split().count("5") == 2
    assert str(error.value).startswith(
        "A part of the work has failed twice on the cluster, the last time at utterance 'utt_5':"
        " the worker died"
    )


def test_a_part_that_fails_twice_is_named(cluster):
    with workers.pool(1) as pool, pytest.raises(UserError) as error:
        list(workers.in_order(pool, tasks.fails, [3], 1))
    assert "twice" in str(error.value) and "utterance 'utt_3'" in str(error.value)
    assert "ZeroDivisionError: by 3" in str(error.value)


def test_a_mistake_of_the_user_is_not_tried_again(cluster, tmp_path):
    path = tmp_path / "done"
    with workers.pool(1) as pool, pytest.raises(UserError, match=r"^utt_3 is wrong\.$"):
        list(workers.in_order(pool, tasks.refuses, [(3, path)], 1))
    assert path.read_text() == "3\n"


def test_no_scheduler(tmp_path):
    with pytest.raises(UserError, match=r"^No Dask scheduler answers at tcp://127\.0\.0\.1:9 "):
        DaskCluster("tcp://127.0.0.1:9", tmp_path)


def test_another_version_of_a_package(dask, tmp_path, monkeypatch):
    known = part.conditions()
    monkeypatch.setattr(part, "conditions", lambda: known | {"numpy": "1.0.0"})
    with workers.on(DaskCluster(dask.address, tmp_path)), pytest.raises(UserError) as error:
        list(workers.shared_map(tasks.second, None, [1], 1))
    assert f" has numpy {known['numpy']}, and the run has 1.0.0." in str(error.value)


def test_another_state_of_the_code(dask, tmp_path, monkeypatch):
    monkeypatch.setattr(part, "CODE", "012345")
    with workers.on(DaskCluster(dask.address, tmp_path)), pytest.raises(UserError) as error:
        list(workers.shared_map(tasks.second, None, [1], 1))
    assert f" has cascade {part._code()}, and the run has 012345." in str(error.value)


def test_a_worker_that_does_not_see_the_folder(dask, tmp_path):
    with workers.on(DaskCluster(dask.address, tmp_path)), workers.pool(1) as pool:
        (pool.folder / "conditions.json").unlink()
        with pytest.raises(UserError, match=f" does not see {pool.folder}"):
            list(workers.in_order(pool, tasks.double, [1], 1))


def test_a_scheduler_without_workers_and_one_with_threads(tmp_path, monkeypatch):
    monkeypatch.setattr(pool_module, "PATIENCE", 1.0)
    dask = Dask(tmp_path)
    try:
        cluster = DaskCluster(dask.address, tmp_path / "exp")
        with pytest.raises(UserError, match="has no worker"), cluster.pool():
            pass
        dask.worker("threads", "--nthreads", "2")
        monkeypatch.undo()
        with workers.on(cluster), workers.pool(1) as pool:
            with pytest.raises(UserError, match=r"has 2 threads\. Start it with --nthreads 1"):
                list(workers.in_order(pool, tasks.double, [1], 1))
            dask.scheduler.kill()
            with pytest.raises(UserError, match="connection to the Dask scheduler is lost"):
                list(workers.in_order(pool, tasks.double, [1], 1))
    finally:
        dask.close()
