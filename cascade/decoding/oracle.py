"""Stage 4, oracle: the words of the reference phones, as if the network made no error.

The word errors that remain are those of the lexicon and the language model: unknown words,
homophones, and word boundaries that cannot be heard.
"""

import logging
import time

import numpy as np

from cascade.config.layout import Layout
from cascade.config.sections import Decode
from cascade.decoding.word_search import WordSearch
from cascade.lm.graph import read_words
from cascade.lm.spelling import joined
from cascade.runtime import workers
from cascade.runtime.files import read_text_table, write_text_table
from cascade.runtime.progress import meter
from cascade.text.phones import read_phones

log = logging.getLogger("cascade")

# A wrong phone costs 14 nats, more than most words: the search leaves a phone out only
# where the vocabulary has no other way. The beam is wide enough for two of them at once.
SURE = 1 - 1e-6
CHUNK = 8  # utterances that a worker process takes at once
SETTINGS = Decode(beam=30.0, max_active=10000, acoustic_scale=1.0, blank_penalty=0.0)


def decode_references(layout: Layout, key: str, test: str, jobs: int) -> None:
    """Write the words that the search finds for the reference phones of data set ``key``."""
    started = time.monotonic()
    names = read_phones(layout.phones)
    numbers = {phone: i for i, phone in enumerate(names)}
    references = read_text_table(layout.text(key, "phones"))
    words = read_words(layout.words)
    search = WordSearch(layout.graph, SETTINGS)
    labels = ([numbers[phone] for phone in phones] for phones in references.values())
    tasks = ((chunk, len(names)) for chunk in workers.chunks(labels, CHUNK))
    best: list[list[int]] = []
    with meter(f"oracle, {test}", len(references), "utterances") as advance:
        for some in workers.shared_map(_search, search, tasks, jobs):
            best += some
            advance(len(some))
    table = {
        name: joined(words[i] for i in found) for name, found in zip(references, best, strict=True)
    }
    write_text_table(layout.oracle(test), table)
    log.info("oracle, %s: %d utterances in %.1f s", test, len(table), time.monotonic() - started)


def _search(search: WordSearch, task: tuple[list[list[int]], int]) -> list[list[int]]:
    """Return the word numbers of each of some utterances, in a worker process."""
    chunk, outputs = task
    return [search(certain_outputs(labels, outputs)) for labels in chunk]


def certain_outputs(labels: list[int], outputs: int) -> np.ndarray:
    """Return log-probabilities (2 n + 1, outputs) of n labels, a blank before and after each.

    >>> certain_outputs([2, 1], outputs=3).argmax(axis=1).tolist()
    [0, 2, 0, 1, 0]
    """
    best = np.zeros(2 * len(labels) + 1, np.int64)
    best[1::2] = labels
    probs = np.full((len(best), outputs), (1 - SURE) / (outputs - 1), np.float32)
    probs[np.arange(len(best)), best] = SURE
    return np.log(probs)
