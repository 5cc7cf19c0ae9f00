import math
import random
from pathlib import Path

import kaldi_decoder
import kaldifst
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade.config.layout import Layout
from cascade.config.sections import Decode, LanguageModel
from cascade.decoding.word_search import WordSearch
from cascade.lm import graph, ngram
from cascade.lm.const_fst import read_graph
from cascade.runtime.errors import UserError
from cascade.runtime.files import write_text

PHONES = ["<blk>", "a", "k", "o", "s", "t"]
# Homophones (кот, код), a word inside another's beginning (ко), a repeated phone (атта).
LEXICON = {
    "кот": "k o t",
    "код": "k o t",
    "ко": "k o",
    "сок": "s o k",
    "атта": "a t t a",
}
SETTINGS = Decode(blank_penalty=0.0)
TEXT = [["сок", "кот"], ["ко", "код", "ко"], ["кот", "сок"], ["атта", "сок"], ["кот", "атта"]] * 3


@pytest.fixture(scope="module")
def layout(tmp_path_factory):
    layout = Layout(tmp_path_factory.mktemp("exp"), None, None)
    model = trained(TEXT, layout.root, 2)
    ngram.write(layout.arpa, model)
    model = ngram.read(layout.arpa)  # sorted
    lexicon = {word: [pron.split()] for word, pron in LEXICON.items()}
    size = graph.build(lexicon, PHONES, model, layout.graph, layout.words)
    assert size == layout.graph.stat().st_size > 0
    return layout


def trained(sentences, folder: Path, order: int) -> ngram.Model:
    text = folder / "text.txt"
    text.write_text("".join(" ".join(s) + "\n" for s in sentences), encoding="utf-8")
    ngram.train_ngram(text, LanguageModel(order=order), folder / "text.arpa")
    return ngram.read(folder / "text.arpa")


def spoken(frames: str) -> np.ndarray:
    """Log-probabilities (T, phones) of a sure network; ``_`` is the blank."""
    best = [PHONES.index(f) if f != "_" else 0 for f in frames.split()]
    probs = np.full((len(best), len(PHONES)), 0.01, dtype=np.float32)
    probs[np.arange(len(best)), best] = 0.95
    return np.log(probs)


def words(layout, frames: str) -> list[str]:
    table = graph.read_words(layout.words)
    return [table[i] for i in WordSearch(layout.graph, SETTINGS)(spoken(frames))]


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ("s o k _ k o t", "сок кот"),
        ("s s _ o _ _ k k k _ _ k o o t t t", "сок кот"),
        ("s o k _ k o o t", "сок кот"),
        ("a t _ t a _ s o k", "атта сок"),
        ("k o t t t t", "кот"),  # the last phone lasts
    ],
)
def test_frames_become_words(layout, frames, expected):
    assert words(layout, frames) == expected.split()


def test_the_language_model_chooses_among_homophones(layout):
    assert words(layout, "k o _ k o t _ k o") == ["ко", "код", "ко"]


def test_no_frame_makes_no_word(layout):
    assert WordSearch(layout.graph, SETTINGS)(np.zeros((0, len(PHONES)), dtype=np.float32)) == []


def test_the_same_lexicon_makes_the_same_bytes(layout, tmp_path):
    lexicon = {word: [pron.split()] for word, pron in reversed(LEXICON.items())}
    again, table = tmp_path / "again.fst", tmp_path / "words.txt"
    graph.build(lexicon, PHONES, ngram.read(layout.arpa), again, table)
    assert again.read_bytes() == layout.graph.read_bytes()
    assert table.read_bytes() == layout.words.read_bytes()


def test_a_word_penalty_is_paid_once_a_word(layout):
    def cost(penalty):
        fst = read_graph(layout.graph, penalty)
        return best(fst, spoken("s o k _ k o t _ k o"))[1]

    assert cost(1.5) - cost(0.0) == pytest.approx(3 * 1.5, abs=1e-3)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_renumbered_graph_has_the_bytes_of_one_that_was_built_so(tmp_path_factory, seed):
    """Any lexicon, any model, from any numbering to any other that has the phones."""
    folder = tmp_path_factory.mktemp("any")
    rng = random.Random(seed)
    lexicon = any_lexicon(rng)
    model = any_model(rng, list(lexicon), rng.randint(1, 3))
    for name in "before", "after":
        others = rng.sample(["b", "m", "n", "z"], rng.randint(0, 4))
        phones = ["<blk>", *sorted([*PHONES[1:], *others])]
        write_text(folder / name, "".join(f"{p} {i}\n" for i, p in enumerate(phones)))
        graph.build(lexicon, phones, model, folder / f"{name}.fst", folder / "words.txt")
    after = (folder / "after.fst").read_bytes()
    graph.renumber(folder / "before.fst", folder / "after", folder / "before")
    assert (folder / "before.fst").read_bytes() == after


def test_too_many_phones_for_a_graph_that_is_renumbered(layout, tmp_path):
    write_text(tmp_path / "few", "".join(f"{p} {i}\n" for i, p in enumerate(PHONES)))
    write_text(tmp_path / "many", "<blk> 0\n" + "".join(f"p{i} {i}\n" for i in range(1, 257)))
    with pytest.raises(UserError, match="256 phones; a decoding graph can have 255"):
        graph.renumber(layout.graph, tmp_path / "many", tmp_path / "few")


def best(fst, log_probs) -> tuple[list[int], float]:
    """Words and cost of the best path to an end, with no pruning."""
    options = kaldi_decoder.FasterDecoderOptions(beam=1e4, max_active=10**6)
    decoder = kaldi_decoder.FasterDecoder(fst, options)
    decoder.decode(kaldi_decoder.DecodableCtc(np.ascontiguousarray(log_probs, np.float32)))
    success, path = decoder.get_best_path()
    assert success and decoder.reached_final()
    _, _, words, weight = kaldifst.get_linear_symbol_sequence(path)
    return words, weight.value1 + weight.value2


def cheapest(lexicon, model, frames: np.ndarray, words: list[str]) -> float:
    """The cost of saying ``words``: CTC's best alignment, and the language model."""
    least = math.inf
    for spelling in spellings(lexicon, words):
        labels = [0]
        for phone in spelling:
            labels += [PHONES.index(phone), 0]
        score = np.full(len(labels), math.inf)
        score[:2] = -frames[0, labels[:2]]
        for row in frames[1:]:
            before = score.copy()
            for i, label in enumerate(labels):
                ways = [before[i], before[i - 1] if i else math.inf]
                if i > 1 and label and label != labels[i - 2]:
                    ways.append(before[i - 2])
                score[i] = min(ways) - row[label]
        least = min(least, *score[-2:])
    grams = ngram.events(model, [words])
    return least - math.log(10) * sum(model.log10(gram) for gram in grams)


def spellings(lexicon, words):
    if not words:
        return [[]]
    rest = spellings(lexicon, words[1:])
    return [[*pron, *more] for pron in lexicon[words[0]] for more in rest]


def any_lexicon(rng: random.Random) -> dict[str, list[list[str]]]:
    """One to eight random words with one or two pronunciations of few phones."""
    return {
        f"w{letter}": [
            rng.choices(PHONES[1:4], k=rng.randint(1, 4)) for _ in range(rng.choice([1, 1, 2]))
        ]
        for letter in "abcdefgh"[: rng.randint(1, 8)]
    }


def any_model(rng: random.Random, names: list[str], order: int) -> ngram.Model:
    """Random n-grams, each with its shorter ends and beginnings, and random weights."""
    grams = [{("<s>",): -99.0, ("</s>",): -1.0} | {(n,): -rng.random() - 0.5 for n in names}]
    backoffs = {gram: -rng.random() for gram in grams[0] if gram != ("</s>",)}
    for _ in range(order - 1):
        histories = [gram for gram in grams[-1] if gram[-1] != "</s>" and gram in backoffs]
        longer = {(*h, rng.choice([*names, "</s>"])): -rng.random() for h in histories}
        longer = {g: p for g, p in longer.items() if g[1:] in grams[-1]}
        backoffs |= {gram: -rng.random() for gram in longer if gram[-1] != "</s>"}
        grams.append(longer)
    return ngram.Model(tuple(grams), backoffs)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_the_best_path_costs_what_its_words_cost(tmp_path_factory, seed):
    """Any lexicon (homophones, prefixes, several pronunciations), any model, any frames."""
    folder = tmp_path_factory.mktemp("any")
    rng = random.Random(seed)
    lexicon = any_lexicon(rng)
    names = list(lexicon)
    model = any_model(rng, names, rng.randint(1, 3))
    graph.build(lexicon, PHONES, model, folder / "g.fst", folder / "w.txt")
    table = graph.read_words(folder / "w.txt")
    frames = np.log(np.random.default_rng(seed).dirichlet([0.3] * len(PHONES), rng.randint(4, 9)))
    frames = np.maximum(frames, -30).astype(np.float32)
    ids, cost = best(read_graph(folder / "g.fst"), frames)
    words = [table[i] for i in ids]
    # The path may back off where an n-gram is listed, so it may be cheaper, never dearer.
    assert cost <= cheapest(lexicon, model, frames, words) + 1e-2
    for other in ([rng.choice(names)], rng.choices(names, k=2), rng.choices(names, k=3)):
        assert cost <= cheapest(lexicon, model, frames, other) + 1e-2
