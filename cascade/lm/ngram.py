"""N-gram models: kaldingram trains them (Kneser-Ney) and prunes them; ARPA files.

`Model` has an ARPA file in memory, because mixing models, building graphs and perplexity
of selected words need its single n-grams, which kaldingram's commands do not give.
"""

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
# Where the n-grams of a history list all words, none is left to back off to. kaldingram then
# divides by a rounding error and writes weights of 14, which a search would use as a reward.
GARBAGE = 5.0


@dataclass(frozen=True)
class Model:
    """A back-off model.

    Attributes:
        grams: ``grams[n - 1]`` has the log10 probabilities of n-grams.
        backoffs: The log10 back-off weights of histories; 0 where one is missing.
    """

    grams: tuple[dict[Gram, float], ...]
    backoffs: dict[Gram, float]

    @property
    def order(self) -> int:
        """The longest n-gram's n."""
        return len(self.grams)

    def __contains__(self, word: object) -> bool:
        return (word,) in self.grams[0]

    def __len__(self) -> int:
        return sum(map(len, self.grams))

    def log10(self, gram: Gram) -> float:
        """Return log10 P(last word | words before it); -inf for a word that the model lacks.

        >>> model = Model(({("a",): -0.3, ("b",): -0.4}, {("a", "b"): -0.1}), {("b",): -0.2})
        >>> model.log10(("a", "b")), round(model.log10(("b", "a")), 6), model.log10(("c",))
        (-0.1, -0.5, -inf)
        """
        gram = gram[-self.order :]
        weight = 0.0
        while gram:
            listed = self.grams[len(gram) - 1].get(gram)
            if listed is not None:
                return weight + listed
            weight += self.backoffs.get(gram[:-1], 0.0)
            gram = gram[1:]
        return -math.inf

    def states(self, numbers: Mapping[str, int]) -> "States":
        """Return the model as an automaton over the words that have a number."""
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
    """The histories of a model as S states.

    Attributes:
        words: The arcs.
        lower: (S,): the state of the next shorter history, -1 for none.
        backoff: (S,): the cost (-ln) of going there.
        final: (S,): the cost (-ln) of the end of a sentence, infinite where none is listed.
        start: The state of the start of a sentence.
    """

    words: Words
    lower: np.ndarray
    backoff: np.ndarray
    final: np.ndarray
    start: int


def with_unknown(words: States, spelling: States, last: Container[int], share: float) -> States:
    """Return ``words`` with a way from the empty history through ``spelling`` for unknown words.

    ``share`` is the probability of an unknown word after the empty history. A piece whose
    number is in ``last`` ends the word, and leads back to the empty history.
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
    """Return the longest end of ``gram`` that is a history of the model."""
    while gram not in histories:
        gram = gram[1:]
    return gram


def train_ngram(text: Path, settings: LanguageModel, arpa: Path) -> None:
    """Train an ARPA model on one sentence a line, and prune it where ``settings.prune`` > 0.

    Raises `UserError` with kaldingram's last line where it fails.
    """
    order, threshold = str(settings.order), str(settings.prune)
    with replacing_path(arpa) as temporary:
        _kaldingram("train", "--ngram-order", order, "--text", str(text), "--lm", str(temporary))
        if _zeros(temporary) > 1:  # of <s>
            write(temporary, without_zeros(read(temporary)))
        if settings.prune > 0:
            files = [f"--lm={temporary}", f"--write-lm={temporary}", "--encoding=utf-8"]
            _kaldingram("prune", "--threshold", threshold, *files)


def backoff_weights(grams: Mapping[Gram, float], lower: Model) -> dict[Gram, float]:
    """Return the back-off weights (log10) of the histories of ``grams``.

    A weight is the mass that the listed n-grams leave, over their mass in the ``lower`` model.
    """
    left: dict[Gram, float] = {}
    below: dict[Gram, float] = {}
    for gram, log10 in grams.items():
        history = gram[:-1]
        left[history] = left.get(history, 1.0) - 10.0**log10
        below[history] = below.get(history, 1.0) - 10.0 ** lower.log10(gram[1:])
    return {h: math.log10(max(left[h], 1e-9) / max(below[h], 1e-9)) for h in left}


def without_zeros(model: Model) -> Model:
    """Return a model in which no listed n-gram but ``<s>`` has the probability 0.

    Where no n-gram of an order occurs twice, kaldingram takes the complete count of each as its
    discount. What has no probability left gets that of an n-gram that is not listed.
    """
    grams, backoffs = [model.grams[0]], dict(model.backoffs)
    for listed in model.grams[1:]:
        zero = [gram for gram, log10 in listed.items() if log10 <= NEVER]
        if zero:
            lower = Model(tuple(grams), backoffs)
            histories = dict.fromkeys(gram[:-1] for gram in zero)
            seen = {g: p for g, p in listed.items() if p > NEVER and g[:-1] in histories}
            weights = backoff_weights(seen, lower)
            backoffs |= {history: weights.get(history, 0.0) for history in histories}
            listed = listed | {g: backoffs[g[:-1]] + lower.log10(g[1:]) for g in zero}
        grams.append(listed)
    return Model(tuple(grams), backoffs)


def read(arpa: Path) -> Model:
    """Read an ARPA file: log10 probability, words, log10 back-off weight.

    ::

        \\2-grams:
        -1.2553\t<s> мало\t-0.1761
        -0.3010\tмало к
    """
    grams: list[dict[Gram, float]] = []
    backoffs: dict[Gram, float] = {}
    with arpa.open(encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("\\") and line.endswith("-grams:\n"):
                grams.append({})
            elif grams and line[0] not in "\\\n":
                log10, words, *weight = line.rstrip("\n").split("\t")
                gram = tuple(words.split(" "))
                grams[-1][gram] = float(log10)
                if weight:
                    backoff = float(weight[0])
                    backoffs[gram] = backoff if backoff < GARBAGE else NEVER
    if not grams:
        raise UserError(f"{arpa} is not an ARPA file. Run stage 1 again.")
    return Model(tuple(grams), backoffs)


def write(arpa: Path, model: Model) -> None:
    """Write an ARPA file, with sorted n-grams."""
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
    model: Model, sentences: Iterable[Sequence[str]], vocabulary: Container[str] | None = None
) -> Iterator[Gram]:
    """Yield every word of ``vocabulary`` and sentence end, after the words that the model uses.

    An unknown word is left out, and the words after it are predicted without those before it,
    as by SRILM. ``vocabulary`` is by default that of the model.
    """
    words_known: Container[str] = model if vocabulary is None else vocabulary
    for words in sentences:
        history: Gram = (START,)
        for word in (*words, END):
            if word != END and word not in words_known:
                history = ()
                continue
            yield (*history, word)
            history = (*history, word)[-max(1, model.order - 1) :]


def perplexity(
    model: Model, sentences: Iterable[Sequence[str]], vocabulary: Container[str] | None = None
) -> float:
    """Return the perplexity of the words of ``vocabulary``, and of sentence ends.

    ``vocabulary`` is by default that of the model. Without any such word it is infinite.
    """
    logs = [model.log10(gram) for gram in events(model, sentences, vocabulary)]
    logs = [log10 for log10 in logs if log10 > -math.inf]  # some models know no sentence ends
    return 10 ** (-sum(logs) / len(logs)) if logs else math.inf


def _zeros(arpa: Path) -> int:
    """Return how many n-grams of an ARPA file have the probability 0."""
    with arpa.open(encoding="utf-8") as lines:
        return sum(line.startswith(f"{NEVER:.2f}") for line in lines)


def _kaldingram(*arguments: str) -> None:
    """Run kaldingram's command; raise `UserError` with its last line where it fails."""
    program = Path(sys.executable).with_name("kaldingram")
    done = subprocess.run([str(program), *arguments], capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise UserError(f"kaldingram {arguments[0]} failed: {last}")
