"""The files of a score: what went wrong in which utterance, for people, Kaldi and sclite."""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from cascade.errors import UserError
from cascade.score import EPS, Score, Tokens


def write_details(
    folder: Path,
    words: Score,
    phones: Score,
    speakers: Mapping[str, str],
    extra: Mapping[str, str] | None = None,
) -> None:
    """Writes everything about one test of one system, in place of ``folder``.

    ``wer`` (Kaldi's lines); for words, and with ``_phones`` for phones: ``per_utt``,
    ``per_spk``, ``ops``, ``confusions_words`` and ``confusions_phones``, ``ref.trn`` and
    ``hyp.trn`` (``sclite -r ref.trn trn -h hyp.trn trn -i spu_id -s -e utf-8``).
    ``speakers`` gives the speaker of each utterance; ``extra`` is more files, name to text.
    """
    lost = next((u for u in words.ref.keys() | phones.ref.keys() if u not in speakers), None)
    if lost is not None:
        raise UserError(f"Nothing says who speaks in '{lost}'. Run stage 0 again with --force.")
    texts = {"wer": _wer_line("WER", words) + _wer_line("PER", phones), **(extra or {})}
    for found, unit, suffix in ((words, "words", ""), (phones, "phones", "_phones")):
        texts[f"per_utt{suffix}"] = "".join(_per_utt(found))
        texts[f"per_spk{suffix}"] = "".join(_per_spk(found, speakers))
        texts[f"ops{suffix}"] = "".join(f"{op:<12} {r} {h} {n}\n" for op, r, h, n in found.ops)
        texts[f"confusions_{unit}"] = "".join(
            f"{n} {r} {h}\n" for op, r, h, n in found.ops if op == "substitution"
        )
        texts[f"ref{suffix}.trn"] = "".join(_trn(found.ref, speakers))
        texts[f"hyp{suffix}.trn"] = "".join(_trn(found.hyp, speakers))
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


def _wer_line(name: str, found: Score) -> str:
    rate = f"{100 * found.errors / found.total:.2f}" if found.total else "n/a"
    counts = f"{found.ins} ins, {found.dele} del, {found.sub} sub"
    end = " [PARTIAL]" if found.partial else ""
    return f"%{name} {rate} [ {found.errors} / {found.total}, {counts} ]{end}\n"


def _per_utt(found: Score) -> Iterator[str]:
    """Four lines an utterance: reference, hypothesis, C S I or D, and their numbers."""
    every = np.concatenate([np.zeros(0, int), *found.codes.values()])
    distinct = np.unique(every)
    cells = np.empty((3, len(distinct)), dtype=object)
    for column, code in enumerate(distinct.tolist()):
        ref, hyp = found.pair(code)
        op = "C" if ref == hyp else "D" if hyp == EPS else "I" if ref == EPS else "S"
        wide = max(len(ref), len(hyp)) + 2
        cells[:, column] = ref.center(wide), hyp.center(wide), op.center(wide)
    at = np.searchsorted(distinct, every)
    refs, hyps, ops = (row[at].tolist() for row in cells)
    start = 0
    for utterance, codes in found.codes.items():
        end = start + len(codes)
        yield f"{utterance} ref {''.join(refs[start:end])}".rstrip() + "\n"
        yield f"{utterance} hyp {''.join(hyps[start:end])}".rstrip() + "\n"
        yield f"{utterance} op  {''.join(ops[start:end])}".rstrip() + "\n"
        yield f"{utterance} #csid {' '.join(map(str, found.counts[utterance]))}\n"
        start = end


def _per_spk(found: Score, speakers: Mapping[str, str]) -> Iterator[str]:
    """Kaldi's table: a line of numbers and a line of per cents for each speaker and for all."""
    names = ("#SENT", "#TOKENS", "Corr", "Sub", "Ins", "Del", "Err", "S.Err")
    sums: dict[str, np.ndarray] = {s: np.zeros(8, int) for s in sorted(set(speakers.values()))}
    for utterance, (c, s, i, d) in found.counts.items():
        sums[speakers[utterance]] += (1, c + s + d, c, s, i, d, s + i + d, s + i + d > 0)
    sums = {speaker: row for speaker, row in sums.items() if row[0]}
    total = sum(sums.values(), np.zeros(8, int))
    wide = max(len("SPEAKER"), *map(len, sums)) if sums else len("SPEAKER")
    yield f"{'SPEAKER':<{wide}} id  {''.join(f'{name:>10}' for name in names)}\n"
    for speaker, row in (*sums.items(), ("SUM", total)):
        yield f"{speaker:<{wide}} raw {''.join(f'{n:>10}' for n in row)}\n"
        by = [max(1, row[1])] * 5 + [max(1, row[0])]
        rates = "".join(f"{100 * n / all_:>10.2f}" for n, all_ in zip(row[2:], by, strict=True))
        yield f"{speaker:<{wide}} sys {row[0]:>10}{row[1]:>10}{rates}\n"


def _trn(tokens: Tokens, speakers: Mapping[str, str]) -> Iterator[str]:
    """sclite's form; it takes the speaker to end at the first ``-`` of the brackets."""
    for utterance, words in tokens.items():
        name = f"({speakers[utterance].replace('-', '_')}-{utterance})"
        yield " ".join((*words, name)) + "\n"
