"""Stage 1, spelling: an n-gram over pieces, for words that the vocabulary lacks.

A piece is one to three letters with their phones, a graphone (Bisani and Ney 2008,
doi:10.1016/j.specom.2008.01.002). With ``language_model.open``, the graph has a way from
any history through pieces back to the empty history (Bisani and Ney 2005, "Open vocabulary
speech recognition with flat hybrid models"), and their letters are joined into a word.

In the word table a piece is ``letters|phone.phone``, with a ``+`` after the letters of all
pieces of a word but the last. No installed package aligns letters with phones.
"""

import logging
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from cascade.config.experiment import Experiment
from cascade.config.sections import LanguageModel
from cascade.lm import ngram
from cascade.runtime.errors import UserError
from cascade.runtime.files import read_text_table, replacing
from cascade.text import words as text

log = logging.getLogger("cascade")
SHAPES = ((1, 1), (2, 1), (1, 2), (3, 1))  # letters and phones; with 2 and 2, pieces grow
ORDER = 5
WORDS = 30_000  # the most frequent words, from which spelling is learnt
SAMPLE, ROUNDS = 2_000, 5  # words and rounds of expectation-maximisation
FIRST = 3.0  # nats for each letter or phone of a piece beyond the first, in the first round
CONTINUED, PHONES = "+", "|"  # what marks a piece in the word table

Piece = tuple[str, tuple[str, ...]]
Spelled = tuple[str, Sequence[str]]  # a word and its phones


def train_spelling_model(experiment: Experiment) -> None:
    """Write words in pieces, ``spelling.txt``, and the n-gram of pieces, ``spelling.arpa``.

    The words are those of transcripts and texts, each once: an unknown word is more like a
    rare word than like a frequent one. Raises `UserError` where no word has pieces. A line::

        п+|p р+|rʲ и+|i в+|vʲ е+|e т|t
    """
    layout = experiment.layout
    counts: Counter[str] = Counter()
    for source in range(1 + len(experiment.recipe.target_language.texts)):
        with layout.sentences(source).open(encoding="utf-8") as lines:
            counts.update(word for line in lines for word in line.split())
    chosen = {word for word, _ in sorted(counts.items(), key=lambda c: (-c[1], c[0]))[:WORDS]}
    words: list[Spelled] = []
    with layout.lexicon.open(encoding="utf-8") as lines:
        for line in lines:
            word, *phones = line.split()
            if word in chosen:
                words.append((word, phones))
    cut = [pieces for pieces in pieces_of(words) if pieces]
    if not cut:
        raise UserError(
            "The letters of no word go together with its phones, so unknown words cannot be"
            " spelt. Set language_model.open: false."
        )
    with replacing(layout.spelling_text) as stream:
        for pieces in cut:
            stream.write(f"{' '.join(names(pieces))}\n".encode())
    ngram.train_ngram(layout.spelling_text, LanguageModel(order=ORDER), layout.spelling_arpa)
    model = ngram.read(layout.spelling_arpa)
    log.info(
        "spelling: %d of %d words, %d pieces, %d n-grams",
        len(cut),
        len(words),
        len(model.grams[0]),
        len(model),
    )


def unknown_share(experiment: Experiment, vocabulary: Mapping[str, object]) -> float:
    """Return the share of running words in the sentences of valid that are not in ``vocabulary``.

    Half a word is added, so that it is never 0.
    """
    keys = [experiment.dataset_key(dataset) for dataset in experiment.recipe.valid_sentences]
    counts = [count_unknown(experiment, key, vocabulary) for key in keys]
    unknown, total = map(sum, zip(*counts, strict=True))
    return (unknown + 0.5) / (total + 1)


def count_unknown(experiment: Experiment, key: str, vocabulary: Iterable[str]) -> tuple[int, int]:
    """Return how many running words of a data set ``vocabulary`` lacks, and how many there are."""
    texts = read_text_table(experiment.layout.text(key, "words"))
    words = [word for line in texts.values() for word in line]
    language = experiment.recipe.target_language
    return text.count_unknown(words, vocabulary, language), len(words)


def names(pieces: Sequence[Piece]) -> list[str]:
    """Return the names of a word's pieces in the word table.

    >>> names([("щ", ("ɕ",)), ("ё", ("j", "o"))])
    ['щ+|ɕ', 'ё|j.o']
    """
    last = len(pieces) - 1
    return [
        f"{letters}{CONTINUED if i < last else ''}{PHONES}{'.'.join(phones)}"
        for i, (letters, phones) in enumerate(pieces)
    ]


def phones_of(name: str) -> list[str] | None:
    """Return the phones of a piece's name; None for a word."""
    return name.partition(PHONES)[2].split(".") if PHONES in name else None


def ends_word(name: str) -> bool:
    """Return whether a name of the word table is a word or a word's last piece."""
    return f"{CONTINUED}{PHONES}" not in name


def by_word(names: Iterable[str]) -> Iterator[tuple[str, list[int]]]:
    """Yield each word that ``names`` of the word table make, with the places of its pieces.

    >>> list(by_word(["да", "щ+|ɕ", "и|i"]))
    [('да', [0]), ('щи', [1, 2])]
    """
    letters, places = "", []
    for place, name in enumerate(names):
        letters += name.partition(PHONES)[0].removesuffix(CONTINUED)
        places.append(place)
        if ends_word(name):
            yield letters, places
            letters, places = "", []
    if places:  # an utterance may end within a word
        yield letters, places


def joined(names: Iterable[str]) -> list[str]:
    """Return the words that ``names`` of the word table make."""
    return [word for word, _ in by_word(names)]


def pieces_of(words: Sequence[Spelled]) -> Iterator[list[Piece]]:
    """Yield the likeliest pieces of each word; none where letters and phones do not fit.

    The probabilities of pieces come from all ways to divide a sample of ``words``
    (expectation-maximisation; Jiampojamarn, Kondrak and Sherif 2007).
    """
    sample = words[:: math.ceil(len(words) / SAMPLE)] if words else []
    cost: Callable[[Piece], float] = _first_cost
    for _ in range(ROUNDS):
        counts: dict[Piece, float] = defaultdict(float)
        for word, phones in sample:
            for piece, share in _shares(word, phones, cost):
                counts[piece] += share
        cost = _cost(counts)
    for word, phones in words:
        yield _best(word, phones, cost)


def _first_cost(piece: Piece) -> float:
    """Return the cost of a piece in the first round: one letter for one phone is cheapest."""
    letters, phones = piece
    return FIRST * (len(letters) + len(phones) - 2)


def _cost(counts: Mapping[Piece, float]) -> Callable[[Piece], float]:
    """Return a function that gives a piece's -ln probability, from the counts of pieces."""
    total = sum(counts.values())
    unseen = -math.log(0.1 / (total + 1))
    costs = {piece: -math.log(count / total) for piece, count in counts.items() if count > 0}
    return lambda piece: costs.get(piece, unseen)


def _arcs(word: str, phones: Sequence[str]) -> Iterator[tuple[int, int, int, int, Piece]]:
    """Yield all pieces of a word: letters and phones before it, those up to its end, and itself.

    They are sorted by where they begin.
    """
    phones = tuple(phones)
    for i in range(len(word)):
        for j in range(len(phones)):
            for length, count in SHAPES:
                k, m = i + length, j + count
                if k <= len(word) and m <= len(phones):
                    yield i, j, k, m, (word[i:k], phones[j:m])


def _shares(
    word: str, phones: Sequence[str], cost: Callable[[Piece], float]
) -> list[tuple[Piece, float]]:
    """Return all pieces of a word, and for each the share of the ways to divide it there."""
    arcs = [(i, j, k, m, p, math.exp(-cost(p))) for i, j, k, m, p in _arcs(word, phones)]
    end = len(word), len(phones)
    before: dict[tuple[int, int], float] = defaultdict(float, {(0, 0): 1.0})
    after: dict[tuple[int, int], float] = defaultdict(float, {end: 1.0})
    for i, j, k, m, _, p in arcs:
        before[k, m] += before[i, j] * p
    for i, j, k, m, _, p in reversed(arcs):
        after[i, j] += p * after[k, m]
    total = before[end]
    if total == 0:
        return []
    return [(piece, before[i, j] * p * after[k, m] / total) for i, j, k, m, piece, p in arcs]


def _best(word: str, phones: Sequence[str], cost: Callable[[Piece], float]) -> list[Piece]:
    """Return the likeliest pieces of a word (Viterbi); none where no way leads to its end."""
    ways: dict[tuple[int, int], tuple[float, tuple[int, int], Piece | None]] = {}
    ways[0, 0] = (0.0, (0, 0), None)
    for i, j, k, m, piece in _arcs(word, phones):
        if (i, j) in ways:
            total = ways[i, j][0] + cost(piece)
            if (k, m) not in ways or total < ways[k, m][0]:
                ways[k, m] = (total, (i, j), piece)
    end, pieces = (len(word), len(phones)), []
    if end not in ways:
        return []
    _, before, last = ways[end]
    while last is not None:  # None at the beginning of the word
        pieces.append(last)
        _, before, last = ways[before]
    return pieces[::-1]
