"""Pronunciations of words: from the recipe's lexicon file, else from espeak-ng."""

import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from cascade.corpus import LOCAL
from cascade.errors import UserError
from cascade.files import read_text_table
from cascade.phones import phones_of
from cascade.recipe import Language

G2P = LOCAL / "g2p_espeak.sh"


def pronounce(words: Iterable[str], language: Language) -> dict[str, tuple[str, ...]]:
    """The phones of every word, sorted by word.

    Raises `UserError` where a word comes out without a pronunciation.
    """
    table = look_up(words, language)
    silent = [word for word, phones in table.items() if not phones]
    if silent:
        raise UserError(
            f"No pronunciation for {len(silent)} words ({', '.join(silent[:5])}):"
            f" add lines 'word phone phone ...' to the lexicon file of the language."
        )
    return table


def look_up(words: Iterable[str], language: Language) -> dict[str, tuple[str, ...]]:
    """The phones of every word, sorted by word; () for one without a pronunciation."""
    known: Mapping[str, list[str]] = {}
    if language.lexicon:
        known = read_text_table(Path(language.lexicon))
    wanted = sorted(set(words))
    asked = [word for word in wanted if not known.get(word)]
    found = dict(zip(asked, _espeak(asked, language), strict=True))
    return {word: tuple(known.get(word) or found[word]) for word in wanted}


def _espeak(words: list[str], language: Language) -> list[list[str]]:
    """Runs ``local/g2p_espeak.sh`` over the words."""
    if not words:
        return []
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    done = subprocess.run(
        [str(G2P), language.voice],
        input="".join(f"{word}\n" for word in words),
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "PATH": path},
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise UserError(f"espeak-ng failed for voice '{language.voice}': {last}")
    lines = done.stdout.split("\n")[: len(words)]
    if len(lines) != len(words):
        raise UserError(f"espeak-ng gave {len(lines)} lines for {len(words)} words.")
    return [phones_of(line, language.phone_map) for line in lines]
