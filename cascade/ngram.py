"""Word n-gram language models: kaldingram trains them (Kneser-Ney) and prunes them."""

import contextlib
import io
import math
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from kaldingram.prune import Arpa, ArpaParser

from cascade.errors import UserError
from cascade.files import replacing_path, write_text
from cascade.recipe import LanguageModel

START, END = "<s>", "</s>"


def train(sentences: Iterable[Sequence[str]], settings: LanguageModel, arpa: Path) -> None:
    """Trains an ARPA model on sentences of words; prunes it where ``settings.prune`` > 0."""
    text = arpa.with_suffix(".txt")
    write_text(text, "".join(" ".join(words) + "\n" for words in sentences))
    order, threshold = str(settings.order), str(settings.prune)
    with replacing_path(arpa) as beside:
        _kaldingram("train", "--ngram-order", order, "--text", str(text), "--lm", str(beside))
        if settings.prune > 0:
            pruned = [f"--lm={beside}", f"--write-lm={beside}", "--encoding=utf-8"]
            _kaldingram("prune", "--threshold", threshold, *pruned)


def read(arpa: Path) -> Arpa:
    """Reads an ARPA file into memory."""
    with contextlib.redirect_stderr(io.StringIO()):  # it draws a progress bar
        return ArpaParser().loadf(str(arpa), encoding="utf-8")[0]


def count(arpa: Path) -> int:
    """The n-grams of all orders that the header of an ARPA file names."""
    total = 0
    with arpa.open(encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("ngram "):
                total += int(line.partition("=")[2])
            elif line.startswith("\\1-grams"):
                return total
    raise UserError(f"{arpa} is no ARPA file. Run stage 1 again.")


def perplexity(model: Arpa, sentences: Iterable[Sequence[str]]) -> float:
    """Perplexity for known words and sentence ends, as SRILM reckons it.

    An unknown word has no probability: it is not counted, and the next word is
    predicted from what follows it.
    """
    order = model.order()
    total, events = 0.0, 0
    for words in sentences:
        history: tuple[str, ...] = (START,)
        for word in (*words, END):
            if word != END and not model.contains_word(word):
                history = ()
                continue
            ngram = (*history, word)[-order:]
            total += model.log_p(ngram)
            events += 1
            history = ngram[-(order - 1) :] if order > 1 else ()
    return 10 ** (-total / events) if events else math.inf


def _kaldingram(*arguments: str) -> None:
    program = Path(sys.executable).with_name("kaldingram")
    done = subprocess.run([str(program), *arguments], capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise UserError(f"kaldingram {arguments[0]} failed: {last}")
