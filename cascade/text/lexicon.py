"""Pronunciations of words: from the recipe's lexicon file, else from espeak-ng."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from importlib.metadata import version
from pathlib import Path

from cascade.config.sections import Language
from cascade.runtime.errors import UserError
from cascade.runtime.files import read_lines, write_text
from cascade.runtime.lock import turn
from cascade.runtime.progress import meter
from cascade.runtime.project import LOCAL
from cascade.text.phones import phones_of
from cascade.text.words import WordNormalizer, foreign, no_word

G2P = LOCAL / "g2p_espeak.sh"
PIECE = 50_000  # words at a time: 2 s of espeak-ng


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


def look_up(
    words: Iterable[str], language: Language, jobs: int = 1, cache: Path | None = None
) -> dict[str, tuple[str, ...]]:
    """The phones of every word, sorted by word; () for one without a pronunciation.

    Where the lexicon file has several pronunciations of a word, the first counts: see
    `alternatives`. ``cache`` is a folder to keep what espeak-ng said in.
    """
    known = read_lexicon(language)
    wanted = sorted(set(words))
    asked = [word for word in wanted if not known.get(word)]
    with turn(cache) if cache else nullcontext():  # who waits finds the answers there
        found = dict(zip(asked, _espeak(asked, language, jobs, cache), strict=True))
    return {word: known[word][0] if known.get(word) else found[word] for word in wanted}


def alternatives(language: Language) -> dict[str, list[tuple[str, ...]]]:
    """Further pronunciations of words: those that stand twice in the lexicon file."""
    return {word: found[1:] for word, found in read_lexicon(language).items() if len(found) > 1}


def read_lexicon(language: Language) -> dict[str, list[tuple[str, ...]]]:
    """The lexicon file's pronunciations, by word as transcripts have it; none for a bare word."""
    table: dict[str, list[tuple[str, ...]]] = {}
    if not language.lexicon:
        return table
    path, rule, seen = Path(language.lexicon), WordNormalizer(language.letters), set()
    for number, line in enumerate(read_lines(path), 1):
        written, *phones = line.split() or [""]
        if not written:
            continue
        if (written, *phones) in seen:
            raise UserError(f"{path}, line {number}: '{written}' stands there twice alike.")
        seen.add((written, *phones))
        (words,) = [[]] if no_word(written) else rule([written])
        found = table.setdefault(words[0] if len(words) == 1 else written, [])
        if phones and tuple(phones) not in found:
            found.append(tuple(phones))
    return table


def useless(language: Language) -> list[str]:
    """The words of the lexicon file that no transcript can have; ``<sil>`` and such are none."""
    letters, table = language.letters, read_lexicon(language)
    return [word for word in table if foreign([word], letters) and not no_word(word)]


def _espeak(
    words: list[str], language: Language, jobs: int, cache: Path | None
) -> list[tuple[str, ...]]:
    """Asks espeak-ng, in pieces of a fixed size that ``jobs`` processes work on."""
    pieces = [words[i : i + PIECE] for i in range(0, len(words), PIECE)]
    answers = []
    with (
        ThreadPoolExecutor(jobs) as threads,  # each waits for a program
        meter(f"pronunciations by {language.voice}", len(words), "words") as advance,
    ):
        for answer in threads.map(lambda piece: _ask(piece, language.voice, cache), pieces):
            answers.append(answer)
            advance(len(answer))
    symbols: dict[str, list[str]] = {}
    found = []
    for line in (line for answer in answers for line in answer):
        phones: list[str] = []
        for symbol in line.split():
            if symbol not in symbols:
                symbols[symbol] = phones_of(symbol, language.phone_map)
            phones += symbols[symbol]
        found.append(tuple(phones))
    return found


def _ask(words: list[str], voice: str, cache: Path | None) -> list[str]:
    """Runs ``local/g2p_espeak.sh`` over words; a line of IPA for each."""
    text = "".join(f"{word}\n" for word in words)
    kept = None
    if cache is not None and len(words) == PIECE:
        parts = (G2P.read_text(encoding="utf-8"), version("espeakng-loader"), voice, text)
        name = hashlib.sha256("\0".join(parts).encode()).hexdigest()
        kept = cache / f"{name}.ipa"
        if kept.is_file():
            return kept.read_text(encoding="utf-8").split("\n")[:PIECE]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    done = subprocess.run(
        [str(G2P), voice],
        input=text,
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "PATH": path},
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise UserError(f"espeak-ng failed for voice '{voice}': {last}")
    lines = done.stdout.split("\n")[: len(words)]
    if len(lines) != len(words):
        raise UserError(f"espeak-ng gave {len(lines)} lines for {len(words)} words.")
    if kept:
        write_text(kept, "\n".join(lines))
    return lines
