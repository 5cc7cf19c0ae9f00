"""The command `score`: the word error rate of a trained model on recordings with their text."""

import importlib.util
import logging
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import numpy as np

from cascade.corpora.corpus import Excluded
from cascade.data.labelled import labelled_utterances, left_out_lines, printable, rules_of
from cascade.data.utterance_checks import CheckedUtterance
from cascade.recognition.recordings import Recording, Span, TextModel, recognise, shortest
from cascade.runtime.errors import UserError
from cascade.runtime.files import read_jsonl_gz, write_text
from cascade.runtime.progress import meter
from cascade.runtime.project import ROOT
from cascade.scoring.details import write_details
from cascade.scoring.score import Score, score
from cascade.scoring.speechbox import Counts, format_log
from cascade.text.words import WordNormalizer, count_unknown

log = logging.getLogger("cascade")


@dataclass(frozen=True)
class Request:
    """What is to be scored, and how.

    Attributes:
        where: A folder or file of speech with its text, or a corpus that is fetched.
        out: The folder of the details, which must not exist.
        channel: The channel of all recordings, None for the one that the corpus names.
        adapt: Whether the network adapts to each speaker first.
        jobs: Processes at once, where the speech is made or fetched.
    """

    where: str
    out: Path
    channel: int | None
    adapt: bool
    jobs: int


def score_folder(model: TextModel, request: Request) -> str:
    """Recognise all utterances of a folder, score their words; return a summary to print.

    Words are compared as in stage 5. Raises `UserError` if no utterance can be used, if a
    recording cannot be read, and if ``out`` exists or cannot be made.
    """
    with _new(request.out):
        limits = replace(model.limits, min_seconds=shortest(model))
        rules = rules_of(model.rule, model.features.rate, limits, request.channel)
        rules = replace(rules, decode=True)  # no recording may stop the run when it is half done
        items, left_out = labelled_utterances(request.where, model.language, rules, request.jobs)
        if request.adapt and any(item.speaker == "unknown" for item in items):
            raise UserError(
                f"--adapt: {request.where} does not name the speakers. Put the recordings of each"
                " into a folder, or name them in a table."
            )
        items.sort(key=lambda item: (item.speaker, item.id))
        hypotheses, vocabulary = {}, set[str]()
        for item, recording in _recognised(model, items, request.adapt):
            hypotheses[item.id] = recording.words
            vocabulary = vocabulary or {*recording.table}
        references = {item.id: item.words for item in items}
        words = score(references, hypotheses, WordNormalizer(model.rule))
        speakers = {item.id: item.speaker for item in items}
        counts = Counts(errors=words.errors, terrors=words.terrors, all_words=words.total)
        write_details(request.out, words, None, speakers, {"speechbox.log": format_log(counts)})
        if known := _trained(items, model.training):
            log.warning(
                "warning: %d of the %d utterances are in the training or valid speech of the"
                " model. The error rate of other speech is higher.",
                *(known, len(items)),
            )
        rows = "".join(f"{one.id}\t{one.reason}\n" for one in left_out)
        write_text(request.out / "excluded.tsv", printable(f"utterance\treason\n{rows}"))
    running = [word for item in items for word in item.words]
    unknown = count_unknown(running, vocabulary, model.rule) / len(running)
    return printable("\n".join(_summary(request.out, words, items, unknown, left_out)))


def _trained(items: Sequence[CheckedUtterance], cuts: Sequence[Path]) -> int:
    """Count the utterances that overlap with one of the ``cuts`` in a recording."""
    spans: dict[Path, list[tuple[float, float]]] = {}
    for path in cuts:
        for cut in read_jsonl_gz(path):
            if "recording" not in cut:
                continue  # features in place of audio
            audio = (ROOT / cut["recording"]["sources"][0]["source"]).resolve()
            span = (cut["start"], cut["start"] + cut["duration"])
            spans.setdefault(audio, []).append(span)
    return sum(
        any(
            item.start < end and item.start + item.seconds > start
            for start, end in spans.get(item.audio.resolve(), ())
        )
        for item in items
    )


@contextmanager
def _new(folder: Path) -> Iterator[None]:
    """Make a folder, before all the work for it; remove it if the work fails."""
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        raise UserError(f"{folder} exists already. Choose another folder: --out DIR.") from None
    try:
        yield
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)  # the failure is what a user must see
        raise


def _recognised(
    model: TextModel, items: Sequence[CheckedUtterance], adapt: bool
) -> Iterator[tuple[CheckedUtterance, Recording]]:
    """Yield each utterance and what was recognised; with ``adapt`` a fresh model each speaker."""
    total = sum(item.seconds for item in items)
    with meter("recognising", round(total), "s of speech") as advance:
        done = 0.0
        for _, group in groupby(items, lambda item: item.speaker if adapt else ""):
            own = list(group)
            spans = [Span(item.audio, item.start, item.seconds, item.channel) for item in own]
            for item, recording in zip(own, recognise(model, spans, adapt), strict=True):
                yield item, recording
                advance(round(done + item.seconds) - round(done))
                done += item.seconds


def _summary(
    out: Path,
    words: Score,
    items: Sequence[CheckedUtterance],
    unknown: float,
    left_out: Sequence[Excluded],
) -> Iterator[str]:
    """Yield the lines that are printed; ``unknown`` is the share of words out of vocabulary."""
    speakers = {item.speaker for item in items}
    of = "" if "unknown" in speakers else f" of {_number(len(speakers), 'speaker')}"
    minutes = sum(item.seconds for item in items) / 60
    yield f"{_number(len(items), 'utterance')}{of}, {minutes:.1f} min, {words.total:,} words"
    kinds = {"substituted": words.sub, "deleted": words.dele, "inserted": words.ins}
    each = ", ".join(f"{100 * count / words.total:.1f} % {kind}" for kind, count in kinds.items())
    interval = _interval(words, {item.id: item.speaker for item in items})
    yield f"WER {100 * words.errors / words.total:.2f} %{interval}: {each}"
    yield f"{100 * unknown:.1f} % of the words are not in the vocabulary of the model"
    if mixed := sum(item.mixed_channels > 0 for item in items):
        yield f"{mixed} with several channels: their mean. --channel 0 takes the first one"
    changes = sum((Counter(item.changes) for item in items), Counter[str]())
    yield from (f"{times} times: {what}" for what, times in sorted(changes.items()))
    yield from left_out_lines(left_out)
    yield f"The details are in {out}; per_utt has each utterance with what was recognised."


def _interval(words: Score, speakers: Mapping[str, str]) -> str:
    """Return the 95 % interval of the word error rate; nothing where it cannot be computed."""
    if importlib.util.find_spec("scipy") is None:  # an environment for bundles
        return ""
    from cascade.scoring.significance import compare

    correct, sub, ins, dele = words.numbers.T
    errors = {"model": (sub + ins + dele)[np.newaxis]}
    of = [speakers[utterance] for utterance in words.counts]
    interval = compare(errors, correct + sub + dele, of).rates["model"].interval
    return f" (95 % interval {interval[0]:.2f} to {interval[1]:.2f})" if interval else ""


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' if count != 1 else ''}"
