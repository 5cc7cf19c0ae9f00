"""Stage 3, transcripts: what a teacher recognises in speech without transcripts.

A system with a ``teacher`` trains on these words as on transcripts (self-training, also known
as pseudo-labels: Zavaliagkos and Colthurst 1998; Kahn et al., arXiv:1909.09116).
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from cascade.config.experiment import Experiment
from cascade.config.sections import FRAMES_PER_SECOND
from cascade.corpora.corpus import Excluded
from cascade.data.ledger import write_ledger
from cascade.decoding.decoder import WordDecoder, word_decoder_of
from cascade.decoding.network_outputs import NetworkOutputs
from cascade.decoding.word_times import path_phones
from cascade.runtime import workers
from cascade.runtime.errors import UserError
from cascade.runtime.files import read_text_table, write_text_table
from cascade.runtime.progress import meter

log = logging.getLogger("cascade")
NBEST = 10  # hypotheses, as `decode.nbest` has by default; confidences may depend on it


@dataclass(frozen=True)
class Transcript:
    """A recognised utterance: words, their mean confidence from 0 to 1, phones of the path."""

    name: str
    words: list[str]
    confidence: float
    phones: list[str]


def transcribe(experiment: Experiment, system: str, jobs: int) -> None:
    """Write what the teacher of ``system`` recognises in its data sets without transcripts.

    Each data set has three tables in ``SYSTEM/transcripts/``. ``KEY.words`` and ``KEY.phones``
    have what is trained on, ``KEY.confidence`` has the mean confidence of all utterances:
    ``ru_0011 0.8312``. ``excluded.tsv`` lists what is left out. Raises `UserError` where nothing
    is left of a stream.
    """
    torch.set_num_threads(1)
    recipe, layout = experiment.recipe, experiment.layout
    teacher, least = recipe.systems[system].teacher, recipe.train_of(system).min_confidence
    assert teacher is not None, system
    decoder = word_decoder_of(experiment, teacher, NBEST)
    left_out: list[tuple[str, Excluded]] = []
    kept: dict[str, float] = {}  # seconds by stream
    total = 0.0
    for dataset in recipe.transcribed_for(system):
        key = experiment.dataset_key(dataset)
        transcripts = _recognised(experiment, teacher, decoder, key, f"{system}, {key}", jobs)
        lengths = read_text_table(layout.num_frames(key))
        chosen: dict[str, Transcript] = {}
        kept.setdefault(dataset.stream_name, 0.0)
        for name, one in transcripts.items():
            seconds = int(lengths[name][0]) / FRAMES_PER_SECOND
            total += seconds
            if reason := why_not(one, least):
                left_out.append((key, Excluded(name, reason, seconds, selection=True)))
            else:
                chosen[name] = one
                kept[dataset.stream_name] += seconds
        confidences = {name: [f"{one.confidence:.4f}"] for name, one in transcripts.items()}
        write_text_table(layout.transcript(system, key, "confidence"), confidences)
        for kind in ("words", "phones"):
            table = {name: getattr(one, kind) for name, one in chosen.items()}
            write_text_table(layout.transcript(system, key, kind), table)
    write_ledger(layout.transcripts_excluded(system), left_out)
    for stream, seconds in kept.items():
        if not seconds:
            raise UserError(
                f"{system}: train.min_confidence: {least:g} leaves nothing of stream '{stream}'."
                f" Use a lower one: {layout.transcripts_excluded(system)} lists the confidences."
            )
    log.info(
        "%s: %.1f of %.1f minutes transcribed by %s are kept (train.min_confidence: %g)",
        *(system, sum(kept.values()) / 60, total / 60, teacher, least),
    )


def why_not(transcript: Transcript, least: float) -> str | None:
    """Return why an utterance is left out; None if it is not.

    >>> why_not(Transcript("ru_0011", ["кот"], 0.4321, ["k", "o", "t"]), 0.5)
    'the mean confidence 0.4321 is below train.min_confidence: 0.5'
    """
    if not transcript.words:
        return "no word was recognised"
    if transcript.confidence < least:
        return (
            f"the mean confidence {transcript.confidence:.4f} is below train.min_confidence:"
            f" {least:g}"
        )
    return None


def _recognised(
    experiment: Experiment, teacher: str, decoder: WordDecoder, key: str, title: str, jobs: int
) -> dict[str, Transcript]:
    """Return the transcripts of a data set, by the names of its utterances, sorted."""
    outputs = NetworkOutputs(experiment, teacher, [key])
    transcripts: list[Transcript] = []
    with meter(title, len(outputs.utterances), "utterances") as advance:
        for batch in workers.shared_map(
            _transcribe_batch, (outputs, decoder), outputs.batches(), jobs
        ):
            transcripts += batch
            advance(len(batch))
    return {one.name: one for one in sorted(transcripts, key=lambda one: one.name)}


def _transcribe_batch(
    shared: tuple[NetworkOutputs, WordDecoder], indices: Sequence[int]
) -> list[Transcript]:
    """Recognise a batch in a worker process."""
    outputs, decoder = shared
    transcripts = []
    for name, log_probs in outputs(indices):
        workers.working_on(name)
        path = decoder.search.path(log_probs)
        _, timed = decoder.alternatives(log_probs, path)
        confidences = [confidence for *_, confidence in timed]
        mean = sum(confidences) / len(confidences) if confidences else 0.0
        words = [word for word, *_ in timed]
        transcripts.append(Transcript(name, words, mean, path_phones(path.labels, decoder.phones)))
    return transcripts
