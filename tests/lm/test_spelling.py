import math

import kaldi_decoder
import kaldifst
import numpy as np
import pytest

from cascade.config.experiment import Experiment
from cascade.config.layout import Layout
from cascade.config.sections import Decode, LanguageModel
from cascade.decoding.word_search import WordSearch
from cascade.decoding.word_times import Pronunciations
from cascade.lm import graph, ngram, spelling
from cascade.lm.const_fst import read_graph
from cascade.lm.spelling import by_word, ends_word, joined, names, phones_of, pieces_of
from cascade.runtime.errors import UserError
from cascade.runtime.files import write_text, write_text_table

PHONES = ["<blk>", "a", "k", "o", "s", "t", "ts", "x"]
LEXICON = {"кот": "k o t", "ко": "k o", "сок": "s o k", "такса": "t a k s a"}
SETTINGS = Decode(blank_penalty=0.0)
SPELT = ("ток", "тоса", "катака", *LEXICON)  # pieces know more words than the vocabulary has
SHARE = 0.05


def trained(folder, name: str, sentences, order: int) -> ngram.Model:
    text = folder / f"{name}.txt"
    write_text(text, "".join(" ".join(sentence) + "\n" for sentence in sentences))
    ngram.train_ngram(text, LanguageModel(order=order), folder / f"{name}.arpa")
    return ngram.read(folder / f"{name}.arpa")


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """A graph of four words with pieces of them: layout, word model, piece model."""
    layout = Layout(tmp_path_factory.mktemp("exp"), None, None)
    words = trained(layout.root, "words", [["сок", "кот"], ["ко", "такса"], ["кот", "сок"]] * 3, 2)
    sound = dict(zip("атоск", "atosk", strict=True))
    cut = [names([(letter, (sound[letter],)) for letter in word]) for word in SPELT]
    pieces = trained(layout.root, "pieces", cut, 3)
    lexicon = {word: [pron.split()] for word, pron in LEXICON.items()}
    write_text_table(layout.lexicon, {w: prons[0] for w, prons in sorted(lexicon.items())})
    unknown = graph.UnknownWords(pieces, SHARE)
    graph.build(lexicon, PHONES, words, layout.graph, layout.words, unknown)
    return layout, words, pieces


def spoken(frames: str) -> np.ndarray:
    """Log-probabilities (T, phones) of a sure network; ``_`` is the blank."""
    best = [PHONES.index(f) if f != "_" else 0 for f in frames.split()]
    probs = np.full((len(best), len(PHONES)), 1e-9, dtype=np.float32)
    probs[np.arange(len(best)), best] = 1.0
    return np.log(probs)


def path(layout, frames: str, penalty=0.0) -> tuple[list[str], float]:
    """The names of the best path's words and pieces, and its cost in the graph."""
    table = graph.read_words(layout.words)
    options = kaldi_decoder.FasterDecoderOptions(beam=1e4, max_active=10**6)
    fst = read_graph(layout.graph, penalty, table)
    decoder = kaldi_decoder.FasterDecoder(fst, options)
    decoder.decode(kaldi_decoder.DecodableCtc(spoken(frames)))
    success, best = decoder.get_best_path()
    assert success
    _, _, words, weight = kaldifst.get_linear_symbol_sequence(best)
    return [table[i] for i in words], weight.value1


def test_a_name_says_what_a_piece_is():
    piece_names = names([("щ", ("ɕ",)), ("е", ("j", "i")), ("тс", ("ts",))])
    assert piece_names == ["щ+|ɕ", "е+|j.i", "тс|ts"]
    assert [phones_of(name) for name in [*piece_names, "кот"]] == [["ɕ"], ["j", "i"], ["ts"], None]
    assert [ends_word(name) for name in [*piece_names, "кот"]] == [False, False, True, True]


def test_pieces_are_joined_into_words():
    units = ["да", "щ+|ɕ", "и|i", "нет", "а|a", "т+|t", "о+|o"]
    assert joined(units) == ["да", "щи", "нет", "а", "то"]  # the last one is cut off
    assert [places for _, places in by_word(units)] == [[0], [1, 2], [3], [4], [5, 6]]
    assert joined([]) == []


WORDS = """
    цех ts e x|брится b r i ts a|тсар ts a r|ёж j o ʃ|её e j o|ель e lʲ|соль s o lʲ|рать r a tʲ|
    брат b r a t|лор l o r|да d a|рак r a k|бок b o k|бар b a r|сам s a m|дом d o m|рот r o t|
    кора k o r a|сера s e r a|тор t o r|том t o m|тело t e l o|хор x o r|жар ʃ a r|миг m i k
"""  # ts is ц or тс, j o is ё, ь is heard in the letter before it


def test_letters_go_with_their_phones():
    table = {word: phones for word, *phones in map(str.split, WORDS.split("|"))}
    cut = dict(zip(table, pieces_of([*table.items()]), strict=True))
    for word, pieces in cut.items():
        assert "".join(letters for letters, _ in pieces) == word
        assert [phone for _, some in pieces for phone in some] == table[word]
    assert names(cut["брится"]) == ["б+|b", "р+|r", "и+|i", "тс+|ts", "я|a"]
    assert names(cut["её"]) == ["е+|e", "ё|j.o"]
    assert names(cut["соль"]) == ["с+|s", "о+|o", "ль|lʲ"]


def test_a_word_whose_letters_and_phones_do_not_go_together():
    assert [*pieces_of([("да", ["d", "a"]), ("сша", ["s", "e", "ʃ", "e", "a", "t", "a", "k"])])][
        1
    ] == []
    assert [*pieces_of([])] == []


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ("s o k _ k o t", "сок кот"),  # words of the vocabulary stay what they are
        ("t o k", "ток"),
        ("t t _ o _ k k", "ток"),
        ("s o k _ t o s a _ k o t", "сок тоса кот"),
        ("k a t a k a", "катака"),
    ],
)
def test_unknown_words_are_spelt(opened, frames, expected):
    layout, *_ = opened
    table = graph.read_words(layout.words)
    search = WordSearch(layout.graph, SETTINGS, table)
    assert joined(table[i] for i in search(spoken(frames))) == expected.split()
    assert joined(path(layout, frames)[0]) == expected.split()


def least(model, history, units) -> float:
    """log10 of the best way to say pieces: backing off may be cheaper than what is listed."""
    if not units:
        return 0.0
    scores, weight = [], 0.0
    for begin in range(len(history) + 1):
        gram = (*history[begin:], units[0])
        if len(gram) <= model.order and gram in model.grams[len(gram) - 1]:
            after = next(gram[i:] for i in range(4) if gram[i:] in model.backoffs or not gram[i:])
            rest = least(model, after[-(model.order - 1) :], units[1:])
            scores.append(weight + model.grams[len(gram) - 1][gram] + rest)
        weight += model.backoffs.get(history[begin:], 0.0)
    return max(scores)


def test_what_an_unknown_word_costs(opened):
    layout, words, pieces = opened
    units, cost = path(layout, "t o k")
    assert units == ["т+|t", "о+|o", "к|k"]
    log10 = words.backoffs[("<s>",)] + math.log10(SHARE) + words.log10(("</s>",))
    log10 += least(pieces, ("<s>",), units)
    assert cost == pytest.approx(-math.log(10) * log10, abs=1e-3)


def test_a_word_of_pieces_pays_one_penalty(opened):
    layout, *_ = opened
    for frames, count in (("t o k", 1), ("s o k _ t o s a _ k o t", 3)):
        assert path(layout, frames, 1.5)[1] - path(layout, frames)[1] == pytest.approx(1.5 * count)


def test_the_phones_of_a_piece_are_in_its_name(opened):
    look_up = Pronunciations(opened[0].lexicon, PHONES)
    labels = [PHONES.index(phone) + 1 for phone in ("t", "a", "k")]
    assert look_up("та+|t.a") == [labels[:2]]
    assert look_up("кот") == [[PHONES.index(p) + 1 for p in "kot"]]


def test_the_share_of_unknown_words_is_that_of_valid(raw, read, tmp_path):
    raw["datasets"].append({**raw["datasets"][-1], "role": "valid", "name": "x", "isolated": True})
    recipe, layout = read(raw), Layout(tmp_path, None, None)
    valid, lonely = (d for d in recipe.datasets if d.role == "valid")
    write_text_table(layout.text("valid_ru_table", "words"), {"a": ["да", "нет"], "b": ["ток"]})
    assert (valid.name, lonely.name) == ("", "x")
    experiment = Experiment(recipe, layout)
    assert spelling.unknown_share(experiment, {"да": 1, "нет": 1}) == 1.5 / 4
    assert spelling.unknown_share(experiment, {"да": 1, "нет": 1, "ток": 1}) == 0.5 / 4


def test_learning_from_the_words_of_texts(raw, read, tmp_path, caplog):
    layout = Layout(tmp_path, None, None)
    raw["language_model"] = {"open": True}
    recipe = read(raw)
    texts = 1 + len(recipe.languages[recipe.target].texts)
    for source in range(texts):
        write_text(layout.sentences(source), "сок кот\nко\n" if source == 0 else "")
    write_text_table(layout.lexicon, {w: p.split() for w, p in sorted(LEXICON.items())})
    with caplog.at_level("INFO", "cascade"):
        spelling.train_spelling_model(Experiment(recipe, layout))
    assert "spelling: 3 of 3 words" in caplog.text  # no text has "такса"
    lines = layout.spelling_text.read_text(encoding="utf-8").splitlines()
    assert sorted(joined(line.split())[0] for line in lines) == ["ко", "кот", "сок"]
    assert ("о+|o",) in ngram.read(layout.spelling_arpa).grams[0]


def test_letters_that_mark_pieces(raw, read):
    raw["language_model"] = {"open": True}
    raw["languages"]["ru"]["letters"] += "+"
    with pytest.raises(UserError, match="'\\+' and '\\|' mark pieces"):
        read(raw)
