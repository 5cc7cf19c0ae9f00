import time

import pytest
from team_processes import act

from cascade.runtime.long_tasks import training_pool
from cascade.training.progress import Done, Progress
from cascade.training.team import FINISHED, LOST, Team


def ended(calls, interrupt=False) -> tuple[Team, list[Progress]]:
    """Run a team to its end; return it, and its progress."""
    team, reports = Team("plain", 0), []
    team.start(act, calls)
    while team.processes:
        for receiver in list(team.processes):
            report = team.receive(receiver) if receiver in team.processes else None
            if report:
                reports.append(report)
                if interrupt and len(reports) == len(calls):  # all can be asked now
                    team.interrupt()
    return team, reports


def progress(step):
    return Progress(step, 2, 0, {"ru": 1.0}, None, None)


def test_a_training_reports_and_is_done():
    team, reports = ended([([progress(1), progress(2), Done(2, 9.5, 7)], 0, 0), ([FINISHED], 0, 0)])
    assert [report.step for report in reports] == [1, 2]
    assert team.done == Done(2, 9.5, 7)
    assert team.failure is None and not team.interrupted


def test_all_processes_are_asked_to_stop():
    team, _ = ended([([progress(1)], 60, 0), ([progress(1)], 60, 0)], interrupt=True)
    assert team.interrupted and team.failure is None and team.done is None


@pytest.mark.parametrize(("size", "which"), [(1, "its process"), (2, "one of its processes")])
def test_a_process_that_dies_without_a_word_is_named_by_its_status(size, which):
    team, _ = ended([([], 0, 3)] * size)
    assert team.failure == f"Training of 'plain' failed: {which} ended with status 3"


def test_after_a_failure_the_others_end_and_their_loss_is_not_the_reason(monkeypatch):
    """One says that it has lost the others; one hangs, and is killed."""
    monkeypatch.setattr("cascade.training.team.GRACE", 1.0)
    lost = f"{LOST} (connection closed)"
    started = time.monotonic()
    team, _ = ended([([lost], 0, 0), (["the disk is full"], 0, 0), ([progress(1)], 600, 0)])
    assert team.failure == "Training of 'plain' failed: the disk is full"
    assert time.monotonic() - started < 120 and not team.processes


def test_a_loss_is_the_reason_where_there_is_no_other():
    team, _ = ended([([f"{LOST} (connection closed)"], 0, 0)])
    assert team.failure == f"Training of 'plain' failed: {LOST} (connection closed)"


@pytest.fixture
def on_worker(on_workers, tmp_path):
    """Runs a team of one process on a worker to its end; returns it, and its progress."""

    def on_worker(call, interrupt=False) -> tuple[Team, list[Progress]]:
        team, reports = Team("plain", 0), []
        with on_workers(), training_pool() as pool:
            team.start_on(pool, tmp_path / "plain", act, call)
            while team.processes:
                (receiver,) = team.processes
                if report := team.receive(receiver):
                    reports.append(report)
                    if interrupt:
                        team.interrupt()
        return team, reports

    return on_worker


def test_a_worker_s_training_reports_and_is_done(on_worker):
    team, reports = on_worker(([progress(1), progress(2), Done(2, 9.5, 7)], 0, 0))
    assert [report.step for report in reports] == [1, 2]
    assert team.done == Done(2, 9.5, 7)
    assert team.failure is None and not team.interrupted


def test_a_worker_s_training_is_asked_to_stop(on_worker):
    team, _ = on_worker(([progress(1)], 600, 0), interrupt=True)
    assert team.interrupted and team.failure is None and team.done is None


def test_a_mistake_of_the_user_is_not_tried_again_and_a_death_is(on_worker):
    team, reports = on_worker(([progress(1), "a weight is wrong"], 0, 0))
    assert team.failure == "Training of 'plain' failed: a weight is wrong" and len(reports) == 1
    team, reports = on_worker(([progress(1)], 0, 3))
    assert len(reports) == 2
    assert team.failure == (
        "Training of 'plain' failed: it has failed twice on the cluster, the last time because"
        " its process ended with status 3. The same command continues it."
    )
