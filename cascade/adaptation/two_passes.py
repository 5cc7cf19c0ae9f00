"""Recognises a test set in two passes; before the second one, a network adapts to each speaker.

The first pass is the test without adaptation. A copy of the network trains on the phones of its
words, one copy for each speaker, and recognises this speaker again. The transcripts of the test
set are not used. Kaldi's recipes decode twice in the same way, to estimate a feature transform of
each speaker (fMLLR).
"""

import copy
import functools
import logging
import shutil
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
import torch

from cascade.adaptation.adapt import adapt
from cascade.config.experiment import Experiment
from cascade.config.sections import FRAMES_PER_SECOND, Evaluation
from cascade.decoding.decode import decode_batch, gathered, peak_memory, write_decoded
from cascade.decoding.decoder import Decoded, decoder_of
from cascade.decoding.network_outputs import NetworkOutputs
from cascade.features.batches import UtteranceSet
from cascade.features.cmn import read_cms_init
from cascade.runtime import workers
from cascade.runtime.files import read_text_table, replacing, write_text
from cascade.runtime.progress import meter

log = logging.getLogger("cascade")
FIRST_PASS = "phones_words.txt"  # of the test without adaptation
NETWORKS = "adapted_networks"  # the folder of all speakers' networks, until the second pass is over


@dataclass(frozen=True)
class Speaker:
    """A speaker of the test set.

    Attributes:
        name: Their name.
        indices: All of their utterances.
        weights: The file for the tensors of the network that has adapted to them.
    """

    name: str
    indices: list[int]
    weights: Path


@dataclass(frozen=True)
class Adapted:
    """How the network has adapted to a speaker.

    Attributes:
        speaker: Who it is.
        used: How many utterances it has trained on: 0 where they are too short.
        seconds: How long those are in which the first pass has recognised words.
        losses: The mean loss of the first epoch and of the last, in nats a phone.
        memory: The peak memory of the process in KB.
    """

    speaker: Speaker
    used: int
    seconds: float
    losses: tuple[float, float] | None
    memory: int


class TwoPasses(workers.FromFiles):
    """A system and a test in which it adapts."""

    def __init__(self, experiment: Experiment, system: str, test: Evaluation):
        self.experiment, self.system, self.test = experiment, system, test
        self.key = experiment.dataset_key(test.dataset)
        self.folder = experiment.layout.decode(system, test.label)
        self.outputs = NetworkOutputs(experiment, system, [self.key])
        self.decoder = decoder_of(experiment, system)
        self.network = self.outputs.acoustic.network
        self._trained = copy.deepcopy(self.network.state_dict())

    def speakers(self) -> list[Speaker]:
        """Return the speakers, by name."""
        named = read_text_table(self.experiment.layout.text(self.key, "speakers"))
        indices: dict[str, list[int]] = {}
        for index, name in enumerate(self.outputs.utterances.ids):
            indices.setdefault(named[name][0], []).append(index)
        return [
            Speaker(name, own, self.folder / NETWORKS / f"{number}.safetensors")
            for number, (name, own) in enumerate(sorted(indices.items()))
        ]

    def adapt(self, speaker: Speaker) -> Adapted:
        """Adapt to a speaker, and write the weights, if there is speech enough."""
        names = [self.outputs.utterances.ids[index] for index in speaker.indices]
        workers.working_on(names[0])
        speech, numbers = self._first_pass
        heard = (numbers[name] for name in names if name in numbers)
        chosen = sorted(index for index in heard if len(speech.labels[index]))
        seconds = sum(speech.frames[i] for i in chosen) / FRAMES_PER_SECOND
        recipe, seed = self.experiment.recipe, zlib.crc32(speaker.name.encode())
        if not chosen or seconds < recipe.adapt.min_seconds:
            return Adapted(speaker, 0, seconds, None, peak_memory())
        self._load(None)  # another speaker may have been before
        losses = adapt(self.network, speech, chosen, recipe, self.system, seed)
        with replacing(speaker.weights) as stream:
            stream.write(safetensors.torch.save(self.network.state_dict()))
        return Adapted(speaker, len(chosen), seconds, losses, peak_memory())

    def decode(self, adapted: Adapted, indices: Sequence[int]) -> tuple[list[Decoded], int]:
        """Decode a batch of a speaker; return the peak memory of the process in KB, too."""
        self._load(adapted.speaker.weights if adapted.losses else None)
        return decode_batch(self.outputs, self.decoder, indices)

    def _load(self, weights: Path | None) -> None:
        """Let the network have the weights of a file; None: those that stage 3 has trained."""
        loaded = safetensors.torch.load_file(weights) if weights else self._trained
        self.network.load_state_dict(loaded)

    @functools.cached_property
    def _first_pass(self) -> tuple[UtteranceSet, dict[str, int]]:
        """What the first pass has recognised, as training speech; each utterance's number there."""
        layout = self.experiment.layout
        phones = layout.decode(self.system, self.test.dataset.label) / FIRST_PASS
        speech = UtteranceSet(
            layout,
            [self.key],
            self.outputs.acoustic.phones,
            self.experiment.recipe.features,
            read_cms_init(layout.cms_init),
            transcripts={self.key: phones},
        )
        return speech, {name: number for number, name in enumerate(speech.ids)}


def decode_adapted(experiment: Experiment, system: str, test: Evaluation, jobs: int) -> None:
    """Decode one test with one system in a second pass into ``SYSTEM/decode_TEST/``.

    `cascade.decoding.decode.decode_test` was the first pass: the test without adaptation. Beside
    its files there is ``adaptation.tsv``, with a row for each speaker.
    """
    torch.set_num_threads(1)
    layout, title = experiment.layout, f"{system}, {test.label}"
    started = time.monotonic()
    passes = TwoPasses(experiment, system, test)
    networks = passes.folder / NETWORKS
    shutil.rmtree(networks, ignore_errors=True)  # of a run that was killed
    outputs = passes.outputs
    count = len(outputs.utterances)
    speakers, rows = passes.speakers(), []
    with meter(f"{title}, adaptation", len(speakers), "speakers") as advance:
        for adapted in workers.shared_map(_adapt, passes, speakers, jobs):
            rows.append(adapted)
            advance(1)
    tasks = ((row, batch) for row in rows for batch in outputs.batches(row.speaker.indices))
    with meter(f"{title}, second pass", count, "utterances") as advance:
        decoded, peak = gathered(workers.shared_map(_decode, passes, tasks, jobs), advance)
    shutil.rmtree(networks, ignore_errors=True)
    write_text(layout.adaptation(system, test.label), "".join(_table(rows)))
    memory = max(peak, *(row.memory for row in rows))
    seconds = time.monotonic() - started
    write_decoded(passes.folder, decoded, passes.decoder, memory, seconds)
    few = [row.speaker.name for row in rows if row.losses is None]
    log.info(
        "%s: %d utterances in %.1f s, adapted to %d of %d speakers",
        *(title, count, seconds, len(rows) - len(few), len(rows)),
    )
    if few:
        log.warning(
            "warning: %s: the network has not adapted to %d of %d speakers, such as %s. Less than"
            " adapt.min_seconds: %g was recognised of each.",
            *(title, len(few), len(rows), few[0], experiment.recipe.adapt.min_seconds),
        )


def _adapt(passes: TwoPasses, speaker: Speaker) -> Adapted:
    """Adapt to a speaker in a worker process."""
    return passes.adapt(speaker)


def _decode(passes: TwoPasses, task: tuple[Adapted, list[int]]) -> tuple[list[Decoded], int]:
    """Decode a batch of a speaker in a worker process."""
    return passes.decode(*task)


def _table(rows: Sequence[Adapted]) -> Iterator[str]:
    """Yield the lines of ``adaptation.tsv``::

    speaker  utterances  used  seconds  first_loss  last_loss
    anna     208         205   641.2    1.6021      1.1382
    boris    2           0     6.1
    """
    yield "speaker\tutterances\tused\tseconds\tfirst_loss\tlast_loss\n"
    for row in rows:
        who, losses = row.speaker, row.losses
        shown = "\t".join(f"{loss:.4f}" for loss in losses) if losses else "\t"
        yield f"{who.name}\t{len(who.indices)}\t{row.used}\t{row.seconds:.1f}\t{shown}\n"
