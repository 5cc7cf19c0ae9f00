"""The process that transcribes recordings outlives what goes wrong with one of them."""

import pytest

from cascade.serving.file_worker import FileWorker
from cascade.serving.stream_worker import Process


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
