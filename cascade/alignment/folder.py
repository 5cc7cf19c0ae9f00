"""The command `align`: reads a folder of speech with its text, writes the times of its words."""

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from cascade.alignment import formats
from cascade.alignment.aligner import AlignedUtterance, Aligner
from cascade.alignment.pronouncing import Pronouncer
from cascade.bundle.reader import Bundle
from cascade.corpora.corpus import Excluded
from cascade.data.labelled import (
    NAMED,
    labelled_utterances,
    left_out_lines,
    printable,
    rules_of,
)
from cascade.data.utterance_checks import CheckedUtterance
from cascade.runtime import workers
from cascade.runtime.errors import UserError
from cascade.runtime.files import replacing, write_text
from cascade.runtime.progress import meter
from cascade.text.phones import read_phones

log = logging.getLogger("cascade")
FORMATS = ("textgrid", "ctm", "json")
TABLE = "utterances.tsv"
Row = tuple[str, ...]


@dataclass(frozen=True)
class Request:
    """What is to be aligned, and how.

    Attributes:
        where: A folder or file of speech with its text, or a corpus that is fetched.
        out: The folder of the results.
        kinds: Some of ``FORMATS``.
        lexicon: The user's lexicon file, None if there is none.
        channel: The channel of all recordings, None for the one that the corpus names.
        least: The score below which a text does not fit.
        jobs: Processes at once.
        force: Whether files that are there already are replaced.
    """

    where: str
    out: Path
    kinds: Sequence[str]
    lexicon: Path | None
    channel: int | None
    least: float
    jobs: int
    force: bool


def align_folder(bundle: Bundle, request: Request) -> str:
    """Align all utterances of a folder; return a summary to print.

    Raises `UserError` if nothing can be read or aligned, if a result would replace a file, and
    for a bundle whose files do not go together.
    """
    manifest = bundle.manifest
    rules = rules_of(manifest.rule, manifest.features.rate, manifest.limits, request.channel)
    items, left_out = labelled_utterances(request.where, manifest.language, rules, request.jobs)
    count = len(items) + len(left_out)
    items.sort(key=lambda item: os.path.abspath(item.audio))  # all of a recording together
    names = _names(items, Path(request.where))
    _check_free(request, list(dict.fromkeys(names[item.audio] for item in items)))
    phones = read_phones(bundle.folder / "tokens.txt")
    allowed = bundle.shape().get("allowed")
    if not isinstance(allowed, list) or not all(
        isinstance(number, int) and 0 <= number < len(phones) for number in allowed
    ):
        raise UserError(
            f"{bundle.name} is refused: its model.json does not say which phones the language has"
            " ('allowed'). Pack it again."
        )
    pronounce = Pronouncer(
        manifest.rule, bundle.folder / "lexicon.txt", phones, allowed, request.lexicon
    )
    aligner = Aligner(bundle, pronounce(word for item in items for word in item.words))
    aligner.check()
    rows: list[Row] = [(one.id, "", "", "", f"left out: {one.reason}") for one in left_out]
    with ExitStack() as files:
        streams = {
            name: files.enter_context(replacing(request.out / name)) for name in _lists(request)
        }
        doubtful = []
        results = _aligned(aligner, items, request.jobs)
        for name, group in groupby(results, lambda result: names[result[0]]):
            aligned = []
            for _, one in group:
                if isinstance(one, Excluded):
                    rows.append((one.id, name, "", "", f"left out: {one.reason}"))
                    left_out.append(one)
                    continue
                fits = one.score >= request.least
                if not fits:
                    doubtful.append(one)
                item, status = one.utterance, "fits" if fits else "does not fit its text"
                rows.append((item.id, name, f"{item.seconds:.2f}", f"{one.score:.3f}", status))
                lines = {"alignments.jsonl": formats.as_json(name, one, fits)}
                lines |= {f"{unit}.ctm": formats.ctm(name, one, unit) for unit in formats.UNITS}
                for file, stream in streams.items():
                    stream.write(lines[file].encode())
                aligned.append(one)
            if aligned and "textgrid" in request.kinds:
                _write_textgrid(request.out / f"{name}.TextGrid", aligned)
        if not any(row[3] for row in rows):
            reason = left_out[0].reason
            raise UserError(f"no utterance of {request.where} could be aligned: {reason}.")
    head = ("utterance", "recording", "seconds", "score", "result")
    table = [head, *(tuple(printable(" ".join(cell.split())) for cell in row) for row in rows)]
    write_text(request.out / TABLE, "".join("\t".join(row) + "\n" for row in table))
    return _summary(request, count, left_out, doubtful)


def _aligned(
    aligner: Aligner, items: Sequence[CheckedUtterance], jobs: int
) -> Iterator[tuple[Path, AlignedUtterance | Excluded]]:
    """Yield each utterance's recording and its times, in order."""
    seconds = sum(item.seconds for item in items)
    with meter("aligning", round(seconds), "s of speech") as advance:
        done = 0.0
        results = workers.shared_map(Aligner.__call__, aligner, items, min(jobs, len(items)))
        for item, result in zip(items, results, strict=True):
            yield item.audio, result
            advance(round(done + item.seconds) - round(done))
            done += item.seconds


def _names(items: Sequence[CheckedUtterance], where: Path) -> dict[Path, str]:
    """Return a name for each recording: its path in the folder without the suffix.

    A recording elsewhere, as of a corpus that is fetched, has the name of its file. Raises
    `UserError` if two have the same name.
    """
    root = os.path.abspath(where if where.is_dir() else where.parent)
    names: dict[Path, str] = {}
    owners: dict[str, Path] = {}
    for path in dict.fromkeys(item.audio for item in items):
        full = Path(os.path.abspath(path))  # a `..` in a list's path would lead out of --out
        inside = where.exists() and full.is_relative_to(root)
        name = str(full.relative_to(root).with_suffix("")) if inside else full.stem
        if owners.setdefault(name, full) != full:
            raise UserError(
                f"{path} and {owners[name]} would have the same TextGrid, {name}.TextGrid. Align"
                " them one after the other, each with an --out of its own."
            )
        names[path] = name
    return names


def _lists(request: Request) -> list[str]:
    """Return the names of files that have all recordings."""
    ctm = [f"{unit}.ctm" for unit in formats.UNITS] if "ctm" in request.kinds else []
    return ctm + (["alignments.jsonl"] if "json" in request.kinds else [])


def _check_free(request: Request, names: Sequence[str]) -> None:
    """Raise `UserError` if a result would replace a file."""
    files = [TABLE, *_lists(request)]
    if "textgrid" in request.kinds:
        files += [f"{name}.TextGrid" for name in names]
    taken = [request.out / file for file in files if (request.out / file).exists()]
    if taken and not request.force:
        raise UserError(
            f"{taken[0]} exists already. Choose another folder, --out FOLDER, or replace what is"
            " there: --force."
        )


def _write_textgrid(path: Path, aligned: Sequence[AlignedUtterance]) -> None:
    info = aligned[0].utterance.info
    assert info is not None  # else it has no recording
    tiers, overlapping = formats.tiers(aligned)
    if overlapping:
        log.warning(
            "warning: %s lacks %s, which overlap others of the same speaker.",
            *(path, ", ".join(overlapping[:NAMED])),
        )
    write_text(path, formats.textgrid(tiers, info.seconds))


def _summary(
    request: Request,
    count: int,
    left_out: Sequence[Excluded],
    doubtful: Sequence[AlignedUtterance],
) -> str:
    lines = [f"Aligned {count - len(left_out)} of {count} utterances into {request.out}."]
    if doubtful:
        worst = sorted(doubtful, key=lambda one: one.score)
        lines.append(
            f"{len(doubtful)} do not fit their text (score below {request.least:g}), the worst"
            " first:"
        )
        lines += [f"  {one.utterance.id}  {one.score:.2f}" for one in worst[:NAMED]]
    lines += left_out_lines(left_out)
    if len(doubtful) > NAMED or len(left_out) > NAMED:
        lines.append(f"{request.out / TABLE} has all of them.")
    return printable("\n".join(lines))
