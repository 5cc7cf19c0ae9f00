"""Stage 4, search: the scales and penalties that make the fewest errors on valid.

A coordinate search, the same for every system: one setting at a time is changed on a
fixed grid, the best one kept, until a whole round changes nothing, or three are over. Words
and phones have graphs of their own, and a search each.
"""

import dataclasses
import logging
import time
from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from kaldialign import edit_distance

from cascade.config.experiment import Experiment
from cascade.config.sections import Decode
from cascade.decoding.decode import BATCH_SECONDS, TUNED, Heard, WordSearch
from cascade.lm.graph import read_words
from cascade.lm.spelling import joined
from cascade.runtime import workers
from cascade.runtime.files import read_text_table, write_json
from cascade.runtime.progress import meter

log = logging.getLogger("cascade")
STEPS = {  # the grids: factors of the acoustic scale, differences of the penalties
    "acoustic_scale": (0.7, 1.4),
    "blank_penalty": (-1.0, 1.0),
    "word_penalty": (-1.0, 1.0),
}
ROUNDS = 3
# Near where most searches of phones end; from farther off, one stuck at a scale of 7.7.
PHONES = {"acoustic_scale": 1.0, "blank_penalty": 2.0, "word_penalty": 0.0}


def tune(experiment: Experiment, system: str, unit: str, jobs: int) -> None:
    """Writes what was found for words or phones, the ``unit``, and all that was tried.

    That is ``SYSTEM/decode.json`` or ``SYSTEM/decode_phones.json``.
    """
    recipe = experiment.recipe
    started = time.monotonic()
    trials: list[dict[str, float]] = []
    found, rate, path = recipe.decode, "WER", experiment.layout.search(system)
    if unit == "phones":
        found = dataclasses.replace(recipe.decode, **PHONES)
        rate, path = "PER", experiment.layout.phone_search(system)
    if recipe.decode.tune:
        found, trials = _search(_Valid(experiment, system, unit, jobs), found, rate)
    settings = {key: getattr(found, key) for key in TUNED}
    write_json(path, {"found": settings, "trials": trials})
    if trials:
        log.info(
            "%s: %s; %s on valid %.2f %% (%.2f %% before), %d trials in %.0f s",
            system,
            ", ".join(f"{key} {value:g}" for key, value in settings.items()),
            rate if unit == "words" else f"{rate} with the phone n-gram",
            min(trial[rate] for trial in trials),
            trials[0][rate],
            len(trials),
            time.monotonic() - started,
        )


def _search(
    valid: "_Valid", start: Decode, name: str = "WER"
) -> tuple[Decode, list[dict[str, float]]]:
    """Goes downhill from ``start``; of equally good settings the one tried first stays.

    ``name`` is that of the rate in the trials.
    """
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
        {**{key: getattr(settings, key) for key in TUNED}, name: round(percent, 4)}
        for settings, percent in known.items()
    ]


class _Valid:
    """The log-probabilities of valid, and how well its words or phones are found."""

    def __init__(self, experiment: Experiment, system: str, unit: str, jobs: int):
        recipe, layout = experiment.recipe, experiment.layout
        torch.set_num_threads(1)
        self.title = f"{system}, a trial on valid"
        spoken = unit == "phones"
        valid = recipe.role("valid") if spoken else recipe.valid_sentences
        keys = [experiment.dataset_key(dataset) for dataset in valid]
        heard = Heard(experiment, system, keys)
        batches = list(heard.data.in_order(BATCH_SECONDS))
        self.log_probs = [log_probs for indices in batches for _, log_probs in heard(indices)]
        fold = str.maketrans({} if spoken else recipe.target_language.fold)
        table = layout.phone_words if spoken else layout.words
        self.words = [word.translate(fold) for word in read_words(table)]
        # By place, since data sets may use the same names.
        texts = [said for key in keys for said in read_text_table(layout.text(key, unit)).values()]
        order = [index for indices in batches for index in indices]
        self.reference = [[word.translate(fold) for word in texts[index]] for index in order]
        self.graph, self.jobs = layout.phone_graph if spoken else layout.graph, jobs
        self.search: WordSearch | None = None

    def rate(self, settings: Decode) -> float:
        """The error rate on valid, in per cent."""
        global _valid  # workers are forked: they share the graph's memory
        if self.search is None or self.search.settings.word_penalty != settings.word_penalty:
            self.search = None  # no two graphs at once
            self.search = WordSearch(self.graph, settings, self.words)
        _valid = self
        errors, count = 0, len(self.reference)
        with workers.pool(self.jobs) as pool, meter(self.title, count, "utterances") as advance:
            for found in pool.map(partial(_errors, settings), range(count)):
                errors += found
                advance(1)
        return 100 * errors / sum(map(len, self.reference))


_valid: _Valid | None = None


def _errors(settings: Decode, index: int) -> int:
    """In a worker process: the errors of one utterance."""
    assert _valid is not None and _valid.search is not None
    log_probs: np.ndarray = _valid.log_probs[index]
    found: Sequence[int] = _valid.search(log_probs, settings)
    return edit_distance(_valid.reference[index], joined(_valid.words[i] for i in found))["total"]
