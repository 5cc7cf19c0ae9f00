"""Stage 5: scores every system on every test set, and writes the table of results."""

import json
import logging
import os
import platform
import subprocess
import sys
import time
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from cascade.details import write_details
from cascade.errors import UserError
from cascade.files import read_text_table
from cascade.layout import Layout, dataset_key, dataset_name
from cascade.recipe import Dataset, Recipe
from cascade.results import SystemResult, TestResult, results, table, write
from cascade.score import counts_of, score_files
from cascade.speechbox import format_log

log = logging.getLogger("cascade")


def evaluate(recipe: Recipe, layout: Layout) -> None:
    """Scores every system on every test set, writes the results, and prints the table."""
    summary = json.loads((layout.lang / "summary.json").read_text(encoding="utf-8"))
    tests = {}
    for dataset in recipe.role("test"):
        test = dataset_name(dataset)
        systems = {system: _score(recipe, layout, system, dataset) for system in recipe.systems}
        files = len(read_text_table(layout.text(dataset_key(recipe, dataset), "words")))
        extra = {"oov": summary["oov"][test], "oracle": _oracle(recipe, layout, dataset)}
        tests[test] = TestResult(files, systems, extra)
    found = results(recipe.name, recipe.seed, tests)
    write(layout.root, found, environment(recipe))
    print(table(found))


def _score(recipe: Recipe, layout: Layout, system: str, dataset: Dataset) -> SystemResult:
    """Scores one system on one test set, and writes the details."""
    test, key = dataset_name(dataset), dataset_key(recipe, dataset)
    folder = layout.decode(system, test)
    fold = recipe.languages[recipe.target].fold
    words = score_files(layout.text(key, "words"), folder / "words.txt", fold)
    phones = score_files(layout.text(key, "phones"), folder / "phones.txt")
    for found, unit in ((words, "words"), (phones, "phones")):
        if found.partial:
            log.warning(
                "%s, %s: %d utterances have no hypothesis in %s; they count as deletions.",
                system,
                test,
                len(found.partial),
                unit,
            )
    counts = counts_of(words, phones, _memory_mb(folder / "decode.json"))
    speakers = {k: v[0] for k, v in read_text_table(layout.text(key, "speakers")).items()}
    when = datetime.now()
    write_details(
        layout.score(system, test),
        words,
        phones,
        speakers,
        {"speechbox.log": format_log(counts, when)},
    )
    settings = recipe.systems[system]
    return SystemResult(
        layers=settings.layers,
        neurons=settings.neurons,
        cascade=settings.cascade,
        counts=counts,
        model_kb=round(layout.model(system).stat().st_size / 1024),
    )


def _oracle(recipe: Recipe, layout: Layout, dataset: Dataset) -> dict[str, float]:
    """The word error rates that the reference phones give, through the same graph."""
    reference = layout.text(dataset_key(recipe, dataset), "words")
    fold = recipe.languages[recipe.target].fold
    words = score_files(reference, layout.oracle(dataset_name(dataset)), fold)
    counts = counts_of(words, words, 0)
    return {"WER": round(counts.wer, 4), "WERc": round(counts.werc, 4)}


def _memory_mb(path: Path) -> int:
    """The peak memory of a decoding, as it measured itself."""
    try:
        return int(json.loads(path.read_text(encoding="utf-8"))["memory_mb"])
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(f"{path} does not read. Run stage 4 again.") from None


def environment(recipe: Recipe) -> dict[str, str]:
    """Where figures come from: commit, machine, versions."""
    root = Path(__file__).resolve().parent.parent
    packages = ("torch", "lhotse", "kaldi_decoder", "numpy")
    return {
        "commit": _commit(root),
        "date": time.strftime("%Y-%m-%d"),
        "target_minutes": recipe.target_minutes,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}",
        "python": platform.python_version(),
        **{package: version(package) for package in packages},
        "command": " ".join(["./run.sh", *_arguments()]),
    }


def _arguments() -> list[str]:
    """The command line, without what `run.sh` puts in front."""
    return sys.argv[2:] if sys.argv[1:2] == ["run"] else []


def _commit(root: Path) -> str:
    """The commit of this checkout, with ``+`` where files differ from it."""
    try:
        git = ["git", "-C", str(root)]
        run = {"capture_output": True, "text": True, "check": True}
        name = subprocess.run([*git, "rev-parse", "--short=12", "HEAD"], **run).stdout.strip()
        changed = subprocess.run([*git, "status", "--porcelain", "-uno"], **run).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return name + ("+" if changed else "")
