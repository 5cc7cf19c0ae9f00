"""What test files import: the project's folder, a small recipe, and `run`."""

import struct
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from cascade.runtime.files import jsonl_gz
from cascade.runtime.project import ROOT

CYRILLIC = "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"
SMALL = {
    "name": "small",
    "target": "ru",
    "datasets": [
        {"role": "train", "language": "ru", "corpus": "table", "path": "train"},
        {"role": "train_ext", "language": "en", "corpus": "table", "path": "train_ext"},
        {"role": "valid", "language": "ru", "corpus": "table", "path": "valid"},
        {"role": "test", "language": "ru", "corpus": "table", "path": "test"},
    ],
    "languages": {
        "ru": {"letters": CYRILLIC, "voice": "ru"},
        "en": {"letters": "abcdefghijklmnopqrstuvwxyz'", "voice": "en-us"},
    },
    "systems": {
        "plain": {"layers": [4]},
        "both": {"layers": [2, 2], "neurons": 50},
    },
}


def run(*options: object, expect: int = 0) -> subprocess.CompletedProcess:
    """Runs ``./run.sh`` and checks its exit status."""
    command = [str(ROOT / "run.sh"), *map(str, options)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == expect, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def write_jsonl_gz(path: Path, rows: Iterable[Mapping]) -> None:
    """Write all rows as `cascade.runtime.files.jsonl_gz` does."""
    with jsonl_gz(path) as add:
        for row in rows:
            add(row)


def entry(system, value, seed, per, wer=None, test="mine", key="target_minutes", oov=12.5):
    """A row of ``sweep.json``."""
    spoken = value if isinstance(value, (int, float)) else 79.6
    return {
        "system": system,
        "target_minutes": 15,
        "minutes": spoken + seed / 10,
        key: value,
        "seed": seed,
        "test": test,
        "oov": oov,
        "PER": per,
        "WER": per if wer is None else wer,
    }


def catalogue_of(pairs: dict[str, str], order: str = "<") -> bytes:
    """A .mo file with ``pairs``."""
    head, tables, strings = 28, b"", b""
    at = head + 16 * len(pairs)
    for text in (*pairs, *pairs.values()):
        tables += struct.pack(f"{order}2I", len(text.encode()), at + len(strings))
        strings += text.encode() + b"\0"
    n = len(pairs)
    header = struct.pack(f"{order}7I", 0x950412DE, 0, n, head, head + 8 * n, 0, head)
    return header + tables + strings
