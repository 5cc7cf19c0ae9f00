"""Workers that a queue starts: the commands of queues are scripts here."""

import os
import signal
import stat

import pytest

pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")

from cascade.cluster import jobs
from cascade.runtime import workers
from cascade.runtime.errors import UserError
from cascade.runtime.project import ROOT

SSH = """#!/bin/bash
echo "$@" >>{folder}/calls
cat >{folder}/script.$3
sed '/path.sh/d' {folder}/script.$3 | exec bash
"""


@pytest.fixture
def command(tmp_path, monkeypatch):
    """Writes a command that stands for one of a queue."""

    def command(name, text):
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{path.parent}{os.pathsep}{os.environ['PATH']}")

    return command


@pytest.fixture
def config(tmp_path):
    def config(text):
        path = tmp_path / "cluster.yaml"
        path.write_text(text)
        return path

    return config


def test_ssh_starts_workers_on_each_host(tmp_path, command, config, monkeypatch, caplog):
    caplog.set_level("INFO")
    command("ssh", SSH.format(folder=tmp_path))
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}{os.pathsep}{ROOT / 'tests'}")
    file = config("ssh: {hosts: [one, two], cores: 1, memory: 1GB, interface: lo}")
    with workers.on(jobs.QueuedCluster("ssh", tmp_path / "exp", file)):
        assert [*workers.shared_map(max, 3, range(6), 1)] == [3, 3, 3, 3, 4, 5]
    calls = (tmp_path / "calls").read_text().split("\n")[:-1]
    assert sorted(calls) == [f"-o BatchMode=yes {host} bash -s" for host in ("one", "two")]
    assert caplog.messages == ["2 jobs are in the queue (ssh)"]  # nothing of Dask's own


def test_a_slurm_job_has_workers_of_one_thread(tmp_path, command, config):
    command("sbatch", f"#!/bin/bash\ncp $1 {tmp_path}/job\necho Submitted batch job 7\n")
    command("scancel", f"#!/bin/bash\necho $1 >>{tmp_path}/ended\n")
    file = config("slurm: {jobs: 1, cores: 3, memory: 6GB, queue: batch, interface: lo}")
    cluster = jobs.QueuedCluster("slurm", tmp_path, file)
    assert not (tmp_path / "job").exists()  # nothing is queued before it is needed
    cluster.scheduler()
    for _ in range(100):
        if (tmp_path / "job").exists():
            break
        signal.sigtimedwait([], 0.1)
    cluster.release()
    script = (tmp_path / "job").read_text()
    assert "#SBATCH -p batch\n" in script and "#SBATCH --cpus-per-task=3\n" in script
    assert f"cd {ROOT} || exit 1\n. ./path.sh || exit 1\n" in script
    assert "--nthreads 1 " in script and "--nworkers 3 " in script
    assert (tmp_path / "ended").read_text() == "7\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pbs: {cores: 1}", "has no section 'slurm'"),
        ("slurm: {cores: 1}", "section 'slurm': the key 'memory' is missing."),
        ("slurm: [", "cannot be read"),
        ("slurm: {cores: 1, memory: 1GB, colour: red}", "unexpected keyword argument 'colour'"),
    ],
)
def test_mistakes_in_the_file(tmp_path, command, config, text, message):
    command("sbatch", "#!/bin/bash\n")
    with pytest.raises(UserError, match=message) as error:
        jobs.QueuedCluster("slurm", tmp_path, config(text)).scheduler()
    assert str(tmp_path / "cluster.yaml") in str(error.value)


def test_a_machine_without_the_queue(tmp_path, config, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    file = config("lsf: {cores: 1, memory: 1GB}")
    with pytest.raises(UserError, match="--cluster lsf needs the command bsub"):
        jobs.QueuedCluster("lsf", tmp_path, file)


def test_the_file_of_the_project_has_every_kind():
    for kind in jobs.KINDS:
        assert jobs.read_options(kind, jobs.FILE)["processes"] > 1


def test_ctrl_c_stays_ours():
    ours = (signal.default_int_handler, signal.SIG_IGN)  # the second in the background of a shell
    assert signal.getsignal(signal.SIGINT) in ours
