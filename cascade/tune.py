"""Stage 4, search: the scales and penalties that make the fewest word errors on valid.

A coordinate search, the same for every system: one setting at a time is changed on a
fixed grid, the best one kept, until a whole round changes nothing.
"""

import dataclasses
import logging
import time
from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from kaldialign import edit_distance

from cascade import workers
from cascade.decode import BATCH_SECONDS, TUNED, AcousticModel, WordSearch
from cascade.files import read_text_table, write_json
from cascade.graph import read_words
from cascade.layout import Layout, dataset_key
from cascade.recipe import Decode, Recipe

log = logging.getLogger("cascade")
STEPS = {  # the grids: factors of the acoustic scale, differences of the penalties
    "acoustic_scale": (0.7, 1.4),
    "blank_penalty": (-1.0, 1.0),
    "word_penalty": (-1.0, 1.0),
}
ROUNDS = 3


def tune(recipe: Recipe, layout: Layout, system: str, jobs: int) -> None:
    """Writes ``SYSTEM/decode.json``: what was found, and every setting that was tried."""
    started = time.monotonic()
    trials: list[dict[str, float]] = []
    found = recipe.decode
    if recipe.decode.tune:
        found, trials = _search(_Valid(recipe, layout, system, jobs), recipe.decode)
    settings = {key: getattr(found, key) for key in TUNED}
    write_json(layout.search(system), {"found": settings, "trials": trials})
    if trials:
        log.info(
            "%s: %s; WER on valid %.2f %% (%.2f %% before), %d trials in %.0f s",
            system,
            ", ".join(f"{key} {value:g}" for key, value in settings.items()),
            min(trial["WER"] for trial in trials),
            trials[0]["WER"],
            len(trials),
            time.monotonic() - started,
        )


def _search(valid: "_Valid", start: Decode) -> tuple[Decode, list[dict[str, float]]]:
    """Goes downhill from ``start``; of equally good settings the one tried first stays."""
    known: dict[Decode, float] = {}

    def rate(settings: Decode) -> float:
        if settings not in known:
            known[settings] = valid.rate(settings)
        return known[settings]

    best = start
    rate(best)
    for _ in range(ROUNDS):
        before = best
        for key, steps in STEPS.items():
            for step in steps:
                while True:  # on in a direction that pays
                    value = getattr(best, key)
                    value = round(value * step if key == "acoustic_scale" else value + step, 4)
                    tried = dataclasses.replace(best, **{key: value})
                    if abs(value) > 20 or rate(tried) >= rate(best):
                        break
                    best = tried
        if best == before:
            break
    return best, [
        {**{key: getattr(settings, key) for key in TUNED}, "WER": round(wer, 4)}
        for settings, wer in known.items()
    ]


class _Valid:
    """The log-probabilities of valid, and how well its words are found with some settings."""

    def __init__(self, recipe: Recipe, layout: Layout, system: str, jobs: int):
        torch.set_num_threads(1)
        keys = [dataset_key(recipe, d) for d in recipe.role("valid")]
        model = AcousticModel(recipe, layout, system, keys)
        batches = list(model.data.in_order(BATCH_SECONDS))
        utterances = [pair for indices in batches for pair in model(indices)]
        self.log_probs = [log_probs for _, log_probs in utterances]
        fold = str.maketrans(recipe.languages[recipe.target].fold)
        self.words = [word.translate(fold) for word in read_words(layout.words)]
        texts: dict[str, list[str]] = {}
        for key in keys:
            texts |= read_text_table(layout.text(key, "words"))
        self.reference = [[w.translate(fold) for w in texts[name]] for name, _ in utterances]
        self.graph, self.jobs = layout.graph, jobs
        self.search: WordSearch | None = None

    def rate(self, settings: Decode) -> float:
        """The word error rate on valid, in per cent."""
        global _valid  # workers are forked: they share the graph's memory
        if self.search is None or self.search.settings.word_penalty != settings.word_penalty:
            self.search = None  # no two graphs at once
            self.search = WordSearch(self.graph, settings)
        _valid = self
        with workers.pool(self.jobs) as pool:
            errors = sum(pool.map(partial(_errors, settings), range(len(self.reference))))
        return 100 * errors / sum(map(len, self.reference))


_valid: _Valid | None = None


def _errors(settings: Decode, index: int) -> int:
    """In a worker process: the word errors of one utterance."""
    assert _valid is not None and _valid.search is not None
    log_probs: np.ndarray = _valid.log_probs[index]
    found: Sequence[int] = _valid.search(log_probs, settings)
    return edit_distance(_valid.reference[index], [_valid.words[i] for i in found])["total"]
