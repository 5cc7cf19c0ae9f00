"""A Dask scheduler and workers on the loopback interface, each a process with its own folder."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from cascade.runtime.project import ROOT

WORKER = ["-m", "dask", "worker", "--nthreads", "1", "--no-dashboard"]


class Dask:
    """A scheduler on the loopback interface, and its workers."""

    def __init__(self, folder: Path):
        self.folder, self.workers = folder, []
        self.environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT}/tests"}
        known = folder / "scheduler.json"
        options = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
        self.scheduler = self.start(
            ["-m", "dask", "scheduler", *options, "--scheduler-file", str(known)]
        )
        while not (known.exists() and known.read_text().endswith("}")):
            assert self.scheduler.poll() is None, (folder / "log").read_text()
            time.sleep(0.1)
        self.address = json.loads(known.read_text())["address"]

    def start(self, command, where="."):
        folder = self.folder / where
        folder.mkdir(exist_ok=True)
        log = (folder / "log").open("ab")
        return subprocess.Popen(
            [sys.executable, *command], cwd=folder, stdout=log, stderr=log, env=self.environment
        )

    def worker(self, name, *options):
        """Start a worker, with a process that starts it again when it dies."""
        command = [*WORKER, self.address, "--host", "127.0.0.1", "--name", name, *options]
        self.workers.append(self.start(command, name))

    def close(self):
        for process in (*self.workers, self.scheduler):
            process.terminate()
            process.wait()
