import kaldifst
import numpy as np
import pytest

from cascade.lm.const_fst import ARC, STATE, read_graph, write_graph
from cascade.runtime.errors import UserError


@pytest.fixture
def path(tmp_path):
    """A graph of two states: phone 2 as word 1, and phone 3 as word 2, a piece inside a word."""
    states = np.zeros(2, STATE)
    states["arcs"], states["first"], states["final"] = (2, 0), (0, 2), (np.inf, 0.5)
    arcs = np.array([(2, 1, 0.25, 1), (3, 2, 0.75, 1)], ARC)
    write_graph(tmp_path / "graph.fst", states, arcs, 0)
    return tmp_path / "graph.fst"


def arcs(fst) -> list[tuple[int, int, float, int]]:
    return [
        (arc.ilabel, arc.olabel, arc.weight.value, arc.nextstate)
        for arc in kaldifst.ArcIterator(fst, 0)
    ]


def test_openfst_reads_what_is_written(path):
    fst = read_graph(path)
    assert fst.start == 0 and arcs(fst) == [(2, 1, 0.25, 1), (3, 2, 0.75, 1)]
    assert fst.final(1).value == 0.5


def test_a_penalty_is_the_words_alone(path):
    before = path.read_bytes()
    assert [cost for *_, cost, _ in arcs(read_graph(path, 1.5))] == [1.75, 2.25]
    names = ["<eps>", "да", "щ+|ɕ"]
    assert [cost for *_, cost, _ in arcs(read_graph(path, 1.5, names))] == [1.75, 0.75]
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["graph.fst"]


@pytest.mark.parametrize("penalty", [0.0, 1.0])
@pytest.mark.parametrize("content", [None, b"", b"no graph", "short"])
def test_a_file_that_is_not_a_graph(path, penalty, content):
    if content is None:
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-16] if content == "short" else content)
    with pytest.raises(UserError, match=r"graph.fst is missing or not a decoding graph.*stage 1"):
        read_graph(path, penalty)


def test_a_full_disk_is_said(path):
    with pytest.raises(UserError, match=r"/dev/full cannot be written: .*Free some disk space"):
        write_graph(type(path)("/dev/full"), np.zeros(9999, STATE), np.zeros(9999, ARC), 0)
