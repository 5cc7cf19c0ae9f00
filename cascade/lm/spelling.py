"""Stage 1, spelling: an n-gram over pieces, for words that the vocabulary lacks.

A piece is one to three letters with the phones that they stand for, a graphone (Bisani and
Ney 2008, doi:10.1016/j.specom.2008.01.002). Where a recipe's vocabulary is `open`, the
graph has a way from any history through pieces back to the empty one (Bisani and Ney 2005,
"Open vocabulary speech recognition with flat hybrid models"), and what comes out of it is
joined into a word.

In the table of words a piece is `letters|phone.phone`, with a `+` behind the letters of
all pieces but a word's last.
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

log = logging.getLogger("cascade")
SHAPES = ((1, 1), (2, 1), (1, 2), (3, 1))  # letters and phones; with 2 and 2, pieces grow
ORDER = 5
WORDS = 30_000  # to learn from: the most frequent ones
SAMPLE, ROUNDS = 2_000, 5  # of them, to learn how letters and phones go together
FIRST = 3.0  # nats for each letter or phone more than one
MORE, PHONES = "+", "|"

Piece = tuple[str, tuple[str, ...]]
Spelled = tuple[str, Sequence[str]]  # a word and its phones


def train(experiment: Experiment) -> None:
    """Writes words in pieces, ``spelling.txt``, and the n-gram of these, ``spelling.arpa``.

    They are the words of transcripts and texts, each once: a word that is not in the
    vocabulary is more like a rare one than like a frequent one.
    """
    layout = experiment.layout
    counts: Counter[str] = Counter()
    for source in range(1 + len(experiment.recipe.target_language.texts)):
        with layout.sentences(source).open(encoding="utf-8") as lines:
            counts.update(word for line in lines for word in line.split())
    chosen = {word for word, _ in sorted(counts.items(), key=lambda c: (-c[1], c[0]))[:WORDS]}
    words = []
    with layout.lexicon.open(encoding="utf-8") as lines:
        for line in lines:
            word, *phones = line.split()
            if word in chosen:
                words.append((word, phones))
    cut = [pieces for pieces in pieces_of(words) if pieces]
    if not cut:
        raise UserError("Not one word can be cut into pieces: set language_model.open: false.")
    with replacing(layout.spelling_text) as stream:
        for pieces in cut:
            stream.write(f"{' '.join(names(pieces))}\n".encode())
    ngram.train(layout.spelling_text, LanguageModel(order=ORDER), layout.spelling_arpa)
    model = ngram.read(layout.spelling_arpa)
    log.info(
        "spelling: %d of %d words, %d pieces, %d n-grams",
        len(cut),
        len(words),
        len(model.grams[0]),
        len(model),
    )


def unknown_share(experiment: Experiment, known: Mapping[str, object]) -> float:
    """The share of running words in the sentences of valid that are not ``known``.

    Half a word is added, so that it is never nothing.
    """
    keys = [experiment.dataset_key(dataset) for dataset in experiment.recipe.valid_sentences]
    counts = [count_unknown(experiment, key, known) for key in keys]
    unknown, total = map(sum, zip(*counts, strict=True))
    return (unknown + 0.5) / (total + 1)


def count_unknown(experiment: Experiment, key: str, known: Iterable[str]) -> tuple[int, int]:
    """How many running words of a data set are not ``known``, as words are scored; and of all."""
    fold = str.maketrans(experiment.recipe.target_language.fold)
    written = {word.translate(fold) for word in known}
    texts = read_text_table(experiment.layout.text(key, "words"))
    words = [word.translate(fold) for text in texts.values() for word in text]
    return sum(word not in written for word in words), len(words)


def names(pieces: Sequence[Piece]) -> list[str]:
    """A word's pieces as they stand in the table of words."""
    last = len(pieces) - 1
    return [
        f"{letters}{MORE if i < last else ''}{PHONES}{'.'.join(phones)}"
        for i, (letters, phones) in enumerate(pieces)
    ]


def phones_of(name: str) -> list[str] | None:
    """The phones of a piece's name; None for a word."""
    return name.partition(PHONES)[2].split(".") if PHONES in name else None


def ends_word(name: str) -> bool:
    """Whether a name of the table of words is a word or a word's last piece."""
    return f"{MORE}{PHONES}" not in name


def by_word(names: Iterable[str]) -> Iterator[tuple[str, list[int]]]:
    """Each word that ``names`` make, with the places of its pieces among them."""
    letters, places = "", []
    for place, name in enumerate(names):
        letters += name.partition(PHONES)[0].removesuffix(MORE)
        places.append(place)
        if ends_word(name):
            yield letters, places
            letters, places = "", []
    if places:  # an utterance may end within a word
        yield letters, places


def joined(names: Iterable[str]) -> list[str]:
    """The words that ``names`` of the table of words make."""
    return [word for word, _ in by_word(names)]


def pieces_of(words: Sequence[Spelled]) -> Iterator[list[Piece]]:
    """The likeliest pieces of each word; none where its letters and phones do not go together.

    How likely a piece is comes from all ways to cut up a sample of ``words``
    (expectation maximisation; Jiampojamarn, Kondrak and Sherif 2007).
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
    """Before anything is known, a letter most likely stands for a phone."""
    letters, phones = piece
    return FIRST * (len(letters) + len(phones) - 2)


def _cost(counts: Mapping[Piece, float]) -> Callable[[Piece], float]:
    """-ln of how likely a piece is, after how often each was counted."""
    whole = sum(counts.values())
    unseen = -math.log(0.1 / (whole + 1))
    known = {piece: -math.log(count / whole) for piece, count in counts.items() if count > 0}
    return lambda piece: known.get(piece, unseen)


def _arcs(word: str, phones: Sequence[str]) -> Iterator[tuple[int, int, int, int, Piece]]:
    """Pieces from one place (letters, phones taken) to another, by where they begin."""
    phones = tuple(phones)
    for i in range(len(word)):
        for j in range(len(phones)):
            for more_i, more_j in SHAPES:
                k, m = i + more_i, j + more_j
                if k <= len(word) and m <= len(phones):
                    yield i, j, k, m, (word[i:k], phones[j:m])


def _shares(
    word: str, phones: Sequence[str], cost: Callable[[Piece], float]
) -> list[tuple[Piece, float]]:
    """The pieces of all ways to cut up a word, and the share of the ways that each is in."""
    arcs = [(i, j, k, m, p, math.exp(-cost(p))) for i, j, k, m, p in _arcs(word, phones)]
    end = len(word), len(phones)
    before: dict[tuple[int, int], float] = defaultdict(float, {(0, 0): 1.0})
    after: dict[tuple[int, int], float] = defaultdict(float, {end: 1.0})
    for i, j, k, m, _, p in arcs:
        before[k, m] += before[i, j] * p
    for i, j, k, m, _, p in reversed(arcs):
        after[i, j] += p * after[k, m]
    whole = before[end]
    if whole == 0:
        return []
    return [(piece, before[i, j] * p * after[k, m] / whole) for i, j, k, m, piece, p in arcs]


def _best(word: str, phones: Sequence[str], cost: Callable[[Piece], float]) -> list[Piece]:
    """The likeliest pieces of a word (Viterbi); none where there is no way to its end."""
    ways: dict[tuple[int, int], tuple[float, tuple[int, int], Piece | None]] = {}
    ways[0, 0] = (0.0, (0, 0), None)
    for i, j, k, m, piece in _arcs(word, phones):
        if (i, j) in ways:
            total = ways[i, j][0] + cost(piece)
            if (k, m) not in ways or total < ways[k, m][0]:
                ways[k, m] = (total, (i, j), piece)
    at, found = (len(word), len(phones)), []
    if at not in ways:
        return []
    while at != (0, 0):
        _, at, piece = ways[at]
        found.append(piece)
    return found[::-1]
