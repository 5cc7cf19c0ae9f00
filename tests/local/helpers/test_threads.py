import threading
import time

import pytest

from local.helpers import threads


@pytest.mark.parametrize("jobs", [0, 1, 3])
def test_every_item_once(jobs):
    done = []
    threads.for_each(done.append, range(100), jobs, "x")
    assert sorted(done) == list(range(100))


def test_at_most_that_many_at_a_time():
    running, most, lock = 0, 0, threading.Lock()

    def work(_):
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.01)
        with lock:
            running -= 1

    threads.for_each(work, range(20), 3, "x")
    assert most == 3


def test_an_error_is_raised_and_what_has_not_begun_is_dropped():
    done = []

    def work(number):
        if number == 1:
            raise ZeroDivisionError
        time.sleep(0.01)
        done.append(number)

    with pytest.raises(ZeroDivisionError):
        threads.for_each(work, range(1000), 2, "x")
    assert len(done) < 100
