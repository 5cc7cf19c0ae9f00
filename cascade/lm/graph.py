"""The decoding graph: phones with CTC's blanks in, words out.

It is T o min(det(L o G)), where L spells words in phones, G is the language model, and T
lets a phone last several frames and blanks stand between (Miao et al. 2015,
arXiv:1507.08240). `cascade.lm.prefix_trees` makes the part over phones; here every node of it
becomes one state for "the last frame was the phone that led here" and one for "it was
blank". The result is an OpenFst ConstFst, which is read as it lies in the file.
"""

import json
import logging
import struct
import tempfile
import time
from bisect import bisect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import kaldifst
import numpy as np

from cascade.config.experiment import Experiment
from cascade.lm import ngram, spelling
from cascade.lm import prefix_trees as trees
from cascade.lm.ngram import Model, States
from cascade.runtime.errors import UserError
from cascade.runtime.files import replacing_path, write_json, write_text
from cascade.text.phones import read_phones

log = logging.getLogger("cascade")
EPSILON = "<eps>"
HEADER = 65  # bytes before the first state of a ConstFst
ARC = np.dtype([("input", "<i4"), ("output", "<i4"), ("cost", "<f4"), ("target", "<i4")])
STATE = np.dtype(
    [("final", "<f4"), ("first", "<u4"), ("arcs", "<u4"), ("in_eps", "<u4"), ("out_eps", "<u4")]
)


def make(experiment: Experiment) -> None:
    """Builds the graph of a recipe, and writes ``lang/summary.json``."""
    recipe, layout = experiment.recipe, experiment.layout
    started = time.monotonic()
    lexicon = read_lexicon(layout.lexicon)
    phones = read_phones(layout.phones)
    model, unknown = ngram.read(layout.arpa), None
    if recipe.language_model.open:
        share = spelling.unknown_share(experiment, lexicon)
        log.info("open vocabulary: an unknown word has the probability %.3f", share)
        unknown = Unknown(ngram.read(layout.spelling_arpa), share)
    size = build(lexicon, phones, model, layout.graph, layout.words, unknown)
    known = json.loads(layout.lm_summary.read_text(encoding="utf-8"))
    summary = {
        "words": len(lexicon),
        "ngrams": known["ngrams"],
        "graph_mb": round(size / 2**20, 1),
        "build_s": round(time.monotonic() - started, 1),
        "oov": {},
        **known,
    }
    log.info(
        "%d words, %d n-grams; graph %.1f MB, built in %.0f s",
        *(summary[key] for key in ("words", "ngrams", "graph_mb", "build_s")),
    )
    for dataset in recipe.role("test"):
        name = dataset.label
        count, total = spelling.count_unknown(experiment, experiment.dataset_key(dataset), lexicon)
        summary["oov"][name] = round(100 * count / total, 4)
        log.info("%s: %.2f %% of the running words unknown", name, summary["oov"][name])
    write_json(layout.lang_summary, summary)


def read_lexicon(path: Path) -> dict[str, list[list[str]]]:
    """Reads lines of ``word phone phone ...``; a word may stand on several."""
    lexicon: dict[str, list[list[str]]] = {}
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            word, *phones = line.split()
            lexicon.setdefault(word, []).append(phones)
    return lexicon


@dataclass(frozen=True)
class Unknown:
    """How words that the vocabulary lacks are spelt (`cascade.lm.spelling`), and their share."""

    model: Model
    share: float


def build(
    lexicon: Mapping[str, Sequence[Sequence[str]]],
    phones: Sequence[str],
    model: Model,
    graph: Path,
    words: Path,
    unknown: Unknown | None = None,
) -> int:
    """Writes ``graph`` and the word table ``words``; returns the graph's bytes.

    ``lexicon`` maps a word to its pronunciations. Input label k of the graph is output
    k - 1 of the network, so the blank is 1. In the table all that ends a word comes first.
    """
    if len(phones) > 256:
        raise UserError(f"{len(phones)} phones are too many for a graph; 255 are possible.")
    pieces = [piece for (piece,) in unknown.model.grams[0]] if unknown else []
    pieces = sorted(p for p in pieces if spelling.phones_of(p))  # neither <s> nor </s>
    pieces.sort(key=spelling.ends_word, reverse=True)
    table = [EPSILON, *sorted(lexicon), *pieces]
    write_text(words, "".join(f"{word} {i}\n" for i, word in enumerate(table)))
    numbers = {word: i for i, word in enumerate(table)}
    labels = {phone: i for i, phone in enumerate(phones)}
    spelled = [
        (numbers[word], bytes(labels[phone] for phone in pronunciation))
        for word, pronunciations in lexicon.items()
        for pronunciation in pronunciations
    ]
    spelled += [(numbers[p], bytes(labels[x] for x in spelling.phones_of(p))) for p in pieces]
    history = model.states(numbers)
    if unknown:
        last = {numbers[piece] for piece in pieces if spelling.ends_word(piece)}
        history = ngram.with_unknown(history, unknown.model.states(numbers), last, unknown.share)
    grown = trees.grow(spelled, history.words)
    states, arcs, start = _with_blanks(grown, history)
    with replacing_path(graph) as beside:
        _write(beside, states, arcs, start)
    return graph.stat().st_size


def read_words(path: Path) -> list[str]:
    """The words by number, and behind them the pieces of words; see `cascade.lm.spelling`."""
    return [line.split()[0] for line in path.read_text(encoding="utf-8").splitlines()]


def read_graph(
    path: Path, word_penalty: float = 0.0, names: Sequence[str] = ()
) -> kaldifst.StdConstFst:
    """Reads a graph; ``word_penalty`` is added to the cost of every word.

    ``names`` is its table of words: pieces within a word cost no more than they did.
    Raises `UserError` for what is no such graph.
    """
    if word_penalty == 0:
        graph = kaldifst.StdConstFst.read(str(path)) if path.is_file() else None
    else:
        content = np.fromfile(path, np.uint8)
        states, arcs = struct.unpack_from("<qq", content, HEADER - 16)
        if len(content) != HEADER + states * STATE.itemsize + arcs * ARC.itemsize:
            raise UserError(f"{path} is no decoding graph. Run stage 1 again.")
        table = content[HEADER + states * STATE.itemsize :].view(ARC)
        ends = bisect(names, False, key=lambda name: not spelling.ends_word(name))
        within = table["output"] >= (ends or np.inf)
        table["cost"][(table["output"] != 0) & ~within] += np.float32(word_penalty)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".graph.") as beside:
            content.tofile(beside)
            beside.flush()
            graph = kaldifst.StdConstFst.read(beside.name)
    if graph is None:
        raise UserError(f"{path} is no decoding graph. Run stage 1 again.")
    return graph


@dataclass(frozen=True)
class _Roots:
    """The states at which words end: a language model's state, after a phone or a blank.

    State ``g`` itself is "after a blank"; ``number(g, phone)`` one after a phone.
    """

    states: int
    pairs: np.ndarray  # g * 256 + phone, sorted

    def number(self, state: np.ndarray, phone: np.ndarray) -> np.ndarray:
        found = np.searchsorted(self.pairs, state * 256 + phone)
        return np.where(phone == 0, state, self.states + found)


def _roots(grown: trees.Trees, lower: np.ndarray) -> _Roots:
    """All states and last phones that are met, down to the shortest history."""
    ends = grown.target < grown.roots
    pairs = np.unique(grown.target[ends] * 256 + grown.phone[ends])
    while True:
        backed = lower[pairs // 256]
        more = backed[backed >= 0] * 256 + pairs[backed >= 0] % 256
        grown_pairs = np.union1d(pairs, more)
        if len(grown_pairs) == len(pairs):
            return _Roots(grown.roots, pairs)
        pairs = grown_pairs


def _with_blanks(grown: trees.Trees, history: States) -> tuple[np.ndarray, np.ndarray, int]:
    """The states, the arcs sorted by state, and the number of the start state."""
    roots = _roots(grown, history.lower)
    base = grown.roots + len(roots.pairs)
    pair_state, pair_phone = roots.pairs // 256, roots.pairs % 256
    inner = np.arange(len(grown.entered))
    after_phone, after_blank = base + 2 * inner, base + 2 * inner + 1
    entered = grown.entered.astype(np.int64)

    source, phone = grown.source, grown.phone.astype(np.int64)
    ends = grown.target < grown.roots
    target = base + 2 * (grown.target - grown.roots)
    target[ends] = roots.number(grown.target[ends], phone[ends])
    begins = source < grown.roots

    pieces = []

    def add(source, label, word, cost, target) -> None:
        piece = np.empty(len(source), ARC)
        piece["input"], piece["output"], piece["cost"], piece["target"] = label, word, cost, target
        pieces.append((np.asarray(source, np.int32), piece))

    def add_words(chosen, source) -> None:
        add(source, phone[chosen] + 1, grown.word[chosen], grown.cost[chosen], target[chosen])

    # Back to a shorter history, before anything is read.
    has = history.lower >= 0
    add(np.flatnonzero(has), 0, 0, history.backoff[has], history.lower[has])
    has = history.lower[pair_state] >= 0
    lower = roots.number(history.lower[pair_state[has]], pair_phone[has])
    add(grown.roots + np.flatnonzero(has), 0, 0, history.backoff[pair_state[has]], lower)
    # A phone or a blank that lasts, and the blank after a phone.
    at = np.arange(grown.roots)
    add(at, 1, 0, 0, at)
    at = grown.roots + np.arange(len(roots.pairs))
    add(at, pair_phone + 1, 0, 0, at)
    add(at, 1, 0, 0, pair_state)
    add(after_phone, entered + 1, 0, 0, after_phone)
    add(after_phone, 1, 0, 0, after_blank)
    add(after_blank, 1, 0, 0, after_blank)
    # The next phone: after a blank any, after a phone another one.
    inside = np.flatnonzero(~begins)
    add_words(inside, after_blank[source[inside] - grown.roots])
    inside = inside[phone[inside] != entered[source[inside] - grown.roots]]
    add_words(inside, after_phone[source[inside] - grown.roots])
    outset = np.flatnonzero(begins)
    add_words(outset, source[outset])
    pair, which = _joined(pair_state, outset, source[outset])
    differs = phone[which] != pair_phone[pair]
    add_words(which[differs], grown.roots + pair[differs])

    total = base + 2 * len(inner)
    origin = np.concatenate([origin for origin, _ in pieces])
    order = np.argsort(origin, kind="stable")
    arcs = np.concatenate([piece for _, piece in pieces])[order]
    states = np.zeros(total, STATE)
    states["arcs"] = np.bincount(origin, minlength=total)
    states["first"] = np.cumsum(states["arcs"]) - states["arcs"]
    states["in_eps"] = np.bincount(origin[order], arcs["input"] == 0, minlength=total)
    states["out_eps"] = np.bincount(origin[order], arcs["output"] == 0, minlength=total)
    states["final"] = np.inf
    states["final"][: grown.roots] = history.final
    states["final"][grown.roots : base] = history.final[pair_state]
    return states, arcs, history.start


def _joined(
    states: np.ndarray, arcs: np.ndarray, source: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Every place in ``states`` with each arc that leaves the state there: (places, arcs).

    ``source`` has the state that each of ``arcs`` leaves.
    """
    order = np.argsort(source, kind="stable")
    arcs, source = arcs[order], source[order]
    first = np.searchsorted(source, states)
    count = np.searchsorted(source, states, side="right") - first
    places = np.repeat(np.arange(len(states)), count)
    skipped = np.cumsum(count) - count  # by the places before
    return places, arcs[np.arange(len(places)) - np.repeat(skipped - first, count)]


def _write(path: Path, states: np.ndarray, arcs: np.ndarray, start: int) -> None:
    """Writes OpenFst's ConstFst, version 2 (fst/const-fst.h, fst/fst.h)."""

    header = struct.pack("<ii5si8s", 2125659606, 5, b"const", 8, b"standard")
    expanded = 1  # the only property that is claimed
    header += struct.pack("<iiQqqq", 2, 0, expanded, start, len(states), len(arcs))
    assert len(header) == HEADER
    try:
        with path.open("wb") as stream:
            stream.write(header)
            states.tofile(stream)
            arcs.tofile(stream)
    except OSError as error:
        raise UserError(
            f"{path} cannot be written: {error.strerror or error}. Make room, run again."
        ) from None
