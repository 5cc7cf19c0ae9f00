"""What test files import: the project's folder, a small recipe, and `run`."""

import random
import signal
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping
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


def when(happens: Callable[[], bool], act: Callable[[], object]) -> threading.Thread:
    """Acts when something has happened, in a thread."""

    def wait() -> None:
        while not happens():
            time.sleep(0.02)
        act()

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread


def ctrl_c_when(happens: Callable[[], bool]) -> threading.Thread:
    """Sends Ctrl-C to this process when something has happened."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
    main = threading.main_thread().ident
    assert main
    return when(happens, lambda: signal.pthread_kill(main, signal.SIGINT))


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


def random_texts(
    utterances: int, seed: int, phones: bool = False
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Return references of 0 to 70 tokens, and hypotheses with few to very many errors."""
    draw = random.Random(seed)
    words = ["дом", "Дом", "кот", "ёж", "кто-то", "a", "b", "it's"]
    if phones:
        words = [*"abdefijklmnoprstuvxzɕəɡɨɪʃʒ", *(f"{c}ʲ" for c in "blnst"), "ts", "tɕ", "ɕː"]
    ref, hyp = {}, {}
    for i in range(utterances):
        tokens = [draw.choice(words) for _ in range(draw.choice([0, 1, 5, 13, 13, 70]))]
        rate = draw.choice([0.1, 0.3, 0.6, 0.9])
        spoken = []
        for token in tokens:
            kind = draw.random() / rate
            spoken += [token] if kind > 0.7 else [draw.choice(words)] if kind > 0.3 else []
            spoken += [draw.choice(words)] if 0.7 < kind < 1 else []
        u = f"{('ru-anna', 'spk_1', 'x')[i % 3]}-u_{i:05d}"
        ref[u], hyp[u] = tokens, spoken
    return ref, hyp
