"""The decoding graph T o min(det(L o G)): phones with CTC's blanks in, words out.

L spells words in phones, G is the language model, T lets a phone last several frames
and blanks stand between. Mohri, Pereira and Riley (2002) for the composition, Miao et
al. (2015, arXiv:1507.08240) for T.
"""

import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import kaldifst
import kaldilm

from cascade.errors import UserError
from cascade.files import replacing_path, write_text

EPSILON, BACKOFF = "<eps>", "#0"


def build(
    lexicon: Mapping[str, Sequence[str]],
    phones: Sequence[str],
    arpa: Path,
    graph: Path,
    words: Path,
) -> int:
    """Writes ``graph`` (an OpenFst vector FST) and the word table ``words``; returns its bytes.

    Input label k of the graph is output k - 1 of the network, so the blank is 1.
    """
    numbers = _write_words(lexicon, words)
    tokens = {phone: i + 1 for i, phone in enumerate(phones)}  # 0 is epsilon
    l_fst, disambiguation = _lexicon_fst(lexicon, tokens, numbers)
    with _silent():
        g_text = kaldilm.arpa2fst(
            str(arpa), disambig_symbol=BACKOFF, read_symbol_table=str(words), max_arpa_warnings=0
        )
    g_fst = kaldifst.compile(g_text, keep_state_numbering=True)
    kaldifst.arcsort(g_fst, "ilabel")
    lg = kaldifst.compose(l_fst, g_fst)
    del l_fst, g_fst
    if kaldifst.determinize_star(lg):
        raise UserError("The decoding graph cannot be determinised; prune the language model.")
    kaldifst.minimize_encoded(lg)
    t_fst = _topology(len(phones), disambiguation)
    kaldifst.arcsort(lg, "ilabel")
    tlg = kaldifst.compose(t_fst, lg)
    with replacing_path(graph) as beside:
        if not tlg.write(str(beside)):
            raise UserError(f"{graph} cannot be written. Is the disk full? Make room, run again.")
    return graph.stat().st_size


@contextmanager
def _silent() -> Iterator[None]:
    """Keeps what a library in C++ says of its progress off the screen."""
    sys.stderr.flush()
    screen = os.dup(2)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(screen, 2)
        os.close(screen)


def read_words(path: Path) -> list[str]:
    """The words by number."""
    return [line.split()[0] for line in path.read_text(encoding="utf-8").splitlines()]


def _write_words(lexicon: Mapping[str, Sequence[str]], path: Path) -> dict[str, int]:
    table = [EPSILON, "<s>", "</s>", BACKOFF, *sorted(lexicon)]
    write_text(path, "".join(f"{word} {i}\n" for i, word in enumerate(table)))
    return {word: i for i, word in enumerate(table)}


def _lexicon_fst(lexicon, tokens: Mapping[str, int], numbers: Mapping[str, int]):
    """L with disambiguation symbols; returns it and the symbols' labels.

    A pronunciation that is another word's too, or begins another's, ends in #1, #2 ...,
    else L o G could not be determinised. #0 loops to carry G's back-off arcs.
    """
    spelled = Counter(tuple(pron) for pron in lexicon.values())
    prefixes = {pron[:i] for pron in spelled for i in range(1, len(pron))}
    used: Counter = Counter()
    first = max(tokens.values()) + 1  # the label of #0; #k is first + k
    lines, state = [], 1
    for word in sorted(lexicon):
        pron = tuple(lexicon[word])
        labels = [tokens[phone] for phone in pron]
        if spelled[pron] > 1 or pron in prefixes:
            used[pron] += 1
            labels.append(first + used[pron])
        source, output = 0, numbers[word]
        for label in labels[:-1]:
            lines.append(f"{source} {state} {label} {output}")
            source, output, state = state, 0, state + 1
        lines.append(f"{source} 0 {labels[-1]} {output}")
    lines.append(f"0 0 {first} {numbers[BACKOFF]}")
    lines.append("0")
    fst = kaldifst.compile("\n".join(lines), keep_state_numbering=True)
    kaldifst.arcsort(fst, "olabel")
    return fst, [first + k for k in range(max(used.values(), default=0) + 1)]


def _topology(phones: int, disambiguation: Sequence[int]):
    """T: state i is "the last frame was output i"; leaving it for itself puts nothing out."""
    lines = []
    for state in range(phones):
        for following in range(phones):
            silent = following in (state, 0)
            lines.append(f"{state} {following} {following + 1} {0 if silent else following + 1}")
        lines += [f"{state} {state} 0 {symbol}" for symbol in disambiguation]
        lines.append(f"{state}")
    fst = kaldifst.compile("\n".join(lines), keep_state_numbering=True)
    kaldifst.arcsort(fst, "olabel")
    return fst
