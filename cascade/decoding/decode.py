"""Stage 4: decodes test sets to phones and to words (`cascade.decoding.decoder`)."""

import logging
import resource
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import torch

from cascade.config.experiment import Experiment
from cascade.config.sections import Evaluation
from cascade.decoding.decoder import Decoded, Decoder, decoder_of
from cascade.decoding.network_outputs import NetworkOutputs
from cascade.decoding.word_times import write_ctm
from cascade.lm.spelling import joined
from cascade.runtime import workers
from cascade.runtime.files import write_json, write_text, write_text_table
from cascade.runtime.progress import meter

log = logging.getLogger("cascade")


def decode_test(experiment: Experiment, system: str, test: Evaluation, jobs: int) -> None:
    """Decode one test with one system into ``SYSTEM/decode_TEST/``."""
    torch.set_num_threads(1)
    folder = experiment.layout.decode(system, test.label)
    started = time.monotonic()
    outputs = NetworkOutputs(experiment, system, [experiment.dataset_key(test.dataset)])
    decoder = decoder_of(experiment, system)
    count = len(outputs.utterances)
    with meter(f"{system}, {test.label}", count, "utterances") as advance:
        batches = workers.shared_map(_decode, (outputs, decoder), outputs.batches(), jobs)
        decoded, memory = gathered(batches, advance)
    seconds = time.monotonic() - started
    write_decoded(folder, decoded, decoder, memory, seconds)
    log.info("%s, %s: %d utterances in %.1f s", system, test.label, count, seconds)


def gathered(
    batches: Iterable[tuple[Sequence[Decoded], int]], advance: Callable[[int], object]
) -> tuple[dict[str, Decoded], int]:
    """Return the utterances of all batches by name, sorted, and the peak memory in KB."""
    by_name: dict[str, Decoded] = {}
    memory = 0
    for batch, peak in batches:
        by_name |= {utterance.name: utterance for utterance in batch}
        memory = max(memory, peak)
        advance(len(batch))
    return dict(sorted(by_name.items())), memory


def write_decoded(
    folder: Path, decoded: Mapping[str, Decoded], decoder: Decoder, memory: int, seconds: float
) -> None:
    """Write the decoded utterances of a test. ``memory`` is the peak of a process in KB."""
    for kind in ("phones", "phones_ngram", "phones_words", "words"):
        write_text_table(
            folder / f"{kind}.txt", {name: getattr(one, kind) for name, one in decoded.items()}
        )
    if decoder.search.settings.nbest:
        write_nbest(folder / "nbest.tsv", decoded, decoder.words)
        write_ctm(folder / "words.ctm", {name: one.timed for name, one in decoded.items()})
    else:
        for name in ("nbest.tsv", "words.ctm"):
            (folder / name).unlink(missing_ok=True)
    write_json(folder / "decode.json", {"memory_mb": memory // 1024, "seconds": round(seconds, 1)})


def decode_batch(
    outputs: NetworkOutputs, decoder: Decoder, indices: Sequence[int]
) -> tuple[list[Decoded], int]:
    """Decode a batch in a worker process; return the peak of its memory in KB, too."""
    decoded = []
    for name, log_probs in outputs(indices):
        workers.working_on(name)
        decoded.append(decoder(name, log_probs))
    return decoded, peak_memory()


def peak_memory() -> int:
    """Return the peak memory of this process in KB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _decode(
    shared: tuple[NetworkOutputs, Decoder], indices: Sequence[int]
) -> tuple[list[Decoded], int]:
    """Decode a batch in a worker process of `decode_test`."""
    return decode_batch(*shared, indices)


def write_nbest(path: Path, decoded: Mapping[str, Decoded], table: Sequence[str]) -> None:
    """Write the hypotheses of each utterance by rank; the first is that of ``words.txt``.

    ``graph`` and ``acoustic`` are natural logarithms as the search weighs them, with penalties
    and scale; ``score`` is their sum. ``table`` has the words by number::

        utterance  rank  score      graph     acoustic   words
        ru_0011    1     -301.2650  -41.0217  -260.2433  он пришёл
        ru_0011    2     -302.9012  -42.1570  -260.7442  он пришла
    """
    lines = ["utterance\trank\tscore\tgraph\tacoustic\twords\n"]
    for name, one in decoded.items():
        for rank, h in enumerate(one.hypotheses, 1):
            words = " ".join(joined(table[i] for i in h.words))
            scores = f"{h.score:.4f}\t{h.graph:.4f}\t{h.acoustic:.4f}"
            lines.append(f"{name}\t{rank}\t{scores}\t{words}\n")
    write_text(path, "".join(lines))
