"""Two machines that run one recipe; see machines.sh."""

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from chaos import ROOT, Chaos, digests

NAMES = ("cascade-1", "cascade-2")  # network namespaces
ADDRESSES = ("198.51.100.1", "198.51.100.2")  # reserved for examples (RFC 5737): only of these two
KILLED_IN = (2, 4)


class Machine:
    """A machine: the start of the commands that run there, its address and its interface."""

    def __init__(self, folder: Path, number: int, apart: bool):
        self.folder = folder / f"machine-{number + 1}"
        self.folder.mkdir()
        self.begin = ["ip", "netns", "exec", NAMES[number]] if apart else []
        self.address = ADDRESSES[number] if apart else "127.0.0.1"
        self.interface = "wire" if apart else "lo"

    def start(self, *command: str, name: str = "log", where: Path | None = None):
        """Start a Python module there, with a log."""
        log = (self.folder / name).open("ab")
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "GLOO_SOCKET_IFNAME": self.interface,
            "OMP_NUM_THREADS": "1",
        }
        return subprocess.Popen(
            [*self.begin, sys.executable, "-m", *command],
            cwd=where or self.folder,
            stdout=log,
            stderr=log,
            env=environment,
        )


@contextlib.contextmanager
def machines(folder: Path) -> Iterator[list[Machine]]:
    """Yield two machines: namespaces that only see each other, if this user may make them."""
    apart = shutil.which("ip") is not None and _ip("netns", "add", NAMES[0], check=False)
    print("two network namespaces" if apart else "no namespaces here: the loopback interface")
    try:
        if apart:
            _ip("netns", "add", NAMES[1])
            peer = ["peer", "name", "wire", "netns", NAMES[1]]
            _ip("link", "add", "wire", "netns", NAMES[0], "type", "veth", *peer)
            for name, address in zip(NAMES, ADDRESSES, strict=True):
                _ip("-n", name, "address", "add", f"{address}/30", "dev", "wire")
                for interface in ("lo", "wire"):
                    _ip("-n", name, "link", "set", interface, "up")
        yield [Machine(folder, number, apart) for number in (0, 1)]
    finally:
        for name in NAMES if apart else ():
            _ip("netns", "delete", name)


def _ip(*arguments: str, check: bool = True) -> bool:
    return subprocess.run(["ip", *arguments], check=check).returncode == 0


@contextlib.contextmanager
def dask(pair: list[Machine]) -> Iterator[tuple[str, list[subprocess.Popen]]]:
    """A scheduler on the first machine, and a worker on each; yields its address and them."""
    first = pair[0]
    known = first.folder / "scheduler.json"
    options = ["--host", first.address, "--port", "0", "--no-dashboard"]
    options += ["--scheduler-file", str(known)]
    running = [first.start("dask", "scheduler", *options, name="scheduler.log")]
    try:
        while not (known.exists() and known.read_text().endswith("}")):
            if running[0].poll() is not None:
                sys.exit((first.folder / "scheduler.log").read_text())
            time.sleep(0.1)
        address = json.loads(known.read_text())["address"]
        for machine in pair:
            options = ["--nthreads", "1", "--no-dashboard", "--host", machine.address]
            running.append(machine.start("dask", "worker", address, *options, name="worker.log"))
        yield address, running[1:]
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait()


def run(chaos: Chaos, machine: Machine, *options: str, stages=(0, 5), start=("cascade",)):
    """Start the run of an experiment's stages on a machine."""
    command = [*start, "run", "--recipe", "mini", "--exp", str(chaos.exp)]
    command += ["--stage", str(stages[0]), "--stop-stage", str(stages[1])]
    return machine.start(*command, *chaos.options, *options, name="run.log", where=ROOT)


def end(process: subprocess.Popen, machine: Machine) -> None:
    """Wait for a run; stop where it has failed."""
    if process.wait():
        sys.exit((machine.folder / "run.log").read_text())


def kill_worker(workers: list[subprocess.Popen], chaos: Chaos, run: subprocess.Popen) -> bool:
    """Kill a worker while parts of a run are in work; return whether one was killed."""
    while run.poll() is None:
        if any(chaos.root.glob(".parts-*/*.0")):  # the mark of a part that has begun
            for pid in (child for worker in workers for child in _children(worker.pid)):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    return True
        time.sleep(0.002)
    return False


def _children(parent: int) -> list[int]:
    """Return the processes that a Dask worker has started: those that run parts."""
    lists = [path.read_text() for path in Path(f"/proc/{parent}/task").glob("*/children")]
    children = [int(pid) for text in lists for pid in text.split()]
    return [p for p in children if b"spawn_main" in Path(f"/proc/{p}/cmdline").read_bytes()]


def differences(chaos: Chaos, reference: dict[str, str]) -> int:
    """Return how many files differ from those of another experiment; name them."""
    now = digests(chaos.root)
    wrong = [name for name in now.keys() | reference if now.get(name) != reference.get(name)]
    for name in sorted(wrong):
        print(f"  differs: {name}", flush=True)
    return len(wrong)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=150, help="steps of each training")
    options = parser.parse_args()
    short = ["--train.steps", str(options.steps), "--train.valid_every", "50"]
    with tempfile.TemporaryDirectory(prefix="machines.") as name, machines(Path(name)) as pair:
        first = pair[0]
        outside = Machine(Path(name), 2, apart=False)  # it may have to fetch: the two cannot
        local, ours, team, nodes = (
            Chaos(Path(name) / kind, short, 0) for kind in ("local", "dask", "team", "nodes")
        )
        end(run(local, outside), outside)
        expected = digests(local.root)
        print(f"one process: {len(expected)} files", flush=True)

        local.forget(2)  # or there would be nothing to do
        killed = []
        with dask(pair) as (address, workers):
            for stage in range(6):
                options = ["--dask", address, "--cluster-training"]
                process = run(ours, first, *options, stages=(stage, stage))
                if stage in KILLED_IN and kill_worker(workers, ours, process):
                    killed.append(stage)
                end(process, first)
        by_dask = differences(ours, expected)
        print(f"Dask: a worker was killed in stages {killed}", flush=True)

        end(run(team, first, "--gpus", "2"), first)
        meeting = f"{first.address}:29533"
        running = []
        for machine in pair:
            serves = f"is_host={machine is first}"
            start = ["torch.distributed.run", "--nnodes", "2", "--nproc-per-node", "1"]
            start += ["--rdzv-backend", "c10d", "--rdzv-endpoint", meeting, "--rdzv-conf", serves]
            start += ["--local-addr", machine.address, "-m", "cascade"]
            running.append(run(nodes, machine, start=start))
        for process, machine in zip(running, pair, strict=True):
            end(process, machine)
        by_torchrun = differences(nodes, digests(team.root))
    stages = ",".join(map(str, killed))
    print(
        f"dask_differences={by_dask} torchrun_differences={by_torchrun} killed_in_stages={stages}"
    )
    return int(by_dask or by_torchrun or tuple(killed) != KILLED_IN)


if __name__ == "__main__":
    sys.exit(main())
