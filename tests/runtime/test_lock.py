import subprocess
import sys
import time
from pathlib import Path

import pytest

from cascade.runtime.lock import turn
from cascade.runtime.project import ROOT

HOLDER = """
import sys, time
from pathlib import Path
from cascade.runtime.lock import turn
with turn(Path(sys.argv[1])):
    print("in", flush=True)
    time.sleep(float(sys.argv[2]))
    print(time.monotonic(), flush=True)
"""


def holder(folder: Path, seconds: float) -> subprocess.Popen:
    """A process that is in ``folder`` for some seconds, and says when it went out."""
    command = [sys.executable, "-c", HOLDER, str(folder), str(seconds)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout.readline() == "in\n"
    return process


def test_a_turn_comes_when_the_other_is_out(tmp_path, caplog):
    caplog.set_level("INFO", "cascade")
    other = holder(tmp_path / "data", 1.0)
    with turn(tmp_path / "data"):
        entered = time.monotonic()  # the same clock in all processes
    assert entered >= float(other.communicate()[0])
    assert f"is in use by process {other.pid}, since 20" in caplog.text


def test_a_killed_process_is_out(tmp_path):
    other = holder(tmp_path, 600)
    other.kill()
    with turn(tmp_path):
        other.communicate()


def test_an_error_ends_the_turn(tmp_path):
    with pytest.raises(ValueError), turn(tmp_path):
        raise ValueError
    other = holder(tmp_path, 0)
    assert other.wait() == 0
