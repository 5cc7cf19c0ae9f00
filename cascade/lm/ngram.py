"""Word n-gram models: kaldingram trains them (Kneser-Ney) and prunes them; mixtures."""

import math
import subprocess
import sys
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cascade.config.sections import LanguageModel
from cascade.lm.prefix_trees import Words
from cascade.runtime.errors import UserError
from cascade.runtime.files import replacing_path, write_text

START, END = "<s>", "</s>"
Gram = tuple[str, ...]
NEVER = -99.0  # what ARPA files write for the probability of <s>
# Where the n-grams of a history list all words, none is left to back off to, and kaldingram
# divides by a rounding error: it writes weights of 14, and a search would live on them.
GARBAGE = 5.0


@dataclass(frozen=True)
class Model:
    """A back-off model: ``grams[n - 1]`` has the log10 probabilities of n-grams.

    ``backoffs`` has the log10 back-off weights of those that are histories; 0 elsewhere.
    """

    grams: tuple[dict[Gram, float], ...]
    backoffs: dict[Gram, float]

    @property
    def order(self) -> int:
        return len(self.grams)

    def __contains__(self, word: str) -> bool:
        return (word,) in self.grams[0]

    def __len__(self) -> int:
        return sum(map(len, self.grams))

    def log10(self, gram: Gram) -> float:
        """log10 P(last word | those before it); -inf for a word that the model lacks."""
        gram = gram[-self.order :]
        weight = 0.0
        while gram:
            found = self.grams[len(gram) - 1].get(gram)
            if found is not None:
                return weight + found
            weight += self.backoffs.get(gram[:-1], 0.0)
            gram = gram[1:]
        return -math.inf

    def states(self, numbers: Mapping[str, int]) -> "States":
        """The model as an automaton over the words that have a number."""
        histories: dict[Gram, int] = {(): 0}
        for longer in self.grams[1:]:
            for gram in longer:
                histories.setdefault(gram[:-1], len(histories))
        lower = np.full(len(histories), -1, np.int64)
        backoff = np.zeros(len(histories), np.float32)
        for history, state in histories.items():
            if history:
                lower[state] = histories[_state(history[1:], histories)]
                backoff[state] = -math.log(10) * self.backoffs.get(history, 0.0)
        final = np.full(len(histories), np.inf, np.float32)
        source, word, cost, target = [], [], [], []
        for grams in self.grams:
            for gram, log10 in grams.items():
                if gram[-1] == END:
                    final[histories[gram[:-1]]] = -math.log(10) * log10
                elif (number := numbers.get(gram[-1])) is not None:
                    source.append(histories[gram[:-1]])
                    word.append(number)
                    cost.append(-math.log(10) * log10)
                    target.append(
                        histories[
                            _state(gram[-self.order + 1 :] if self.order > 1 else (), histories)
                        ]
                    )
        words = Words(
            len(histories),
            np.array(source, np.int64),
            np.array(word, np.int32),
            np.array(cost, np.float32),
            np.array(target, np.int64),
        )
        start = histories.get((START,), 0)
        return States(words, lower, backoff, final, start)


@dataclass(frozen=True)
class States:
    """A model's histories as states: ``lower[s]`` is the next shorter one, -1 for none.

    ``backoff`` and ``final`` are costs (-ln), ``final`` infinite where no end is listed.
    """

    words: Words
    lower: np.ndarray
    backoff: np.ndarray
    final: np.ndarray
    start: int


def with_unknown(words: States, spelling: States, last: Container[int], share: float) -> States:
    """``words`` and a way through ``spelling``, below the empty history, for unknown ones.

    ``share`` is the probability of an unknown word there; a piece whose number is one of
    ``last`` ends it, and leads back to the empty history.
    """
    below, pieces = words.words.states, spelling.words
    ends = np.fromiter((number in last for number in pieces.word.tolist()), bool, len(pieces.word))
    target = np.where(ends, 0, below + pieces.target)
    both = Words(
        below + pieces.states,
        np.concatenate([words.words.source, below + pieces.source]),
        np.concatenate([words.words.word, pieces.word]),
        np.concatenate([words.words.cost, pieces.cost]),
        np.concatenate([words.words.target, target]),
    )
    shorter = np.where(spelling.lower < 0, -1, below + spelling.lower)
    lower, backoff = np.append(words.lower, shorter), np.append(words.backoff, spelling.backoff)
    lower[0], backoff[0] = below + spelling.start, -math.log(share)
    final = np.append(words.final, np.full(pieces.states, np.inf, np.float32))
    return States(both, lower, backoff, final, words.start)


def _state(gram: Gram, histories: Mapping[Gram, int]) -> Gram:
    """The longest end of ``gram`` that is a history of the model."""
    while gram not in histories:
        gram = gram[1:]
    return gram


def train(text: Path, settings: LanguageModel, arpa: Path) -> None:
    """Trains an ARPA model on a sentence a line; prunes it where ``settings.prune`` > 0."""
    order, threshold = str(settings.order), str(settings.prune)
    with replacing_path(arpa) as beside:
        _kaldingram("train", "--ngram-order", order, "--text", str(text), "--lm", str(beside))
        if settings.prune > 0:
            pruned = [f"--lm={beside}", f"--write-lm={beside}", "--encoding=utf-8"]
            _kaldingram("prune", "--threshold", threshold, *pruned)


def read(arpa: Path) -> Model:
    """Reads an ARPA file."""
    grams: list[dict[Gram, float]] = []
    backoffs: dict[Gram, float] = {}
    with arpa.open(encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("\\") and line.endswith("-grams:\n"):
                grams.append({})
            elif grams and line[0] not in "\\\n":
                log10, rest, *weight = line.rstrip("\n").split("\t")
                gram = tuple(rest.split(" "))
                grams[-1][gram] = float(log10)
                if weight:
                    log10 = float(weight[0])
                    backoffs[gram] = log10 if log10 < GARBAGE else NEVER
    if not grams:
        raise UserError(f"{arpa} is no ARPA file. Run stage 1 again.")
    return Model(tuple(grams), backoffs)


def write(arpa: Path, model: Model) -> None:
    """Writes an ARPA file, n-grams sorted."""
    write_text(arpa, "".join(_lines(model)))


def _lines(model: Model) -> Iterator[str]:
    yield "\\data\\\n"
    for n, grams in enumerate(model.grams, 1):
        yield f"ngram {n}={len(grams)}\n"
    for n, grams in enumerate(model.grams, 1):
        yield f"\n\\{n}-grams:\n"
        for gram in sorted(grams):
            weight = model.backoffs.get(gram)
            last = "" if weight is None else f"\t{weight:.6f}"
            yield f"{grams[gram]:.6f}\t{' '.join(gram)}{last}\n"
    yield "\n\\end\\\n"


def events(
    model: Model, sentences: Iterable[Sequence[str]], known: Container[str] | None = None
) -> Iterator[Gram]:
    """Every known word and sentence end, with the words before it that the model can see.

    An unknown word has no probability: it is left out, and the next word is predicted
    from what follows it, as SRILM does. ``known`` is by default the model itself.
    """
    known = model if known is None else known
    for words in sentences:
        history: Gram = (START,)
        for word in (*words, END):
            if word != END and word not in known:
                history = ()
                continue
            yield (*history, word)
            history = (*history, word)[-max(1, model.order - 1) :]


def perplexity(
    model: Model, sentences: Iterable[Sequence[str]], known: Container[str] | None = None
) -> float:
    """Perplexity for the words that are ``known`` (to the model itself) and sentence ends."""
    found = [model.log10(gram) for gram in events(model, sentences, known)]
    found = [log10 for log10 in found if log10 > -math.inf]  # some models know no ends
    return 10 ** (-sum(found) / len(found)) if found else math.inf


def _kaldingram(*arguments: str) -> None:
    program = Path(sys.executable).with_name("kaldingram")
    done = subprocess.run([str(program), *arguments], capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise UserError(f"kaldingram {arguments[0]} failed: {last}")
