"""Stage 4, search: the acoustic scale and penalties with the fewest errors on valid.

A coordinate search, the same for every system: one setting at a time moves along a fixed
grid, the best value stays, until a complete round changes nothing or three rounds are over.
Then the best settings replace those of the recipe, if their difference on valid is statistically
significant: the best of many trials, so p is multiplied by their number (Bonferroni). Without this
test a few words of valid can choose settings that harm other speakers.
Words and phones have graphs of their own, and a search each.

Errors are counted here by plain edit distance. Stage 5 aligns with NIST sclite's weights
(substitutions cost 4, insertions and deletions 3), which may count more errors: a rate of
stage 5 may be slightly above that of the same hypotheses here.
"""

import dataclasses
import logging
import time
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from kaldialign import edit_distance

from cascade.config.experiment import Experiment
from cascade.config.sections import Decode
from cascade.decoding.network_outputs import NetworkOutputs
from cascade.decoding.word_search import TUNED, WordSearch, with_scales
from cascade.lm.graph import read_words
from cascade.lm.spelling import joined
from cascade.runtime import workers
from cascade.runtime.files import read_text_table, write_json
from cascade.runtime.progress import meter
from cascade.scoring.significance import compare

log = logging.getLogger("cascade")
STEPS = {  # the grids: factors of the acoustic scale, differences of the penalties
    "acoustic_scale": (0.7, 1.4),
    "blank_penalty": (-1.0, 1.0),
    "word_penalty": (-1.0, 1.0),
}
ROUNDS = 3
SIGNIFICANT = 0.05  # the adjusted p-value below which the found settings replace the recipe's
CHUNK = 8  # utterances that a worker process takes at once
# Near where most searches of phones end. From farther away, one stopped at a scale of 7.7.
PHONES = {"acoustic_scale": 1.0, "blank_penalty": 2.0, "word_penalty": 0.0}


class Rated(Protocol):
    """Anything that counts the errors of settings.

    Attributes:
        tokens: How many words or phones the reference of each utterance has, (U,).
        speakers: The speaker of each utterance, U of them.
    """

    tokens: np.ndarray
    speakers: Sequence[str]

    def errors(self, settings: Decode) -> np.ndarray:
        """Return the errors of each utterance, (U,)."""
        ...


def tune(experiment: Experiment, system: str, unit: str, jobs: int) -> None:
    """Write the settings for ``unit``, words or phones, and all trials.

    They go into ``SYSTEM/decode.json`` or ``SYSTEM/decode_phones.json``; without
    ``decode.tune`` these have the recipe's settings and no trials.
    """
    recipe = experiment.recipe
    started = time.monotonic()
    trials: list[dict[str, float]] = []
    best, rate, path = recipe.decode, "WER", experiment.layout.search(system)
    if unit == "phones":
        best = with_scales(recipe.decode, PHONES)
        rate, path = "PER", experiment.layout.phone_search(system)
    before = best
    if recipe.decode.tune:
        best, trials = search(_Valid(experiment, system, unit, jobs), best, rate)
    scales = {key: getattr(best, key) for key in TUNED}
    write_json(path, {"found": scales, "trials": trials})
    if trials:
        lowest = min(trials, key=lambda trial: trial[rate])
        kept = lowest != trials[0] and best == before
        log.info(
            "%s: %s; %s on valid %.2f %% (%.2f %% before), %d trials in %.0f s%s",
            system,
            ", ".join(f"{key} {lowest[key]:g}" for key in TUNED),
            rate if unit == "words" else f"{rate} with the phone n-gram",
            lowest[rate],
            trials[0][rate],
            len(trials),
            time.monotonic() - started,
            "; not statistically significant, so the settings stay as before" if kept else "",
        )


def search(
    valid: Rated, start: Decode, rate_name: str = "WER"
) -> tuple[Decode, list[dict[str, float]]]:
    """Return the settings to use, and the rate of each trial under ``rate_name``.

    The search goes downhill from ``start``. Of equally good settings the first one stays. Those
    that it finds are returned if a paired bootstrap tells them from ``start``, adjusted for the
    number of trials.
    """
    errors: dict[Decode, np.ndarray] = {}

    def rate(settings: Decode) -> float:
        if settings not in errors:
            errors[settings] = valid.errors(settings)
        return 100 * int(errors[settings].sum()) / int(valid.tokens.sum())

    best = start
    rate(best)
    for _ in range(ROUNDS):
        before = best
        for key, steps in STEPS.items():
            for step in steps:
                while True:  # on, as long as a direction pays
                    value = getattr(best, key)
                    value = round(value * step if key == "acoustic_scale" else value + step, 4)
                    trial = dataclasses.replace(best, **{key: value})
                    if abs(value) > 20 or rate(trial) >= rate(best):
                        break
                    best = trial
        if best == before:
            break
    if best != start:
        two = {"start": errors[start], "best": errors[best]}
        (pair,) = compare(two, valid.tokens, valid.speakers).pairs
        if pair.p is None or pair.p * (len(errors) - 1) >= SIGNIFICANT:
            best = start
    return best, [
        {**{key: getattr(settings, key) for key in TUNED}, rate_name: round(rate(settings), 4)}
        for settings in errors
    ]


class _Valid:
    """The log-probabilities of valid, and the error rates of words or phones found in them."""

    def __init__(self, experiment: Experiment, system: str, unit: str, jobs: int):
        recipe, layout = experiment.recipe, experiment.layout
        torch.set_num_threads(1)
        self.title = f"{system}, a trial on valid"
        of_phones = unit == "phones"
        valid = recipe.role("valid") if of_phones else recipe.valid_sentences
        keys = [experiment.dataset_key(dataset) for dataset in valid]
        outputs = NetworkOutputs(experiment, system, keys)
        batches = list(outputs.batches())
        # One matrix (T, phones) for each utterance.
        self.log_probs = [log_probs for indices in batches for _, log_probs in outputs(indices)]
        fold = str.maketrans({} if of_phones else recipe.target_language.fold)
        table = layout.phone_words if of_phones else layout.words
        self.words = [word.translate(fold) for word in read_words(table)]
        # By place, because data sets may use the same names.
        texts, speakers = (
            [row for key in keys for row in read_text_table(layout.text(key, kind)).values()]
            for kind in (unit, "speakers")
        )
        order = [index for indices in batches for index in indices]
        self.speakers: Sequence[str] = [speakers[index][0] for index in order]
        self.reference = [[word.translate(fold) for word in texts[index]] for index in order]
        self.tokens = np.array([len(words) for words in self.reference])
        self.graph, self.jobs = layout.phone_graph if of_phones else layout.graph, jobs
        self.search: WordSearch | None = None

    def errors(self, settings: Decode) -> np.ndarray:
        """Return the errors of each utterance of valid, (U,)."""
        if self.search is None or self.search.settings.word_penalty != settings.word_penalty:
            self.search = None  # no two graphs in memory
            self.search = WordSearch(self.graph, settings, self.words)
        errors: list[int] = []
        count = len(self.reference)
        with meter(self.title, count, "utterances") as advance:
            shared = (self, self.search, settings)
            tasks = workers.chunks(range(count), CHUNK)
            for wrong in workers.shared_map(_errors, shared, tasks, self.jobs):
                errors += wrong
                advance(len(wrong))
        return np.array(errors)


def _errors(shared: tuple[_Valid, WordSearch, Decode], indices: Sequence[int]) -> list[int]:
    """Return the errors of each of some utterances, in a worker process."""
    valid, word_search, settings = shared
    errors = []
    for index in indices:
        best = word_search(valid.log_probs[index], settings)
        words = joined(valid.words[i] for i in best)
        errors.append(edit_distance(valid.reference[index], words)["total"])
    return errors
