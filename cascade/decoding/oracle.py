"""Stage 4, oracle: words found from the reference phones, as if the network erred nowhere.

The word errors that are left are the lexicon's and the language model's: words that the
vocabulary lacks, words that sound alike, and boundaries that cannot be heard.
"""

import logging
import time
from functools import partial

import numpy as np

from cascade.config.layout import Layout
from cascade.config.sections import Decode
from cascade.decoding.decode import WordSearch
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
SETTINGS = Decode(beam=30.0, max_active=10000, acoustic_scale=1.0, blank_penalty=0.0)


def decode(layout: Layout, key: str, test: str, jobs: int) -> None:
    """Writes the words found for the reference phones of data set ``key``."""
    global _search
    started = time.monotonic()
    phones = {phone: i for i, phone in enumerate(read_phones(layout.phones))}
    texts = read_text_table(layout.text(key, "phones"))
    words = read_words(layout.words)
    _search = WordSearch(layout.graph, SETTINGS)
    labels = [[phones[phone] for phone in text] for text in texts.values()]
    table = {}
    with (
        workers.pool(jobs) as pool,
        meter(f"oracle, {test}", len(texts), "utterances") as advance,
    ):
        found = pool.map(partial(_find, len(phones)), labels)
        for name, numbers in zip(texts, found, strict=True):
            table[name] = joined(words[i] for i in numbers)
            advance(1)
    _search = None
    write_text_table(layout.oracle(test), table)
    log.info("oracle, %s: %d utterances in %.1f s", test, len(texts), time.monotonic() - started)


_search: WordSearch | None = None


def _find(outputs: int, labels: list[int]) -> list[int]:
    """In a worker process: the words of one utterance."""
    assert _search is not None
    return _search(frames(labels, outputs))


def frames(labels: list[int], outputs: int) -> np.ndarray:
    """Log-probabilities (2 n + 1, outputs) of n labels, a blank before and after each."""
    best = np.zeros(2 * len(labels) + 1, np.int64)
    best[1::2] = labels
    probs = np.full((len(best), outputs), (1 - SURE) / (outputs - 1), np.float32)
    probs[np.arange(len(best)), best] = SURE
    return np.log(probs)
