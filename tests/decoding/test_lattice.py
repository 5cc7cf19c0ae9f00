import itertools
import math
import tomllib
from importlib.metadata import version

import kaldifst
import numpy as np
import pytest

from cascade.config.layout import Layout
from cascade.config.sections import Decode
from cascade.decoding import lattice
from cascade.decoding.lattice import Hypothesis, Lattice
from cascade.decoding.word_search import WordSearch
from cascade.lm import graph
from cascade.lm.ngram import END, Model
from cascade.runtime.project import ROOT

PHONES = ["<blk>", "a", "k", "o", "t"]
WORDS = {"кот": "k o t", "ко": "k o", "так": "t a k", "та": "t a"}
PRIOR = {"кот": 0.3, "ко": 0.2, "так": 0.2, "та": 0.1, END: 0.2}
SETTINGS = Decode(blank_penalty=0.0, acoustic_scale=1.0, beam=30.0)


@pytest.fixture(scope="module")
def layout(tmp_path_factory):
    layout = Layout(tmp_path_factory.mktemp("exp"), None, None)
    model = Model(({(word,): math.log10(p) for word, p in PRIOR.items()},), {})
    lexicon = {word: [pron.split()] for word, pron in WORDS.items()}
    graph.build(lexicon, PHONES, model, layout.graph, layout.words)
    return layout


def noise(frames: int, seed: int) -> np.ndarray:
    """Log-probabilities (T, phones) of a network that is not sure."""
    logits = np.random.default_rng(seed).normal(0, 1.5, (frames, len(PHONES)))
    return (logits - np.log(np.exp(logits).sum(1, keepdims=True))).astype(np.float32)


def made(*arcs, start=0, final=None):
    """A lattice of arcs (from, to, input, word, graph cost, acoustic cost)."""
    raw = kaldifst.Lattice()
    states = 1 + max(max(arc[:2]) for arc in arcs)
    for _ in range(states):
        raw.add_state()
    raw.start = start
    for source, target, label, word, graph_cost, acoustic in arcs:
        weight = kaldifst.LatticeWeight(graph_cost, acoustic)
        raw.add_arc(source, kaldifst.LatticeArc(label, word, weight, target))
    raw.set_final(states - 1 if final is None else final, kaldifst.LatticeWeight(0.0, 0.0))
    return Lattice(raw)


def cost(p):
    return -math.log(p)


@pytest.fixture
def forked():
    """Words 1 (0.6) or 2 (0.4) in frame 0, and then 3 by two ways (0.5, 0.2) or 4 (0.3)."""
    return made(
        (0, 1, 2, 1, cost(0.6), 0.0),
        (0, 1, 2, 2, cost(0.4), 0.0),
        (1, 3, 2, 3, cost(0.5), 0.0),
        (1, 2, 3, 3, 0.0, cost(0.2)),
        (1, 3, 3, 4, cost(0.3), 0.0),
        (2, 3, 0, 0, 0.0, 0.0),  # takes no frame
    )


def shares(chosen, lost=0.0) -> float:
    """The share of the paths of `forked` whose two words are ``chosen``, by counting them."""
    second = [(3, 0.5), (3, 0.2), (4, 0.3)]
    paths = [(a, b, p * q) for a, p in [(1, 0.6), (2, 0.4)] for b, q in second]
    masses = {path: (path[2] / 0.3) ** lattice.SCALE for path in paths}
    own = (lost / 0.3) ** lattice.SCALE if lost else 0.0
    total = (sum(masses.values()) + own) * (1 + lattice.BEYOND)
    return (sum(m for (a, b, _), m in masses.items() if chosen(a, b)) + own) / total


def test_the_best_come_in_order_and_each_once(forked):
    hypotheses = forked.best(10)
    assert [h.words for h in hypotheses] == [(1, 3), (2, 3), (1, 4), (2, 4)]
    assert [math.exp(h.score) for h in hypotheses] == pytest.approx([0.3, 0.2, 0.18, 0.12])
    assert forked.best(2) == hypotheses[:2]
    assert hypotheses[0].acoustic == 0 and hypotheses[0].graph == pytest.approx(math.log(0.3))


def test_a_confidence_is_the_share_of_all_paths_with_the_word_there(forked):
    known = forked.best(10)
    spans = [(0, 1), (1, 2)]
    assert forked.confidences(known[0], spans, known) == pytest.approx(
        [shares(lambda a, b: a == 1), shares(lambda a, b: b == 3)]
    )
    assert forked.confidences(known[3], spans, known) == pytest.approx(
        [shares(lambda a, b: a == 2), shares(lambda a, b: b == 4)]
    )
    elsewhere = Hypothesis((3, 1), known[0].graph, known[0].acoustic)
    assert forked.confidences(elsewhere, spans, [*known, elsewhere]) == [0.0, 0.0]


def test_a_path_that_the_lattice_lacks_counts_as_one_more(forked):
    known = forked.best(10)
    lost = Hypothesis((1, 5), math.log(0.25), 0.0)
    confidences = forked.confidences(lost, [(0, 1), (1, 2)], known)
    first, own = shares(lambda a, b: a == 1, lost=0.25), shares(lambda a, b: False, lost=0.25)
    assert confidences == pytest.approx([first, own])
    assert first > own > 0


def test_kaldifst_has_no_public_way_to_the_arcs_of_a_lattice():
    """Once it has, cascade/decoding/lattice.py needs no private name of it."""
    raw = kaldifst.Lattice()
    raw.start = raw.add_state()
    with pytest.raises(ValueError, match="Unsupported type"):
        kaldifst.ArcIterator(raw, 0)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f"kaldifst=={version('kaldifst')}" in project["dependencies"]


def test_states_need_not_be_numbered_in_order():
    unordered = made(
        (0, 2, 1, 1, 0.5, 0.0), (2, 1, 0, 0, 0.0, 0.0), (1, 3, 1, 2, 0.0, 0.25), final=3
    )
    assert unordered.best(3) == [Hypothesis((1, 2), -0.5, -0.25)]


@pytest.mark.parametrize("seed", range(4))
def test_the_list_is_that_of_all_word_sequences(layout, seed):
    """Against every sequence of up to three words, each scored by the search alone."""
    words = WordSearch(layout.graph, SETTINGS)
    scores = words.scores(noise(7, seed), SETTINGS)
    hypotheses = lattice.search(words.graph, scores, 30.0, 2.0).best(5)
    table = graph.read_words(layout.words)
    expected = {}
    for n in range(4):
        for sequence in itertools.product(WORDS, repeat=n):
            p = sum(math.log(PRIOR[word]) for word in (*sequence, END))
            expected[sequence] = alignment(scores, sequence) + p
    best = sorted(expected, key=expected.get, reverse=True)
    near = [s for s in best if expected[s] > expected[best[0]] - lattice.LATTICE_BEAM + 0.1][:5]
    spoken = [tuple(table[i] for i in h.words) for h in hypotheses]
    assert spoken[: len(near)] == near
    gaps = [hypotheses[0].score - h.score for h in hypotheses[: len(near)]]
    assert gaps == pytest.approx([expected[near[0]] - expected[s] for s in near], abs=1e-3)


def alignment(scores, words) -> float:
    """CTC's best alignment of ``words`` with scores (T, phones)."""
    labels = [0]
    for word in words:
        for phone in WORDS[word].split():
            labels += [PHONES.index(phone), 0]
    best = np.full(len(labels), -np.inf)
    best[: len(labels[:2])] = scores[0, labels[:2]]
    for row in scores[1:]:
        before = best.copy()
        for i, label in enumerate(labels):
            ways = list(before[max(0, i - 1) : i + 1])
            if i > 1 and label and label != labels[i - 2]:
                ways.append(before[i - 2])
            best[i] = max(ways) + row[label]
    return max(best[-2:])


def test_the_search_and_the_lattice_agree_on_the_best(layout):
    words = WordSearch(layout.graph, SETTINGS)
    for seed in range(5):
        log_probs = noise(12, seed)
        path = words.path(log_probs)
        [best] = lattice.search(words.graph, words.scores(log_probs, SETTINGS), 30.0, 2.0).best(1)
        assert best.words == path.hypothesis.words
        assert best.score == pytest.approx(path.hypothesis.score, abs=1e-3)


def test_no_frame_has_no_lattice(layout):
    words = WordSearch(layout.graph, SETTINGS)
    assert lattice.search(words.graph, np.zeros((0, len(PHONES)), np.float32), 10.0, 1.0) is None


def test_a_network_that_has_learnt_nothing_gets_a_narrower_beam(tmp_path, monkeypatch):
    """On the graph of a recipe, the full beam would take minutes an utterance."""
    phones = ["<blk>", *(f"p{i}" for i in range(40))]
    words = {f"w{n}": [[phones[n % 40 + 1], phones[n // 40 + 1]]] for n in range(400)}
    model = Model(({(word,): -math.log10(401) for word in [*words, END]},), {})
    graph.build(words, phones, model, tmp_path / "graph.fst", tmp_path / "words.txt")
    decoder = WordSearch(tmp_path / "graph.fst", SETTINGS)

    def states(sharpness: float) -> int:
        logits = np.random.default_rng(0).normal(0, sharpness, (20, len(phones)))
        log_probs = logits - np.log(np.exp(logits).sum(1, keepdims=True))
        found = lattice.search(decoder.graph, decoder.scores(log_probs, SETTINGS), 30.0, 1.0)
        assert found.best(1)  # it still has a path
        return len(found.arcs)

    bounded = [states(0.3), states(8.0)]
    monkeypatch.setattr(lattice, "NARROWER", 0.0)
    flat, sharp = states(0.3), states(8.0)
    assert bounded[0] < flat / 10
    assert bounded[1] == sharp
