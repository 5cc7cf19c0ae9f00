"""The languages that espeak-ng speaks, and which of its voices a language's code means."""

import difflib
import os
import re
import subprocess
import sys
from pathlib import Path

from cascade.runtime.errors import UserError
from cascade.text.lexicon import G2P

# Codes that espeak-ng does not have as they are, and what it calls the language.
USUAL = {"en": "en-us", "fr": "fr-fr", "zh": "cmn", "no": "nb", "hy-am": "hy"}


def known() -> dict[str, str]:
    """Names of languages by espeak-ng's name of the voice; raises `UserError`."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    done = subprocess.run(
        [str(G2P), "--voices"],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "PATH": path},
    )
    found = dict(re.findall(r"^\s*(\S+)\s*->\s*(.*?)\s*$", done.stdout, re.MULTILINE))
    if done.returncode or not found:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise UserError(f"espeak-ng does not tell its languages: {last}")
    return found


def voice(code: str, voices: dict[str, str]) -> str:
    """The voice that ``code`` means; raises `UserError` that names the nearest ones.

    A region that espeak-ng does not have (``sv-SE``) is left off.
    """
    lower = code.lower().replace("_", "-")
    for name in (lower, lower.partition("-")[0]):
        for candidate in (name, USUAL.get(name, "")):
            if candidate in voices:
                return candidate
    near = nearest(lower, voices)
    names = ", ".join(f"{name} ({voices[name]})" for name in near)
    raise UserError(f"espeak-ng knows no language '{code}'; the nearest are {names}.")


def nearest(code: str, voices: dict[str, str]) -> list[str]:
    """Up to three voices whose name or language is most like ``code``, the nearest first."""

    def likeness(name: str) -> float:
        called = (name, *voices[name].lower().split())
        return max(difflib.SequenceMatcher(None, code, word).ratio() for word in called)

    return sorted(voices, key=lambda name: (-likeness(name), len(name), name))[:3]
