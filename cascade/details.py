"""The files of a score: what went wrong in which utterance, for people, Kaldi and sclite."""

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from cascade.align import Rows
from cascade.errors import UserError
from cascade.score import OPERATIONS, Score, uncollected

BLOCK = 4_000_000  # bytes of text made at a time
BUFFER = 1 << 20  # bytes of a file that are written at once
WIDE = 16  # bytes of a cell that are more work to fill up than to join
FILL = b"\xff"
SUBSTITUTION = OPERATIONS.index("substitution")


@uncollected()
def write_details(
    folder: Path,
    words: Score,
    phones: Score,
    speakers: Mapping[str, str],
    extra: Mapping[str, str] | None = None,
) -> None:
    """Writes everything about one test of one system, in place of ``folder``.

    ``wer`` and ``per``, as Kaldi's compute-wer prints them; for words, and with ``_phones``
    for phones: ``per_utt``, ``per_spk`` and ``ops`` as Kaldi's wer_details has them,
    ``confusions_words`` and ``confusions_phones``, ``ref.trn`` and ``hyp.trn``
    (``sclite -r ref.trn trn -h hyp.trn trn -i spu_id -s -e utf-8``).
    ``speakers`` gives the speaker of each utterance; ``extra`` is more files, name to text.
    """
    lost = (words.counts.keys() | phones.counts.keys()) - speakers.keys()
    if lost:
        raise UserError(
            f"Nothing says who speaks in '{min(lost)}'. Run stage 0 again with --force."
        )
    texts: dict[str, Iterable[bytes]] = {
        "wer": [_rates("WER", words).encode()],
        "per": [_rates("PER", phones).encode()],
        **{name: [text.encode()] for name, text in (extra or {}).items()},
    }
    # sclite takes the speaker to end at the first `-`.
    brackets = {u: f"({who.replace('-', '_')}-{u})\n".encode() for u, who in speakers.items()}
    for found, unit, suffix in ((words, "words", ""), (phones, "phones", "_phones")):
        texts[f"per_utt{suffix}"] = _per_utt(found)
        texts[f"per_spk{suffix}"] = map(str.encode, _per_spk(found, speakers))
        texts[f"ops{suffix}"] = _ops(found)
        texts[f"confusions_{unit}"] = _confusions(found)
        texts[f"ref{suffix}.trn"] = _trn(found, found.refs, brackets)
        texts[f"hyp{suffix}.trn"] = _trn(found, found.hyps, brackets)
    beside, old = (folder.with_name(f".{folder.name}.{end}") for end in ("partial", "old"))
    for leftover in (beside, old):
        shutil.rmtree(leftover, ignore_errors=True)
    beside.mkdir(parents=True)
    for name, text in texts.items():
        with (beside / name).open("wb", BUFFER) as file:
            file.writelines(text)
    if folder.exists():
        folder.rename(old)
    beside.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _rates(name: str, found: Score) -> str:
    """What Kaldi's compute-wer prints; ``name`` is WER or PER."""
    wrong = int(found.numbers[:, 1:].any(axis=1).sum())
    counts = f"{found.ins} ins, {found.dele} del, {found.sub} sub"
    end = " [PARTIAL]" if found.partial else ""
    rate, sentences = _rate(found.errors, found.total), len(found.counts)
    return (
        f"%{name} {rate} [ {found.errors} / {found.total}, {counts} ]{end}\n"
        f"%SER {_rate(wrong, sentences)} [ {wrong} / {sentences} ]\n"
        f"Scored {sentences} sentences, {len(found.partial)} not present in hyp.\n"
    )


def _rate(count: int, total: int) -> str:
    return f"{100 * count / total:.2f}" if total else "n/a"


def _per_utt(found: Score) -> Iterator[bytes]:
    """Four lines an utterance: reference, hypothesis, C S I or D, and their numbers.

    Columns are as wide as the longer token, two spaces between; Kaldi's cjustify puts an
    odd space at the left.
    """
    kinds, r, h, _ = found.table
    lengths = np.fromiter(map(len, found.names), np.int64, len(found.names))
    wide = np.maximum(lengths[r], lengths[h])
    columns = [_column(found.names, lengths, side, wide) for side in (r, h)]
    columns.append(_column("CDIS", np.ones(4, dtype=int), kinds, wide))
    lines = (
        _joined(cells, places[found.aligned.values], found.aligned) for cells, places in columns
    )
    for (name, counts), ref, hyp, op in zip(found.counts.items(), *lines, strict=True):
        key, csid = name.encode(), b" #csid %d %d %d %d\n" % counts
        parts = (key, b" ref", ref, b"\n", key, b" hyp", hyp, b"\n", key, b" op ", op, b"\n")
        yield b"".join((*parts, key, csid))


def _column(
    tokens: Sequence[str], lengths: np.ndarray, chosen: np.ndarray, wide: np.ndarray
) -> tuple[list[str], np.ndarray]:
    """``tokens[chosen]``, each in the middle of ``wide`` characters, two spaces before it.

    Returns the distinct cells, and where among them each of the chosen is.
    """
    widest = int(wide.max(initial=0)) + 1
    codes = chosen * widest + wide
    there = np.zeros(len(tokens) * widest, dtype=bool)
    there[codes] = True
    cells, places = np.flatnonzero(there), (np.cumsum(there) - 1)[codes]
    token, wide = np.divmod(cells, widest)
    left = (2 + wide - (wide - lengths[token]) // 2).tolist()
    parts = zip(token.tolist(), left, (2 + wide).tolist(), strict=True)
    return [tokens[i].rjust(end).ljust(full) for i, end, full in parts], places


def _joined(cells: Sequence[str], values: np.ndarray, rows: Rows) -> Iterator[bytes]:
    """For each of ``rows``, the cells that ``values`` names there, one after another.

    Short cells are filled up to one width with a byte that UTF-8 never has; so many of them
    are looked up in one step, and the filling is taken out again. Long ones stay apart.
    """
    coded = [cell.encode() for cell in cells]
    sizes = np.fromiter(map(len, coded), np.int64, len(coded))
    width = max(1, int(sizes.max(initial=1)))
    if wide := width > WIDE:
        table = np.array(coded, dtype=object)
    else:
        table = np.frombuffer(b"".join(c.ljust(width, FILL) for c in coded), dtype=f"V{width}")
    ends = np.concatenate([[0], np.cumsum(rows.lengths)])
    first, last = 0, len(rows.lengths)
    while first < last:
        start = ends[first]
        after = max(first + 1, int(np.searchsorted(ends, start + BLOCK // width, "right")) - 1)
        here = values[start : ends[after]]
        found = table[here]
        text = b"".join(found.tolist()) if wide else found.tobytes().translate(None, FILL)
        bounds = np.concatenate([[0], np.cumsum(sizes[here])])[ends[first : after + 1] - start]
        places = bounds.tolist()
        for begin, end in pairwise(places):
            yield text[begin:end]
        first = after


def _per_spk(found: Score, speakers: Mapping[str, str]) -> Iterator[str]:
    """A line of numbers and a line of per cents for each speaker, and for all."""
    names = sorted({speakers[utterance] for utterance in found.counts})
    place = {name: i for i, name in enumerate(names)}
    sums = np.zeros((len(names), 8), dtype=int)
    c, s, i, d = found.numbers.T
    each = np.stack([c * 0 + 1, c + s + d, c, s, i, d, s + i + d, s + i + d > 0], axis=1)
    of = [place[speakers[utterance]] for utterance in found.counts]
    np.add.at(sums, np.array(of, dtype=np.int64), each)
    wide = max([15, *map(len, names)])
    heads = ("#SENT", "#WORD", "Corr", "Sub", "Ins", "Del", "Err", "S.Err")
    yield f"{'SPEAKER':<{wide}} id  {' '.join(f'{head:>10}' for head in heads)}\n"
    rows = [*zip(names, sums.tolist(), strict=True), ("SUM", sums.sum(axis=0).tolist())]
    for name, (sentences, tokens, *counts) in rows:
        numbers = (sentences, tokens, *counts)
        yield f"{name:<{wide}} raw {' '.join(f'{n:>10}' for n in numbers)}\n"
        if tokens:
            by = [tokens] * 5 + [sentences]
            rates = " ".join(f"{100 * n / all_:>10.2f}" for n, all_ in zip(counts, by, strict=True))
            yield f"{name:<{wide}} sys {sentences:>10} {tokens:>10} {rates}\n"


def _ops(found: Score) -> Iterator[bytes]:
    """A line a pair: operation, reference, hypothesis, how often; columns as Kaldi aligns them."""
    kinds, r, h, times = found.table
    lengths = np.fromiter(map(len, found.names), np.int64, len(found.names))
    wide = min(16, int(np.maximum(lengths[r], lengths[h]).max(initial=0)))
    names = [name.rjust(wide) for name in found.names]
    each, places = np.unique(times, return_inverse=True)
    digits = len(str(each.max(initial=0)))
    return _lines(
        ([operation.ljust(14) for operation in OPERATIONS], kinds),
        (names, r),
        ([f"    {name}" for name in names], h),
        ([f"    {n:>{digits}}\n" for n in each.tolist()], places),
    )


def _confusions(found: Score) -> Iterator[bytes]:
    """A line a substituted pair, most frequent first: how often, reference, hypothesis."""
    _, r, h, times = found.table[:, found.table[0] == SUBSTITUTION]
    each, places = np.unique(times, return_inverse=True)
    return _lines(
        ([f"{n} " for n in each.tolist()], places),
        ([f"{name} " for name in found.names], r),
        ([f"{name}\n" for name in found.names], h),
    )


def _lines(*columns: tuple[Sequence[str], np.ndarray]) -> Iterator[bytes]:
    """The lines of a table, some hundreds at a time; a column is its cells, and which in each."""
    before = np.cumsum([0, *(len(cells) for cells, _ in columns)])
    values = np.stack([p + n for (_, p), n in zip(columns, before, strict=False)], axis=1).ravel()
    pieces = np.diff(np.append(np.arange(0, len(values), 4096), len(values)))
    return _joined([c for cells, _ in columns for c in cells], values, Rows(values, pieces))


def _trn(found: Score, rows: Rows, brackets: Mapping[str, bytes]) -> Iterator[bytes]:
    """sclite's form, the tokens and then speaker and utterance in brackets."""
    texts = _joined([f"{name} " for name in found.names], rows.values, rows)
    for utterance, text in zip(found.counts, texts, strict=True):
        yield text + brackets[utterance]
