"""Files of decoding graphs: OpenFst's ConstFst, written from arrays and read by kaldifst.

kaldifst adds one arc a call, which takes as long as all the rest of the work (half a minute for
the 13 million arcs of a large vocabulary). Arrays of states and arcs are the content of the file
as they are.
"""

import os
import struct
from bisect import bisect
from collections.abc import Sequence
from pathlib import Path

import kaldifst
import numpy as np

from cascade.lm import spelling
from cascade.runtime.errors import UserError
from cascade.runtime.files import replacing_path

ANYWHERE = 1e4  # the cost of an end within a word, more than any path differs from another
HEADER = 65  # bytes before the first state
# Magic number, type of FST, type of arcs, version, no flags; the only property that is claimed.
KIND = struct.pack("<ii5si8s", 2125659606, 5, b"const", 8, b"standard") + struct.pack(
    "<iiQ", 2, 0, 1
)
ARC = np.dtype([("input", "<i4"), ("output", "<i4"), ("cost", "<f4"), ("target", "<i4")])
STATE = np.dtype(
    [("final", "<f4"), ("first", "<u4"), ("arcs", "<u4"), ("in_eps", "<u4"), ("out_eps", "<u4")]
)


def write_graph(path: Path, states: np.ndarray, arcs: np.ndarray, start: int) -> None:
    """Write a ConstFst, version 2 (fst/const-fst.h, fst/fst.h).

    ``states`` (S,) are of type ``STATE``, ``arcs`` (A,) of type ``ARC`` and in the order of their
    states, ``start`` is the start state. Raises `UserError` where the disk is full.
    """
    header = KIND + struct.pack("<qqq", start, len(states), len(arcs))
    assert len(header) == HEADER
    try:
        with path.open("wb") as stream:
            stream.write(header)
            states.tofile(stream)
            arcs.tofile(stream)
    except OSError as error:
        raise UserError(
            f"{path} cannot be written: {error.strerror or error}. Free some disk space and run"
            " again."
        ) from None


def read_graph(
    path: Path, word_penalty: float = 0.0, names: Sequence[str] = (), scale: float | None = None
) -> kaldifst.StdConstFst:
    """Read a graph, with ``word_penalty`` added to the cost of every word.

    ``names`` is its table of words: a piece inside a word pays no penalty. ``scale`` is that of a
    graph which `scale_graph` changed; this undoes it. Raises `UserError` for a file that is not
    such a graph.
    """
    graph = None
    if path.is_file() and word_penalty == 0 and scale is None:
        graph = kaldifst.StdConstFst.read(str(path))
    elif path.is_file():
        content = np.fromfile(path, np.uint8)
        if (table := _arcs(content)) is not None:
            _add_penalty(table, word_penalty, names)
            if scale is not None:
                ends = _states(content, table)["final"]
                ends[ends >= ANYWHERE] = np.inf
                ends /= np.float32(scale)
                table["cost"] /= np.float32(scale)
            # In memory: the folder may be read-only, or on a slow disk.
            with open(os.memfd_create("graph"), "wb") as changed:
                content.tofile(changed)
                changed.flush()
                graph = kaldifst.StdConstFst.read(f"/proc/self/fd/{changed.fileno()}")
    if graph is None:
        raise UserError(f"{path} is missing or not a decoding graph. Run stage 1 again.")
    return graph


def scale_graph(path: Path, scale: float) -> None:
    """Multiply the costs in a file by ``scale``, and let an utterance end within a word.

    This is for programs that give no result for such an utterance: it costs ``ANYWHERE`` more.
    """
    content = np.fromfile(path, np.uint8)
    table = _arcs(content)
    assert table is not None, path
    table["cost"] *= np.float32(scale)
    ends = _states(content, table)["final"]
    ends *= np.float32(scale)
    ends[np.isinf(ends)] = ANYWHERE
    with replacing_path(path) as temporary:
        content.tofile(temporary)


def add_word_penalty(path: Path, word_penalty: float, names: Sequence[str] = ()) -> None:
    """Add ``word_penalty`` to the cost of every word in a file, as `read_graph` does in memory."""
    content = np.fromfile(path, np.uint8)
    table = _arcs(content)
    assert table is not None, path
    _add_penalty(table, word_penalty, names)
    with replacing_path(path) as temporary:
        content.tofile(temporary)


def _add_penalty(table: np.ndarray, word_penalty: float, names: Sequence[str]) -> None:
    """Add ``word_penalty`` to the costs of words in the arcs (A,)."""
    ends = bisect(names, False, key=lambda name: not spelling.ends_word(name))
    inside = table["output"] >= (ends or np.inf)
    table["cost"][(table["output"] != 0) & ~inside] += np.float32(word_penalty)


def check_graph(path: Path, phones: int, words: int) -> str | None:
    """Return what is wrong with a graph from elsewhere, None if nothing is.

    It may have labels of ``phones`` network outputs and of a table of ``words``. A search trusts
    the numbers in the file: wrong ones would let it read memory that is not the graph's.
    """
    size = path.stat().st_size
    content = np.memmap(path, np.uint8, "r") if size else np.zeros(0, np.uint8)
    arcs = _arcs(content)
    if arcs is None or not len(arcs) or content[: len(KIND)].tobytes() != KIND:
        return "it is not a decoding graph"
    (start,) = struct.unpack_from("<q", content.data, HEADER - 24)
    states = _states(content, arcs)
    last = states["first"].astype(np.int64) + states["arcs"]
    if not 0 <= start < len(states) or last.max() > len(arcs):
        return "it has states beyond its end"
    for name, most in (("target", len(states)), ("input", phones + 1), ("output", words)):
        numbers = arcs[name]
        if numbers.min() < 0 or numbers.max() >= most:
            return f"it has arcs with the {name} {numbers.max()} of {most}"
    return None


def change_inputs(path: Path, labels: np.ndarray) -> None:
    """Replace every input label i of a graph by ``labels[i]``; ``labels`` is (L,)."""
    content = np.fromfile(path, np.uint8)
    table = _arcs(content)
    assert table is not None, path
    table["input"] = labels[table["input"]]
    with replacing_path(path) as temporary:
        content.tofile(temporary)


def _arcs(content: np.ndarray) -> np.ndarray | None:
    """Return the arcs (A,) in the bytes (B,) of a file, None where it is not a ConstFst."""
    if len(content) < HEADER:
        return None
    states, arcs = struct.unpack_from("<qq", content.data, HEADER - 16)
    if (
        min(states, arcs) < 0
        or len(content) != HEADER + states * STATE.itemsize + arcs * ARC.itemsize
    ):
        return None
    return content[HEADER + states * STATE.itemsize :].view(ARC)


def _states(content: np.ndarray, arcs: np.ndarray) -> np.ndarray:
    """Return the states (S,) in the bytes (B,) of a file."""
    return content[HEADER : len(content) - arcs.nbytes].view(STATE)
