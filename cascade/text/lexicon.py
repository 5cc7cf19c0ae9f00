"""Pronunciations of words: from the recipe's lexicon file, else from espeak-ng.

A lexicon file has a word and its phones a line. A word may have several lines, or no phones
to leave it to espeak-ng::

    tomato t ə m ɑ t ə ʊ
    tomato t ə m e ɪ t o ʊ
    potato
"""

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from cascade.config.sections import Language
from cascade.runtime.errors import UserError
from cascade.runtime.files import read_lines, write_text
from cascade.runtime.lock import turn
from cascade.runtime.progress import meter
from cascade.runtime.project import LOCAL
from cascade.text.phones import phones_of
from cascade.text.respelling import asks_otherwise, extra, question, symbols
from cascade.text.words import WordNormalizer, foreign, no_word

G2P = LOCAL / "g2p_espeak.sh"
PROBABILITY = re.compile(r"[01]\.\d+")  # of a pronunciation, as in Kaldi's lexiconp.txt
PIECE = 50_000  # words at once: 2 s of espeak-ng
Phones = tuple[str, ...]


def pronounce(words: Iterable[str], language: Language) -> dict[str, Phones]:
    """Return the phones of every word, sorted by word.

    Raises `UserError` if a word has no pronunciation.
    """
    table = look_up(words, language)
    silent = [word for word, phones in table.items() if not phones]
    if silent:
        raise UserError(
            f"No pronunciation for {len(silent)} words ({', '.join(silent[:5])}). Add lines"
            f" 'word phone phone ...' to the lexicon file of the language."
        )
    return table


def look_up(
    words: Iterable[str], language: Language, jobs: int = 1, cache: Path | None = None
) -> dict[str, Phones]:
    """Return the phones of every word, sorted by word; () for one without a pronunciation.

    If the lexicon file has several pronunciations of a word, this is the first; `alternatives`
    has the others. ``cache`` is a folder that keeps the answers of espeak-ng. Raises
    `UserError` if espeak-ng fails or the lexicon file is wrong.
    """
    lexicon = read_lexicon(language)
    wanted = sorted(set(words))
    asked = [word for word in wanted if not lexicon.get(word)]
    with turn(cache) if cache else nullcontext():  # a second run finds the answers of the first
        answers = dict(zip(asked, _espeak(asked, language, jobs, cache), strict=True))
    return {word: answers[word] if word in answers else lexicon[word][0] for word in wanted}


def alternatives(language: Language) -> dict[str, list[Phones]]:
    """Return all but the first pronunciation of words that have several in the lexicon file."""
    return {word: prons[1:] for word, prons in read_lexicon(language).items() if len(prons) > 1}


def read_lexicon(language: Language) -> dict[str, list[Phones]]:
    """Return the pronunciations of the lexicon file by word, as transcripts write it.

    Without a lexicon file there are none. Raises `UserError` for a line that appears twice, or
    with a probability.
    """
    table: dict[str, list[Phones]] = {}
    if not language.lexicon:
        return table
    path, normalize = Path(language.lexicon), WordNormalizer(replace(language, fold={}))
    seen: set[Phones] = set()
    for number, line in enumerate(read_lines(path), 1):
        written, *phones = line.split() or [""]
        if not written:
            continue
        if phones and PROBABILITY.fullmatch(phones[0]):
            raise UserError(
                f"{path}, line {number}: '{phones[0]}' is a probability, not a phone. The lines are"
                f" 'word phone phone ...': remove the second column."
            )
        if (written, *phones) in seen:
            raise UserError(
                f"{path}, line {number}: '{written}' appears twice with the same phones."
                f" Remove this line."
            )
        seen.add((written, *phones))
        words = [] if no_word(written) else normalize([written])[0]
        prons = table.setdefault(words[0] if len(words) == 1 else written, [])
        if phones and tuple(phones) not in prons:
            prons.append(tuple(phones))
    return table


def phones_of_its_own(table: Mapping[str, Phones], language: Language) -> dict[str, str]:
    """Return the phones of ``table`` that only words of the lexicon file have, with one of these.

    Where espeak-ng pronounces no word of the table there is nothing to compare with, and no such
    phone.
    """
    lexicon = read_lexicon(language)
    usual = {p for word, phones in table.items() if not lexicon.get(word) for p in phones}
    if not usual:
        return {}
    own = ((p, word) for word, phones in sorted(table.items(), reverse=True) for p in phones)
    return {phone: word for phone, word in own if phone not in usual}


def pronounce_together(lines: list[str], language: Language) -> list[Phones]:
    """Return espeak-ng's phones of lines, which may be several words; () for a silent one.

    Raises `UserError` if espeak-ng fails.
    """
    return _espeak(lines, language, 1, None) if lines else []


def unwritable(language: Language) -> list[str]:
    """Return the words of the lexicon file that no transcript can have.

    ``<sil>`` and its like are not words.
    """
    letters, table = language.letters, read_lexicon(language)
    return [word for word in table if foreign([word], letters) and not no_word(word)]


def _espeak(words: list[str], language: Language, jobs: int, cache: Path | None) -> list[Phones]:
    """Return espeak-ng's phones of every word. ``jobs`` processes take pieces of a fixed size."""
    voice = language.voice
    asked = [question(word, voice) for word in words] if asks_otherwise(voice) else words
    pieces = [asked[i : i + PIECE] for i in range(0, len(asked), PIECE)]
    answers = []
    with (
        ThreadPoolExecutor(jobs) as threads,  # each waits for a program
        meter(f"pronunciations by {language.voice}", len(words), "words") as advance,
    ):
        for answer in threads.map(lambda piece: _ask(piece, language.voice, cache), pieces):
            answers.append(answer)
            advance(len(answer))
    other = symbols(voice)
    known: dict[str, list[str]] = {}
    prons = []
    for word, line in zip(words, (line for answer in answers for line in answer), strict=True):
        phones: list[str] = []
        for symbol in line.split()[extra(word, voice) :]:
            if symbol not in known:
                known[symbol] = phones_of(other.get(symbol, symbol), language.phone_map)
            phones += known[symbol]
        prons.append(tuple(phones))
    return prons


def _ask(words: list[str], voice: str, cache: Path | None) -> list[str]:
    """Return espeak-ng's IPA of every word, one line each; keep those of a full piece."""
    text = "".join(f"{word}\n" for word in words)
    kept = None
    if cache is not None and len(words) == PIECE:
        parts = (G2P.read_text(encoding="utf-8"), version("espeakng-loader"), voice, text)
        name = hashlib.sha256("\0".join(parts).encode()).hexdigest()
        kept = cache / f"{name}.ipa"
        if kept.is_file():
            return kept.read_text(encoding="utf-8").split("\n")[:PIECE]
    lines = run_g2p(voice, text=text).split("\n")[: len(words)]
    if len(lines) != len(words):
        raise UserError(f"espeak-ng returned {len(lines)} lines for {len(words)} words.")
    if kept:
        write_text(kept, "\n".join(lines))
    return lines


def run_g2p(*arguments: str, text: str = "") -> str:
    """Return what ``local/g2p_espeak.sh`` prints for its ``arguments``: a voice, or an option.

    ``text`` has the words or sentences, one a line.

    Raises `UserError` with the last line of the program's errors if it fails.
    """
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    done = subprocess.run(
        [str(G2P), *arguments],
        input=text,
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "PATH": path},
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        what = "the list of voices" if arguments == ("--voices",) else f"voice '{arguments[-1]}'"
        raise UserError(f"espeak-ng failed for {what}: {last}")
    return done.stdout
