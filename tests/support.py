"""What test files import: the project's folder, a small recipe, and `run`."""

import subprocess

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
        "plain": {"cascade": False, "layers": [4]},
        "both": {"cascade": True, "layers": [2, 2], "neurons": 50},
    },
}


def run(*options: object, expect: int = 0) -> subprocess.CompletedProcess:
    """Runs ``./run.sh`` and checks its exit status."""
    command = [str(ROOT / "run.sh"), *map(str, options)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == expect, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done
