"""The speed and memory of stages 0 and 2; see prepare.sh."""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile

from cascade.features.sources import archive_of

ROOT = Path(__file__).resolve().parent.parent.parent
SHORT = (1.0, 1.5, 2.0, 2.5, 3.0)  # seconds of the recordings of a corpus for its size
LONG = (3.0, 4.0, 5.0, 6.0, 7.0)  # and of one for its speed: 5 s, as in Common Voice
TIMED = 4000  # utterances of that
ROUNDS = 5  # of the features alone; the medians count
RATE = 16000
READ = ROOT / "tests" / "bench" / "read.py"
WAYS: dict[str, list[str]] = {  # options of `READ`
    "stored": [],
    "stored, 16 shards at a time": ["--shards", "16"],
    "Lhotse Shar": ["--shar", "{exp}/shar"],
    "computed": [],
    "computed, 16 shards at a time": ["--shards", "16"],
}
WORDS = ["добрый", "день", "как", "пройти", "на", "вокзал", "здесь", "недалеко", "идите"]


def corpus(folder: Path, count: int, lengths: Sequence[float] = SHORT) -> Path:
    """A table of ``count`` utterances in recordings that are links to a few."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    for i, seconds in enumerate(lengths):
        envelope = 0.1 * np.abs(np.sin(np.arange(int(seconds * RATE)) / 2000))
        soundfile.write(folder / f"{i}.wav", envelope * random.standard_normal(len(envelope)), RATE)
    with (folder / "table.tsv").open("w", encoding="utf-8") as table:
        table.write("path\ttext\tspeaker\n")
        for n in range(count):
            clips = folder / f"{n // 1000:03d}"
            clips.mkdir(exist_ok=True)
            (clips / f"{n}.wav").hardlink_to(folder / f"{n % len(lengths)}.wav")
            text = " ".join(random.choice(WORDS, 6))
            table.write(f"{clips.name}/{n}.wav\t{text}\tspeaker{n // 50}\n")
    return folder


def recipe(folder: Path, train: Path, small: Path) -> Path:
    """A recipe that trains on ``train``, and judges on a small one."""
    sets = [("train", train), ("valid", small), ("test", small)]
    lines = [
        f"  - {{role: {role}, language: ru, corpus: table, path: {path}}}" for role, path in sets
    ]
    path = folder / "recipe.yaml"
    path.write_text(
        "name: bench\ntarget: ru\ndatasets:\n" + "\n".join(lines) + "\n"
        "languages: {ru: {letters: абвгдеёжзийклмнопрстуфхцчшщъыьэюя, voice: ru}}\n"
        "systems: {plain: {layers: [1], neurons: 8}}\n",
        encoding="utf-8",
    )
    return path


def run(recipe: Path, exp: Path, stage: int, jobs: int, *keys: str) -> tuple[float, float]:
    """Seconds and peak memory in MB of one stage, all of its processes together."""
    command = [sys.executable, "-m", "cascade", "run", "--recipe", str(recipe), "--exp", str(exp)]
    command += [
        "--stage",
        str(stage),
        "--stop-stage",
        str(stage),
        "--nj",
        str(jobs),
        "--force",
        *keys,
    ]
    started, peak = time.perf_counter(), 0.0
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE) as process:
        os.set_blocking(process.stderr.fileno(), False)
        stderr = b""
        while process.poll() is None:
            peak = max(peak, sum(map(memory, family(process.pid))))
            stderr += process.stderr.read() or b""
            time.sleep(0.2)
        seconds = time.perf_counter() - started
        if process.returncode:
            sys.exit((stderr + (process.stderr.read() or b"")).decode())
    return seconds, peak


def forget(exp: Path) -> None:
    """Removes experiments, and their features from where all experiments have them."""
    for scp in exp.glob("*/feats/*.scp"):
        shutil.rmtree(store_of(scp), ignore_errors=True)
    shutil.rmtree(exp)


def store_of(scp: Path) -> Path:
    """The folder of the store that a list names."""
    with scp.open(encoding="utf-8") as lines:
        return (ROOT / archive_of(next(lines).split(maxsplit=1)[1])).parent


def ways(made: Path, exp: Path, count: int, jobs: int, stored: float) -> None:
    """Compare the ways to read training speech; ``stored`` is the time that stage 2 has taken."""
    folder = exp / "bench"
    scp = folder / "feats" / "train_ru.scp"
    seconds = stored
    for way, options in WAYS.items():
        if way == "computed":
            shutil.rmtree(store_of(scp))  # of the way before
            seconds, _ = run(made, exp, 2, jobs, "--store_features", "false")
        command = [sys.executable, str(READ), str(made), str(folder)]
        command += [str(option).format(exp=exp) for option in options]
        output = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
        speed, by_cpu, mb, size = map(float, output.split())
        store = sum(path.stat().st_size for path in store_of(scp).iterdir()) / count
        print(
            f"{way}: stage 2 {seconds:.1f} s; {size or store:.0f} bytes on disk an utterance;"
            f" one process reads {speed:.0f} utterances a second, {by_cpu:.0f} in one of CPU,"
            f" and has {mb:.0f} MB",
            flush=True,
        )


def family(pid: int) -> list[int]:
    """A process and all that it started."""
    pids = [pid]
    for process in pids:
        try:
            for task in Path(f"/proc/{process}/task").iterdir():
                pids += map(int, (task / "children").read_text().split())
        except OSError:
            pass  # it has ended
    return pids


def memory(pid: int) -> float:
    """MB that a process holds; what several share is counted once in all of them."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--utterances", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, help="where the corpus is made, and removed")
    options = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="bench.", dir=options.folder))
    jobs = os.cpu_count() or 1
    try:
        small = corpus(root / "small", 20)
        rss, speed = {}, 0.0
        for count in (options.utterances // 10, options.utterances):
            exp = root / f"exp{count}"
            made = recipe(root, corpus(root / f"train{count}", count), small)
            checked, peak0 = run(made, exp, 0, jobs)
            computed, peak2 = run(made, exp, 2, jobs)
            rss[count], speed = max(peak0, peak2), count / checked
            print(
                f"{count} utterances: stage 0 {checked:.1f} s, {peak0:.0f} MB;"
                f" stage 2 {computed:.1f} s, {peak2:.0f} MB",
                flush=True,
            )
            if count == options.utterances:
                ways(made, exp, count, jobs, computed)
            forget(exp)
        exp = root / "timed"
        made = recipe(root, corpus(root / "long", TIMED, LONG), small)
        run(made, exp, 0, jobs)
        seconds, ratios = [], []
        for number in range(ROUNDS):
            (alone, cpu), (beside, _) = (stage_2(made, exp, j) for j in (1, 2))
            seconds.append(alone)
            ratios.append(alone / beside)
            print(
                f"round {number + 1}: features {alone:.1f} s, two processes {beside:.1f} s;"
                f" CPU {cpu:.1f} s",
                flush=True,
            )
        realtime = TIMED * sum(LONG) / len(LONG) / statistics.median(seconds)
        least, most = rss.values()
        print(
            f"utterances_per_s={speed:.0f} rss_10k_mb={least:.0f} rss_100k_mb={most:.0f}"
            f" realtime={realtime:.0f} two={statistics.median(ratios):.2f}"
        )
    finally:
        shutil.rmtree(root)


def stage_2(made: Path, exp: Path, jobs: int) -> tuple[float, float]:
    """Seconds, and seconds of CPU, that the features of the training data take."""
    code = (
        "import os, sys, time; from pathlib import Path; from cascade.features.dump import dump;"
        "from cascade.config.experiment import Experiment;"
        "from cascade.config.layout import Layout; from cascade.config.recipe import read_recipe;"
        "recipe, exp, jobs = read_recipe(Path(sys.argv[1])), Path(sys.argv[2]), int(sys.argv[3]);"
        "used, started = os.times(), time.perf_counter();"
        "experiment = Experiment(recipe, Layout(exp / 'bench', exp, exp));"
        "dump(experiment, recipe.datasets[0], jobs, force=True);"
        "print(time.perf_counter() - started, sum(os.times()[:4]) - sum(used[:4]))"
    )
    command = [sys.executable, "-c", code, str(made), str(exp), str(jobs)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    wall, cpu = map(float, done.stdout.split())
    return wall, cpu


if __name__ == "__main__":
    main()
