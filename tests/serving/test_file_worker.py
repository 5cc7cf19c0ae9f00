"""The process that transcribes recordings outlives what goes wrong with one of them."""

import os
import signal
import time

import pytest

from cascade.serving import file_worker
from cascade.serving.file_worker import FileWorker
from cascade.serving.stream_worker import FORK, Process


class Unlucky(FileWorker):
    def _answer(self, data):
        raise BlockingIOError("no more processes")


def test_an_error_of_one_recording_leaves_the_process_for_the_next():
    process = Process(Unlucky(None, 1.0), (), "files")
    try:
        answers = [process.call(b"a recording") for _ in range(2)]
        assert [answer.status for answer in answers] == [500, 500]
        assert process.alive
    finally:
        process.stop()
    assert not process.alive
    with pytest.raises(OSError):
        process.call(b"a recording")


class Slow(FileWorker):
    """Knows the length of some recordings, and is done with none."""

    def _transcribe(self, data, connection, parent):
        if data == b"1 s":
            connection.send(1.0)
        time.sleep(60)


def test_a_recording_has_as_much_time_as_it_is_long(monkeypatch):
    monkeypatch.setattr(file_worker, "OPENING", 0.3)
    worker = Slow(None, 3600.0)
    begin = time.monotonic()
    for data, what in ((b"?", "open"), (b"1 s", "transcribe")):
        answer = worker._answer(data)
        assert answer.status == 503 and answer.text.endswith(f" s to {what}.")
    assert 1.6 <= time.monotonic() - begin < 30


def test_a_killed_server_leaves_no_process():
    ours, theirs = FORK.Pipe(duplex=False)

    def serve():
        theirs.send(Process(lambda connection: time.sleep(60), (), "files").pid)
        os.kill(os.getpid(), signal.SIGKILL)

    server = FORK.Process(target=serve)
    server.start()
    pid = ours.recv()
    server.join()
    for _ in range(100):  # until the system has removed it
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
                if stat.read().rpartition(")")[2].split()[0] == "Z":
                    return
        except (FileNotFoundError, ProcessLookupError):
            return
        time.sleep(0.1)
    os.kill(pid, signal.SIGKILL)
    pytest.fail("the process lives on")
