"""What the stages left of a test set: who said what, and what each system recognised."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from cascade.config.experiment import Experiment
from cascade.config.sections import Evaluation
from cascade.corpora import corpus
from cascade.decoding.word_times import Timed, read_ctm
from cascade.runtime.errors import UserError
from cascade.runtime.files import read_jsonl_gz, read_text_table
from cascade.scoring.counts import FILE, UtteranceCounts, read_counts


class Cut(NamedTuple):
    """An utterance of a manifest; ``audio`` is None where the corpus has features only."""

    seconds: float
    speaker: str
    audio: Path | None
    start: float
    channel: int | None


class Aligned(NamedTuple):
    """Reference and hypothesis, token by token; `cascade.scoring.score.EPS` is a gap."""

    ref: list[str]
    hyp: list[str]


Alignments = Mapping[str, Aligned]  # by utterance


@dataclass(frozen=True, eq=False)
class TestSet:
    """A test set of U utterances, sorted by id, and what each system recognised in it.

    Attributes:
        name: Its label.
        licence: That of its corpus.
        texts: The transcripts as stage 1 has them, by utterance.
        cuts: By utterance.
        counts: The errors, by system; the first one is the reference system.
        words: The aligned words, by system.
        phones: The aligned phones, by system.
        times: The words with times and confidences, by system; empty without n-best lists.
    """

    __test__ = False  # not a test case of pytest

    name: str
    licence: str
    texts: Mapping[str, list[str]]
    cuts: Mapping[str, Cut]
    counts: Mapping[str, UtteranceCounts]
    words: Mapping[str, Alignments]
    phones: Mapping[str, Alignments]
    times: Mapping[str, Mapping[str, list[Timed]]]

    @property
    def systems(self) -> list[str]:
        return list(self.counts)

    @property
    def utterances(self) -> tuple[str, ...]:
        return next(iter(self.counts.values())).utterances


def ordered_systems(experiment: Experiment) -> list[str]:
    """Return the systems, those that only the target trained first: the first is the reference."""
    systems = experiment.recipe.systems
    return sorted(systems, key=lambda name: systems[name].multilingual)


def read_test(experiment: Experiment, test: Evaluation) -> TestSet:
    """Read what stages 0, 4 and 5 left of a test.

    Raises `UserError` for files of stage 5 that are missing or damaged.
    """
    layout, name, key = experiment.layout, test.label, experiment.dataset_key(test.dataset)
    systems = ordered_systems(experiment)
    folders = {system: layout.score(system, name) for system in systems}
    ctms = {system: layout.decode(system, name) / "words.ctm" for system in systems}
    spoken = experiment.recipe.decode.nbest > 0
    return TestSet(
        name,
        corpus.load(test.dataset.corpus).LICENCE,
        read_text_table(layout.text(key, "words")),
        dict(read_cuts(layout.cuts(key))),
        {system: read_counts(folder / FILE) for system, folder in folders.items()},
        {system: read_alignments(folder / "per_utt") for system, folder in folders.items()},
        {system: read_alignments(folder / "per_utt_phones") for system, folder in folders.items()},
        {system: read_ctm(path) for system, path in ctms.items()} if spoken else {},
    )


def read_cuts(path: Path) -> Iterator[tuple[str, Cut]]:
    """Yield the utterances of a manifest of stage 0 with their ids."""
    for row in read_jsonl_gz(path):
        (supervision,) = row["supervisions"]
        recording = row.get("recording")
        audio = Path(recording["sources"][0]["source"]) if recording else None
        channel = row["channel"] if isinstance(row["channel"], int) else None
        speaker = supervision.get("speaker") or "unknown"
        yield row["id"], Cut(row["duration"], speaker, audio, row["start"], channel)


def read_alignments(path: Path) -> dict[str, Aligned]:
    """Read ``per_utt``: four lines an utterance, as Kaldi's wer_details have them.

    ::

        ru_0011 ref  кто  то   зовет
        ru_0011 hyp  кто  ***  завет
        ru_0011 op    C    D     S
        ru_0011 #csid 1 1 0 1

    Raises `UserError` for a file that is missing or damaged.
    """
    table = {}
    try:
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                name, _, *ref = line.split()
                hypothesis, operations = next(lines).split()[2:], next(lines)
                next(lines)
                if len(hypothesis) != len(ref) or operations.split(maxsplit=1)[0] != name:
                    raise ValueError
                table[name] = Aligned(ref, hypothesis)
    except (OSError, ValueError, StopIteration):
        raise UserError(f"{path} is missing or damaged. Run stage 5 again with --force.") from None
    return table
