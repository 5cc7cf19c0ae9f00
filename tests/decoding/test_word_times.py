import pytest

from cascade.decoding.word_times import Pronunciations, read_ctm, spans, write_ctm
from cascade.runtime.errors import UserError
from cascade.runtime.files import write_text

PHONES = ["<blk>", "a", "k", "o", "t"]  # labels 1 to 5
LEXICON = "а a\nак a k\nко k o\nкот k o t\nкот k a t\nото o t o\n"


@pytest.fixture
def look_up(tmp_path):
    write_text(tmp_path / "lexicon.txt", LEXICON)
    return Pronunciations(tmp_path / "lexicon.txt", PHONES)


def test_every_word_is_looked_up(look_up):
    for word in {line.split()[0] for line in LEXICON.splitlines()}:
        lines = [line.split()[1:] for line in LEXICON.splitlines() if line.split()[0] == word]
        assert look_up(word) == [[PHONES.index(p) + 1 for p in line] for line in lines]
    for word in ("", "0", "ако", "кита", "яма"):
        assert look_up(word) == []


def labels(text: str) -> list[int]:
    return [1 if c == "_" else PHONES.index(c) + 1 for c in text]


@pytest.mark.parametrize(
    ("frames", "words", "expected"),
    [
        ("__k_oo__k_at_", "ко кот", [(2, 6), (8, 12)]),
        ("kkoott", "кот", [(0, 6)]),
        ("ak_kot", "ак кот", [(0, 2), (3, 6)]),  # the same phone at the end and the beginning
        ("kooto", "ко", [(0, 3)]),  # what is after the words is no word yet
        ("ako", "а кот", [(0, 1), (1, 3)]),  # the last word is cut off
        ("koto", "кот ото", [(0, 3), (3, 4)]),
        ("", "", []),
    ],
)
def test_where_words_begin_and_end(look_up, frames, words, expected):
    assert spans(labels(frames), words.split(), look_up) == expected


def test_pronunciations_that_are_each_others_beginning(tmp_path):
    write_text(tmp_path / "lexicon.txt", "да a k\nда a k o\nот o t\nт t\n")
    look_up = Pronunciations(tmp_path / "lexicon.txt", PHONES)
    assert spans(labels("akot"), ["да", "от"], look_up) == [(0, 2), (2, 4)]
    assert spans(labels("akot"), ["да", "т"], look_up) == [(0, 3), (3, 4)]


def test_words_that_are_not_on_the_path(look_up):
    with pytest.raises(UserError, match="does not spell 'ак'"):
        spans(labels("ko"), ["ак"], look_up)


def test_a_ctm_is_as_sclite_reads_it_and_is_read_again(tmp_path):
    table = {"b-1": [("кот", 0.03, 0.12, 0.98765), ("ко", 0.3, 0.03, 1.0)], "c": []}
    path = tmp_path / "words.ctm"
    write_ctm(path, table)
    assert path.read_text() == "b-1 1 0.03 0.12 кот 0.9877\nb-1 1 0.30 0.03 ко 1.0000\n"
    assert read_ctm(path) == {"b-1": [("кот", 0.03, 0.12, 0.9877), ("ко", 0.3, 0.03, 1.0)]}
    write_text(path, "b-1 1 0.03 кот\n")
    with pytest.raises(UserError, match="line 1: it does not have the six fields"):
        read_ctm(path)


def test_a_damaged_lexicon_is_refused(tmp_path):
    (tmp_path / "lexicon.txt").write_text("")
    with pytest.raises(UserError, match="has no pronunciations: it is damaged"):
        Pronunciations(tmp_path / "lexicon.txt", ["<blk>", "a"])
    (tmp_path / "lexicon.txt").write_text("да d a\n")
    with pytest.raises(UserError, match="has the phone 'd', which the network lacks"):
        Pronunciations(tmp_path / "lexicon.txt", ["<blk>", "a"])("да")
