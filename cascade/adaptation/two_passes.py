"""Recognises a test set in two passes; before the second one, a network adapts to each speaker.

The first pass recognises words. A copy of the network then trains on the phones of these words,
one copy for each speaker, and recognises this speaker again. The transcripts of the test set are
not used. Kaldi's recipes decode twice in the same way, to estimate a feature transform of each
speaker (fMLLR).
"""

import copy
import functools
import logging
import resource
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from cascade.adaptation.adapt import adapt
from cascade.config.experiment import Experiment
from cascade.config.sections import FRAMES_PER_SECOND, Dataset
from cascade.decoding.decode import write_decoded
from cascade.decoding.decoder import Decoded, decoder_of
from cascade.decoding.network_outputs import NetworkOutputs
from cascade.decoding.word_times import path_phones
from cascade.features.batches import UtteranceSet
from cascade.features.cmn import read_cms_init
from cascade.runtime import workers
from cascade.runtime.files import read_text_table, write_text, write_text_table
from cascade.runtime.progress import meter

log = logging.getLogger("cascade")
FIRST_PASS = "first_pass_phones.txt"
TABLE = "adaptation.tsv"


@dataclass(frozen=True)
class Adapted:
    """A speaker in the second pass.

    Attributes:
        speaker: Their name.
        utterances: All of theirs, decoded.
        used: How many of these the network adapted to: 0 where they are too short.
        seconds: How long those are that were recognised in the first pass.
        losses: The mean loss of the first epoch and of the last, in nats a phone.
        memory: The peak of the process in KB.
    """

    speaker: str
    utterances: list[Decoded]
    used: int
    seconds: float
    losses: tuple[float, float] | None
    memory: int


class TwoPasses(workers.FromFiles):
    """A system and a test set with ``adapt``."""

    def __init__(self, experiment: Experiment, system: str, dataset: Dataset):
        self.experiment, self.system = experiment, system
        self.key = experiment.dataset_key(dataset)
        self.folder = experiment.layout.decode(system, dataset.label)
        self.outputs = NetworkOutputs(experiment, system, [self.key])
        self.decoder = decoder_of(experiment, system)
        self.network = self.outputs.acoustic.network
        self.settings = experiment.recipe.adapt
        self._trained = copy.deepcopy(self.network.state_dict())

    def speakers(self) -> list[tuple[str, list[int]]]:
        """Return the speakers, by name, each with the indices of all their utterances."""
        named = read_text_table(self.experiment.layout.text(self.key, "speakers"))
        indices: dict[str, list[int]] = {}
        for index, name in enumerate(self.outputs.utterances.ids):
            indices.setdefault(named[name][0], []).append(index)
        return sorted(indices.items())

    def recognised(self, indices: Sequence[int]) -> dict[str, list[str]]:
        """Return the phones of the words that the first pass recognises in a batch."""
        phones = {}
        for name, log_probs in self.outputs(indices):
            workers.working_on(name)
            path = self.decoder.search.path(log_probs)
            phones[name] = path_phones(path.labels, self.decoder.phones)
        return phones

    def second(self, speaker: str, indices: Sequence[int]) -> Adapted:
        """Adapt to a speaker, and decode their utterances, ``indices``, with the result."""
        self.network.load_state_dict(self._trained)  # another speaker may have been before
        names = [self.outputs.utterances.ids[index] for index in indices]
        workers.working_on(names[0])
        speech, numbers = self._first_pass
        chosen = sorted(numbers[name] for name in names if name in numbers)
        seconds = sum(speech.frames[i] for i in chosen) / FRAMES_PER_SECOND
        losses = None
        if chosen and seconds >= self.settings.min_seconds:
            seed, recipe = zlib.crc32(speaker.encode()), self.experiment.recipe
            losses = adapt(self.network, speech, chosen, recipe, self.system, seed)
        decoded = [
            self.decoder(name, log_probs)
            for batch in self.outputs.batches(indices)
            for name, log_probs in self.outputs(batch)
        ]
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return Adapted(speaker, decoded, len(chosen) if losses else 0, seconds, losses, memory)

    @functools.cached_property
    def _first_pass(self) -> tuple[UtteranceSet, dict[str, int]]:
        """What the first pass has left, as training speech, and the number of each utterance."""
        layout = self.experiment.layout
        speech = UtteranceSet(
            layout,
            [self.key],
            self.outputs.acoustic.phones,
            self.experiment.recipe.features,
            read_cms_init(layout.cms_init),
            transcripts={self.key: self.folder / FIRST_PASS},
        )
        return speech, {name: number for number, name in enumerate(speech.ids)}


def decode_adapted(experiment: Experiment, system: str, dataset: Dataset, jobs: int) -> None:
    """Decode one test set with one system in two passes into ``SYSTEM/decode_TEST/``.

    Beside the files of `cascade.decoding.decode.decode_dataset` there are `FIRST_PASS`, the
    phones that the networks adapt to, and `TABLE`, with a row for each speaker.
    """
    torch.set_num_threads(1)
    test = dataset.label
    folder = experiment.layout.decode(system, test)
    started = time.monotonic()
    passes = TwoPasses(experiment, system, dataset)
    count = len(passes.outputs.utterances)
    phones: dict[str, list[str]] = {}
    with meter(f"{system}, {test}, first pass", count, "utterances") as advance:
        batches = passes.outputs.batches()
        for some in workers.shared_map(_recognise, passes, batches, jobs):
            phones |= some
            advance(len(some))
    table = {name: phones[name] for name in sorted(phones) if phones[name]}
    write_text_table(folder / FIRST_PASS, table)
    decoded: dict[str, Decoded] = {}
    rows: list[Adapted] = []
    with meter(f"{system}, {test}, adapted", count, "utterances") as advance:
        for one in workers.shared_map(_second, passes, passes.speakers(), jobs):
            decoded |= {utterance.name: utterance for utterance in one.utterances}
            rows.append(one)
            advance(len(one.utterances))
    write_text(folder / TABLE, "".join(_table(rows)))
    seconds, memory = time.monotonic() - started, max(one.memory for one in rows)
    write_decoded(folder, decoded, passes.decoder, memory, seconds)
    log.info(
        "%s, %s: %d utterances in %.1f s, adapted to %d of %d speakers",
        *(system, test, count, seconds, sum(one.losses is not None for one in rows), len(rows)),
    )


def _recognise(passes: TwoPasses, indices: Sequence[int]) -> dict[str, list[str]]:
    """Recognise a batch in a worker process."""
    return passes.recognised(indices)


def _second(passes: TwoPasses, task: tuple[str, list[int]]) -> Adapted:
    """Adapt to a speaker in a worker process."""
    return passes.second(*task)


def _table(rows: Sequence[Adapted]) -> Iterator[str]:
    """Yield the lines of `TABLE`::

    speaker  utterances  used  seconds  first_loss  last_loss
    anna     208         205   641.2    1.6021      1.1382
    boris    2           0     6.1
    """
    yield "speaker\tutterances\tused\tseconds\tfirst_loss\tlast_loss\n"
    for row in rows:
        losses = "\t".join(f"{loss:.4f}" for loss in row.losses) if row.losses else "\t"
        yield f"{row.speaker}\t{len(row.utterances)}\t{row.used}\t{row.seconds:.1f}\t{losses}\n"
