"""Two processes that train one system together, against one; see ranks.sh."""

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

EXPERIMENT = Path("exp/mini")
INPUTS = ("lang", "feats", "manifests", ".stamps", "excluded.tsv")  # what stage 3 needs
SECONDS = 20.0  # of speech of a language, in a step of the trainings whose losses are compared
LONG_SECONDS = 320.0  # of those whose speed is compared
LONG = {"steps": 60, "valid_every": 30, "checkpoint_every": "60s"}  # other keys of these


class Trainings:
    """Trainings of mini's cascade, each in a folder of its own."""

    def __init__(self, folder: Path, steps: int):
        self.folder = folder
        self.steps = steps

    def start(
        self, name: str, ranks: int, seconds: float = SECONDS, **different: object
    ) -> subprocess.Popen:
        """Start a training in ``ranks`` processes: by torchrun, unless it is one.

        A step has ``seconds`` of each language, in all processes together. ``different`` has other
        values of keys.
        """
        own = self.folder / name
        for path in INPUTS:
            if (EXPERIMENT / path).is_dir():
                shutil.copytree(EXPERIMENT / path, own / path, dirs_exist_ok=True)
            else:
                shutil.copy2(EXPERIMENT / path, own / path)
        start = ["-m", "cascade", "run"]
        if ranks > 1:
            run = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={ranks}"]
            start = [*run, "--max-restarts=3", *start]
        keys = {
            "steps": self.steps,
            "batch_seconds": seconds / ranks,
            "valid_every": max(1, self.steps // 10),
            "checkpoint_every": "2s",
            "dropout": 0,
            **different,
        }
        settings = [f"--train.{key}={value}" for key, value in keys.items()]
        command = [sys.executable, *start, "--recipe", "mini", "--stage", "3", "--stop-stage", "3"]
        command += ["--folder", str(own), "--systems", "{cascade: {layers: [2, 2]}}"]
        environment = {**os.environ, "GLOO_SOCKET_IFNAME": "lo"}
        with (self.folder / f"{name}.log").open("w") as log:
            return subprocess.Popen([*command, *settings], stderr=log, env=environment)

    def end(self, name: str, process: subprocess.Popen) -> None:
        """Wait for a training; stop where it has failed."""
        if process.wait():
            sys.exit((self.folder / f"{name}.log").read_text())

    def rows(self, name: str, file: str) -> list[dict]:
        lines = (self.folder / name / "cascade" / file).read_text().splitlines()
        return [json.loads(line) for line in lines]

    def seconds(self, name: str) -> float:
        """The seconds of a step, from the first validation to the last."""
        first, *_, last = self.rows(name, "speed.jsonl")
        return (last["seconds"] - first["seconds"]) / (last["step"] - first["step"])

    def model(self, name: str) -> bytes:
        return (self.folder / name / "cascade" / "model.safetensors").read_bytes()


def kill_one(trainings: Trainings, name: str, process: subprocess.Popen) -> bool:
    """Kill a training process of torchrun at a random moment after the first checkpoint."""
    checkpoint = trainings.folder / name / "cascade" / "checkpoint" / "last.pt"
    while not checkpoint.exists() and process.poll() is None:
        time.sleep(0.1)
    time.sleep(random.uniform(0, 4))
    with contextlib.suppress(IndexError, ProcessLookupError):
        os.kill(random.choice(_trainers(process.pid)), signal.SIGKILL)
        return process.poll() is None
    return False


def _trainers(parent: int) -> list[int]:
    """The training processes: what the children of torchrun have spawned."""
    found = []
    for child in _children(parent):
        found += [pid for pid in _children(child) if b"spawn_main" in _command(pid)]
    return found


def _children(parent: int) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


def _command(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    random.seed(options.seed)
    with tempfile.TemporaryDirectory(prefix="ranks.") as folder:
        trainings = Trainings(Path(folder), options.steps)
        for name, ranks in (("one", 1), ("two", 2)):
            trainings.end(name, trainings.start(name, ranks))
        files = (trainings.rows(name, "train.jsonl") for name in ("one", "two"))
        pairs = zip(*files, strict=True)
        difference = max(
            abs(one["loss"][name] - two["loss"][name]) for one, two in pairs for name in one["loss"]
        )
        process = trainings.start("broken", 2)
        killed = kill_one(trainings, "broken", process)
        trainings.end("broken", process)
        same = trainings.model("broken") == trainings.model("two")
        print(f"a rank was killed: {killed}; the model is that of an unbroken run: {same}")
        times = []
        for ranks in (1, 2):
            name = f"long{ranks}"
            trainings.end(name, trainings.start(name, ranks, LONG_SECONDS, **LONG))
            times.append(trainings.seconds(name))
            print(f"{ranks} processes: {1e3 * times[-1]:.0f} ms a step", flush=True)
        ratio = times[0] / times[1]
        print(f"two={ratio:.2f} loss_difference={difference:.6f}")
        sys.exit(not same)


if __name__ == "__main__":
    main()
