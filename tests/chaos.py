"""Kills stages of a recipe at random moments; see chaos.sh."""

import argparse
import contextlib
import hashlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Training is the longest stage of real runs, and has the most to lose.
WEIGHTS = {0: 2, 1: 2, 2: 2, 3: 7, 4: 2, 5: 1}
# What each stage leaves: gone, it has work to do again, and its stamps with it.
OUTPUTS = {
    0: ("manifests", "excluded.tsv"),
    1: ("lang",),
    2: ("feats",),
    3: ("plain/*", "cascade/*"),
    4: ("*/decode_*",),
    5: ("*/score_*", "phones_*.tsv", "changes_*.tsv", "results.json", "*.md"),
}
# Times and memory are measured anew in each run; stamps hold the times of files.
LEFT_OUT = re.compile(
    r"(^|/)(\.stamps/.*|\.lock|checkpoint/.*|decode\.json|stages\.jsonl|speed\.jsonl|events\..*"
    r"|report\.html)$"
)
MEASURED = (
    (re.compile(rb"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\]"), b"[time]"),
    (re.compile(rb"Memory using: .*"), b"Memory"),
    (re.compile(rb'"(memory_mb|build_s)": [\d.]+'), b"measured"),
    (re.compile(rb"- (date|command): .*"), b"measured"),
)


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every output below ``folder``, what was measured in it left out."""
    hashes = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_file() and not LEFT_OUT.search(name):
            content = path.read_bytes()
            if path.suffix in (".log", ".json", ".md"):
                for pattern, instead in MEASURED:
                    content = pattern.sub(instead, content)
            hashes[name] = hashlib.sha256(content).hexdigest()
    return hashes


class Chaos:
    """An experiment that is killed and resumed."""

    def __init__(self, exp: Path, options: list[str], seed: int):
        self.exp = exp
        self.root = exp / "mini"
        self.options = options
        self.random = random.Random(seed)
        self.seconds = dict.fromkeys(WEIGHTS, 3.0)

    def command(self, stage: int) -> list[str]:
        stages = ["--stage", str(stage), "--stop-stage", str(stage)]
        exp = ["--recipe", "mini", "--exp", str(self.exp)]
        return [str(ROOT / "run.sh"), *exp, *stages, *self.options]

    def finish(self, stage: int) -> None:
        """Runs a stage to its end, as a user would after a crash."""
        started = time.monotonic()
        done = subprocess.run(self.command(stage), capture_output=True, text=True, cwd=ROOT)
        if done.returncode:
            sys.exit(f"stage {stage} did not go on after the kill:\n{done.stderr}")
        self.seconds[stage] = max(self.seconds[stage], time.monotonic() - started)

    def forget(self, stage: int) -> None:
        """Takes away what a stage made."""
        for folder in self.shared(stage):
            shutil.rmtree(folder, ignore_errors=True)
        for pattern in (*OUTPUTS[stage], f".stamps/{stage}.*"):
            for path in self.root.glob(pattern):
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def shared(self, stage: int) -> set[Path]:
        """The folders of what a stage made for all experiments: language models, features."""
        if stage == 1:
            own = {path.stat().st_ino for path in self.root.glob("lang/**/*")}
            kept = (path for path in ROOT.glob("data/lang/*/*") if path.stat().st_ino in own)
            return {path.parent for path in kept}
        if stage != 2:
            return set()
        lists = [scp.read_text().splitlines() for scp in self.root.glob("feats/*.scp")]
        return {(ROOT / line.split()[1].rsplit(":", 1)[0]).parent for s in lists for line in s}

    def kill(self, stage: int) -> bool:
        """Starts a stage and kills all of its processes at a random moment.

        Returns whether it was still at work then.
        """
        process = subprocess.Popen(
            self.command(stage),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
            start_new_session=True,
        )
        wait = self.random.uniform(0.1, self.seconds[stage])
        time.sleep(wait)
        at_work = process.poll() is None
        if not at_work:
            self.seconds[stage] = wait  # it had less to do, or the machine is faster now
        # Half of the time the parent alone: its children must end by themselves.
        kill = os.kill if self.random.random() < 0.5 else os.killpg
        with contextlib.suppress(ProcessLookupError):
            kill(process.pid, signal.SIGKILL)
        process.wait()
        return at_work


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=150, help="steps of each training")
    options = parser.parse_args()
    short = ["--train.steps", str(options.steps), "--train.valid_every", "50"]
    short += ["--train.checkpoint_every", "2s"]
    with tempfile.TemporaryDirectory(prefix="chaos.") as folder:
        chaos = Chaos(Path(folder), short, options.seed)
        for stage in WEIGHTS:
            chaos.finish(stage)
        unbroken = digests(chaos.root)
        print(f"unbroken run: {len(unbroken)} files", flush=True)
        kills: Counter = Counter()
        different = set()
        while kills.total() < options.kills:
            (stage,) = chaos.random.choices(list(WEIGHTS), list(WEIGHTS.values()))
            chaos.forget(stage)
            for _ in range(chaos.random.randint(1, 4)):
                if kills.total() < options.kills and chaos.kill(stage):
                    kills[stage] += 1
            for number in range(stage, len(WEIGHTS)):
                chaos.finish(number)
            now = digests(chaos.root)
            wrong = {n for n in now.keys() | unbroken if now.get(n) != unbroken.get(n)}
            for name in sorted(wrong - different):
                print(f"  differs after a kill of stage {stage}: {name}", flush=True)
            different |= wrong
            print(f"{kills.total()} kills, {dict(sorted(kills.items()))}", flush=True)
    print(f"kills={kills.total()} differences={len(different)}")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
