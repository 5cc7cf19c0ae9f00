"""The files of a score: what went wrong in which utterance, for people, Kaldi and sclite."""

import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from cascade.runtime.errors import UserError
from cascade.scoring.align import Rows
from cascade.scoring.cells import Cells, lines_of, rows_of
from cascade.scoring.score import OPERATIONS, Score, uncollected

BUFFER = 1 << 20  # bytes of a file that are written at once
# What sclite reads as its own in trn files; X-SAMPA has phones written so.
SCLITES = str.maketrans("@{}();", "＠｛｝（）；")
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
    names = ((u, f"{who.replace('-', '_')}-{u}") for u, who in speakers.items())
    brackets = {u: f"({name.translate(SCLITES)})\n".encode() for u, name in names}
    for found, unit, suffix in ((words, "words", ""), (phones, "phones", "_phones")):
        tokens = Cells.of(found.names)
        texts[f"per_utt{suffix}"] = _per_utt(found, tokens)
        texts[f"per_spk{suffix}"] = map(str.encode, _per_spk(found, speakers))
        texts[f"ops{suffix}"] = _ops(found, tokens)
        texts[f"confusions_{unit}"] = _confusions(found, tokens)
        spelt = Cells.of([name.translate(SCLITES) for name in found.names])
        texts[f"ref{suffix}.trn"] = _trn(found, spelt, found.refs, brackets)
        texts[f"hyp{suffix}.trn"] = _trn(found, spelt, found.hyps, brackets)
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


def _per_utt(found: Score, tokens: Cells) -> Iterator[bytes]:
    """Four lines an utterance: reference, hypothesis, C S I or D, and their numbers.

    Columns are as wide as the longer token, two spaces between; Kaldi's cjustify puts an
    odd space at the left.
    """
    kinds, r, h, _ = found.table
    lengths = _lengths(found)
    wide = np.maximum(lengths[r], lengths[h])
    columns = [(tokens, side, lengths[side]) for side in (r, h)]
    columns.append((Cells.of("CDIS"), kinds, np.ones_like(kinds)))
    lines = []
    for cells, which, size in columns:
        right = (wide - size) // 2
        shown = cells.padded(which, 2 + wide - size - right, right)
        lines.append(rows_of(shown, found.aligned))
    for (name, counts), ref, hyp, op in zip(found.counts.items(), *lines, strict=True):
        key, csid = name.encode(), b" #csid %d %d %d %d\n" % counts
        parts = (key, b" ref", ref, b"\n", key, b" hyp", hyp, b"\n", key, b" op ", op, b"\n")
        yield b"".join((*parts, key, csid))


def _lengths(found: Score) -> np.ndarray:
    """How many characters each of the score's tokens has."""
    return np.fromiter(map(len, found.names), np.int64, len(found.names))


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


def _ops(found: Score, tokens: Cells) -> Iterator[bytes]:
    """A line a pair: operation, reference, hypothesis, how often; columns as Kaldi aligns them."""
    kinds, r, h, times = found.table
    lengths = _lengths(found)
    wide = min(16, int(np.maximum(lengths[r], lengths[h]).max(initial=0)))
    left, none = np.maximum(wide - lengths, 0), np.zeros_like(r)
    digits = len(str(times.max(initial=0)))
    return lines_of(
        Cells.of([operation.ljust(14) for operation in OPERATIONS]).taken(kinds),
        tokens.padded(r, left[r], none),
        tokens.padded(h, 4 + left[h], none),
        _numbers(times, f"    {{:>{digits}}}\n"),
    )


def _confusions(found: Score, tokens: Cells) -> Iterator[bytes]:
    """A line a substituted pair, most frequent first: how often, reference, hypothesis."""
    _, r, h, times = found.table[:, found.table[0] == SUBSTITUTION]
    blank, end = (Cells.of(text).taken(np.zeros_like(h)) for text in (" ", "\n"))
    return lines_of(_numbers(times, "{} "), tokens.taken(r), blank, tokens.taken(h), end)


def _numbers(numbers: np.ndarray, form: str) -> Cells:
    """Each of ``numbers`` in a cell, as ``form`` writes it."""
    each, places = np.unique(numbers, return_inverse=True)
    return Cells.of([form.format(n) for n in each.tolist()]).taken(places)


def _trn(found: Score, tokens: Cells, rows: Rows, brackets: Mapping[str, bytes]) -> Iterator[bytes]:
    """sclite's form, the tokens and then speaker and utterance in brackets."""
    every = np.arange(len(found.names))
    spaced = tokens.padded(every, np.zeros_like(every), np.ones_like(every))
    for utterance, text in zip(found.counts, rows_of(spaced, rows), strict=True):
        yield text + brackets[utterance]
