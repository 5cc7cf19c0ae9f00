"""Workers that a cluster's queue starts for a run: Slurm, PBS, SGE, LSF; or ssh on hosts."""

import logging
import shlex
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from subprocess import DEVNULL
from typing import Any

import yaml
from distributed import Client
from tornado.process import Subprocess

from cascade.cluster.pool import DaskCluster
from cascade.runtime.errors import UserError
from cascade.runtime.project import ROOT

_interrupt = signal.getsignal(signal.SIGINT)
import dask_jobqueue  # noqa: E402 - it takes Ctrl-C for itself
from dask_jobqueue.core import Job, JobQueueCluster  # noqa: E402

signal.signal(signal.SIGINT, _interrupt)
log = logging.getLogger("cascade")
FILE = ROOT / "cluster.yaml"
EVERY = 60.0  # seconds between two log lines while all jobs wait in the queue


class SshJob(Job):
    """Workers on one of ``hosts``, as many as it has ``cores``; they take turns by job."""

    config_name = "local"  # dask-jobqueue has no section for ssh, and this one is empty

    def __init__(self, *arguments: Any, hosts: Sequence[str] = (), **options: Any):
        super().__init__(*arguments, **{"shebang": "#!/bin/bash", **options})
        self.job_header = ""
        self.hosts = hosts

    async def _submit_job(self, script_filename: str) -> str:
        host = self.hosts[int(str(self.name).rpartition("-")[2]) % len(self.hosts)]
        with Path(script_filename).open("rb") as script:
            self._ssh = Subprocess(
                ["ssh", "-o", "BatchMode=yes", host, "bash", "-s"], stdin=script, stdout=DEVNULL
            )
        return str(self._ssh.pid)

    async def close(self) -> None:
        self._ssh.proc.terminate()  # the worker ends when its scheduler does


class SshCluster(JobQueueCluster):
    job_cls = SshJob


KINDS: dict[str, tuple[type[JobQueueCluster], str]] = {  # and the command that starts a job
    "slurm": (dask_jobqueue.SLURMCluster, "sbatch"),
    "pbs": (dask_jobqueue.PBSCluster, "qsub"),
    "sge": (dask_jobqueue.SGECluster, "qsub"),
    "lsf": (dask_jobqueue.LSFCluster, "bsub"),
    "ssh": (SshCluster, "ssh"),
}


class QueuedCluster(DaskCluster):
    """Workers that are queued as jobs when a pool needs them, and a scheduler in this process.

    ``kind`` is a section of ``file``. Raises `UserError` for a mistake in it.
    """

    def __init__(self, kind: str, folder: Path, file: Path = FILE, trains: bool = False):
        self.kind, self.folder, self.trains = kind, folder, trains
        self.options = read_options(kind, file)
        self.jobs = self.options.pop("jobs", len(self.options.get("hosts", [""])))
        self.file = file
        self._cluster: JobQueueCluster | None = None
        self._make, command = KINDS[kind]
        if not shutil.which(command):
            raise UserError(f"--cluster {kind} needs the command {command}, which is not here.")

    def scheduler(self) -> str:
        if self._cluster is None:
            try:
                self._cluster = self._make(**self.options)
            except (TypeError, ValueError) as error:
                raise UserError(f"{self.file}, section '{self.kind}': {error}.") from None
            self._cluster.scale(jobs=self.jobs)
            log.info("%d jobs are in the queue (%s)", self.jobs, self.kind)
        return str(self._cluster.scheduler_address)

    def await_worker(self, client: Client) -> None:
        while True:
            try:
                client.wait_for_workers(1, timeout=EVERY)
                return
            except TimeoutError:
                log.info("  no job has started a worker yet (%s)", self.kind)

    def release(self) -> None:
        """End all jobs."""
        if self._cluster is not None:
            self._cluster.close()
            self._cluster = None


def read_options(kind: str, file: Path) -> dict[str, Any]:
    """Return how dask-jobqueue makes a cluster, and ``jobs``, from a file such as::

        slurm:
          jobs: 4
          cores: 8
          memory: 32GB

    Raises `UserError`.
    """
    try:
        sections = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise UserError(f"{file} cannot be read: {' '.join(str(error).split())}.") from None
    section = sections.get(kind) if isinstance(sections, dict) else None
    if not isinstance(section, dict):
        raise UserError(f"{file} has no section '{kind}', which --cluster {kind} needs.")
    for key in ("cores", "memory", *(["hosts"] if kind == "ssh" else [])):
        if key not in section:
            raise UserError(f"{file}, section '{kind}': the key '{key}' is missing.")
    quiet = {"dashboard": False, "dashboard_address": ":0"}
    prologue = [f"cd {shlex.quote(str(ROOT))} || exit 1", ". ./path.sh || exit 1"]
    return {
        "processes": section["cores"],  # of one thread each
        "python": sys.executable,
        **section,
        "job_script_prologue": [*section.get("job_script_prologue", []), *prologue],
        "scheduler_options": {**quiet, **section.get("scheduler_options", {})},
    }
