"""The files of a score: what went wrong in which utterance, for people, Kaldi and sclite."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from cascade.runtime.errors import UserError
from cascade.scoring.score import Score

# What sclite reads as its own in trn files; X-SAMPA has phones written so.
SCLITES = str.maketrans("@{}();", "＠｛｝（）；")


def write_details(
    folder: Path,
    words: Score,
    phones: Score | None,
    speakers: Mapping[str, str],
    extra: Mapping[str, str] | None = None,
) -> None:
    """Write everything about one test of one system, in place of ``folder``.

    ``wer`` and ``per``, as Kaldi's compute-wer prints them; for words, and with ``_phones``
    for phones: ``per_utt``, ``per_spk`` and ``ops`` as Kaldi's wer_details has them,
    ``confusions_words`` and ``confusions_phones``, ``ref.trn`` and ``hyp.trn``
    (``sclite -r ref.trn trn -h hyp.trn trn -i spu_id -s -e utf-8``). ``phones`` is None where
    only words were recognised. ``speakers`` gives the speaker of each utterance; ``extra`` is more
    files, name to text.
    """
    scores = [(words, "words", "", ("wer", "WER"))]
    scores += [(phones, "phones", "_phones", ("per", "PER"))] if phones else []
    without_speaker = {u for score, *_ in scores for u in score.counts} - speakers.keys()
    if without_speaker:
        raise UserError(f"'{min(without_speaker)}' has no speaker. Run stage 0 again with --force.")
    texts = dict(extra or {})
    for score, unit, suffix, (file, rate) in scores:
        texts[file] = _rates(rate, score)
        texts[f"per_utt{suffix}"] = "".join(_per_utt(score))
        texts[f"per_spk{suffix}"] = "".join(_per_spk(score, speakers))
        texts[f"ops{suffix}"] = "".join(_ops(score))
        texts[f"confusions_{unit}"] = "".join(_confusions(score))
        texts[f"ref{suffix}.trn"] = "".join(_trn(score.ref, speakers))
        texts[f"hyp{suffix}.trn"] = "".join(_trn(score.hyp, speakers))
    beside, old = (folder.with_name(f".{folder.name}.{end}") for end in ("partial", "old"))
    for leftover in (beside, old):
        shutil.rmtree(leftover, ignore_errors=True)
    beside.mkdir(parents=True)
    for name, text in texts.items():
        (beside / name).write_text(text, encoding="utf-8", newline="\n")
    if folder.exists():
        folder.rename(old)
    beside.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _rates(name: str, score: Score) -> str:
    """Return what Kaldi's compute-wer prints; ``name`` is WER or PER."""
    wrong = int(score.numbers[:, 1:].any(axis=1).sum())
    counts = f"{score.ins} ins, {score.dele} del, {score.sub} sub"
    end = " [PARTIAL]" if score.partial else ""
    rate, sentences = _rate(score.errors, score.total), len(score.counts)
    return (
        f"%{name} {rate} [ {score.errors} / {score.total}, {counts} ]{end}\n"
        f"%SER {_rate(wrong, sentences)} [ {wrong} / {sentences} ]\n"
        f"Scored {sentences} sentences, {len(score.partial)} not present in hyp.\n"
    )


def _rate(count: int, total: int) -> str:
    return f"{100 * count / total:.2f}" if total else "n/a"


def _per_utt(score: Score) -> Iterator[str]:
    """Yield four lines an utterance: reference, hypothesis, C S I or D, and their numbers.

    Columns are as wide as the longer token, with two spaces between them.
    """
    columns: list[list[str]] = [[], [], []]  # cells by line, then by index into ``ops``
    for operation, ref, hyp, _ in score.ops:
        width = max(len(ref), len(hyp))
        for column, cell in zip(columns, (ref, hyp, operation[0].upper()), strict=True):
            column.append(f"  {_centred(cell, width)}")
    for utterance, alignment in score.alignments.items():
        ref, hyp, op = ("".join([column[i] for i in alignment]) for column in columns)
        csid = " ".join(map(str, score.counts[utterance]))
        yield (
            f"{utterance} ref{ref}\n{utterance} hyp{hyp}\n{utterance} op {op}\n"
            f"{utterance} #csid {csid}\n"
        )


def _centred(text: str, width: int) -> str:
    """Centre as Kaldi's cjustify does: an odd space is at the left."""
    right = (width - len(text)) // 2
    return f"{text}{' ' * right}".rjust(width)


def _per_spk(score: Score, speakers: Mapping[str, str]) -> Iterator[str]:
    """Yield a line of numbers and a line of per cents for each speaker, and for all."""
    names = sorted({speakers[utterance] for utterance in score.counts})
    place = {name: i for i, name in enumerate(names)}
    sums = np.zeros((len(names), 8), dtype=int)
    c, s, i, d = score.numbers.T
    each = np.stack([c * 0 + 1, c + s + d, c, s, i, d, s + i + d, s + i + d > 0], axis=1)
    of = [place[speakers[utterance]] for utterance in score.counts]
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


def _ops(score: Score) -> Iterator[str]:
    """Yield a line a pair: operation, reference, hypothesis, how often; columns as Kaldi's."""
    width = min(16, max((len(token) for _, *pair, _ in score.ops for token in pair), default=0))
    digits = len(str(max((times for *_, times in score.ops), default=0)))
    for operation, ref, hyp, times in score.ops:
        yield f"{operation:<14}{ref:>{width}}    {hyp:>{width}}    {times:>{digits}}\n"


def _confusions(score: Score) -> Iterator[str]:
    """Yield a line a substituted pair, most frequent first: how often, reference, hypothesis."""
    for operation, ref, hyp, times in score.ops:
        if operation == "substitution":
            yield f"{times} {ref} {hyp}\n"


def _trn(texts: Mapping[str, Sequence[str]], speakers: Mapping[str, str]) -> Iterator[str]:
    """Yield sclite's lines: the tokens, then speaker and utterance in brackets.

    sclite takes the speaker to end at the first ``-``.
    """
    spelled = {t: t.translate(SCLITES) for t in set(chain.from_iterable(texts.values()))}
    for utterance, tokens in texts.items():
        name = f"{speakers[utterance].replace('-', '_')}-{utterance}".translate(SCLITES)
        yield " ".join([*map(spelled.__getitem__, tokens), f"({name})\n"])
