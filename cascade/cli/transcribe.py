"""The command `transcribe`: the words of recordings, by a system that stage 4 has decoded with."""

import hashlib
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from cascade.config.experiment import Experiment
from cascade.config.recipe import Recipe
from cascade.config.sections import FRAMES_PER_SECOND
from cascade.corpora import audio
from cascade.decoding.decoder import Decoded, decoder_of
from cascade.decoding.network_outputs import AcousticModel
from cascade.features.batches import normalised, stacked
from cascade.features.cmn import read_cms_init
from cascade.features.filterbank import Filterbank
from cascade.pipeline import stages
from cascade.report import training_curves
from cascade.runtime.errors import UserError

log = logging.getLogger("cascade")


def choose(experiment: Experiment, system: str | None) -> str:
    """Return ``system``, or if it is None the one with the fewest phone errors on valid.

    Raises `UserError` if the recipe has no such system, or none that is trained.
    """
    recipe, layout = experiment.recipe, experiment.layout
    if system is not None:
        if system not in recipe.systems:
            names = ", ".join(recipe.systems)
            raise UserError(f"{recipe.name}: unknown system '{system}'. Known: {names}.")
        return system
    trained = [name for name in recipe.systems if layout.search(name).exists()]
    if not trained:
        raise UserError(_run_first(recipe, layout.root))
    rates = {name: training_curves.trained(layout.system(name))["valid_per"] for name in trained}
    best = min(trained, key=lambda name: rates[name])
    if len(trained) > 1:
        log.info("%s has the fewest phone errors on valid of %s.", best, ", ".join(trained))
    return best


def transcribe(
    experiment: Experiment,
    system: str,
    paths: Sequence[Path],
    channel: int | None = None,
    times: bool = False,
) -> Iterator[Decoded]:
    """Yield each recording decoded, in the order of ``paths``.

    A recording longer than ``limits.max_seconds`` is cut at pauses and searched in parts: in a
    search of all of it the beam would lose good paths. ``channel`` counts from 0; None is the
    mean of all. Without ``times`` only the best hypothesis is searched for and words have no
    times, which is twice as fast.

    Raises `UserError`, before decoding anything, for recordings that cannot be used and if
    stages 0 to 4 have not run.
    """
    recipe, layout = experiment.recipe, experiment.layout
    torch.set_num_threads(1)
    needed = (
        *(layout.phones, layout.lexicon, layout.graph, layout.words),
        *(layout.phone_graph, layout.phone_words),
        *(layout.cms_init, layout.model(system), layout.search(system)),
        layout.phone_search(system),
    )
    for path in needed:
        if not path.exists():
            raise UserError(f"{path} is missing. {_run_first(recipe, layout.root)}")
    stages.warn(experiment, (3, 4))
    features, nbest = recipe.features, max(recipe.decode.nbest, 1) if times else 0
    step = (features.stack + 1) / FRAMES_PER_SECOND  # one step of the network
    least = max(recipe.limits.min_seconds, step)
    seconds = _seconds(paths, least, channel)
    acoustic = AcousticModel(layout.system(system))
    acoustic.check_phones(layout)
    if acoustic.config.inputs != features.filters * features.stack:
        raise UserError(
            f"{layout.system(system)} takes {acoustic.config.inputs} values in a step, but"
            f" {features.stack} frames of {features.filters} filters are computed from audio: it"
            " was trained with other settings, or on features without audio."
        )
    decoder = decoder_of(experiment, system, nbest)
    filterbank, mean = Filterbank(features.rate, features.filters), read_cms_init(layout.cms_init)
    for path, length in zip(paths, seconds, strict=True):
        row = {"id": path.name, "audio": path, "start": 0.0, "duration": length, "channel": channel}
        with path.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        matrix = filterbank.features({**row, "sha256": sha256})  # (frames, filters)
        inputs = stacked(normalised(matrix, features, mean), features.stack)
        log_probs = acoustic(inputs[None])[0]  # (T, phones)
        most = int(recipe.limits.max_seconds * FRAMES_PER_SECOND / features.stack)
        begins = [0, *cuts(log_probs.argmax(axis=1) == 0, most)]
        parts = [decoder(path.name, part) for part in np.split(log_probs, begins[1:])]
        yield joined(parts, [begin * decoder.seconds for begin in begins])


def cuts(blank: np.ndarray, most: int) -> list[int]:
    """Return where to cut, so that no part has more than ``most`` frames.

    ``blank`` (T,) is true in frames without a phone. A part that is too long is cut in the
    middle of the longest pause of its middle half, or in two halves if there is no pause.

    >>> cuts(np.array([0, 0, 0, 0, 1, 1, 1, 0, 0, 0], bool), 8)
    [5]
    """
    places, waiting = [], [(0, len(blank))]
    while waiting:
        begin, end = waiting.pop()
        if end - begin > most:
            low, high = begin + (end - begin) // 4, end - (end - begin) // 4
            sound = np.flatnonzero(~blank[low:high])
            edges = low + np.concatenate([[-1], sound, [high - low]])
            longest = int(np.diff(edges).argmax())
            if len(sound) == high - low:
                cut = (begin + end) // 2
            else:
                cut = int(edges[longest] + edges[longest + 1] + 1) // 2
            places.append(cut)
            waiting += [(begin, cut), (cut, end)]
    return sorted(places)


def joined(parts: Sequence[Decoded], begins: Sequence[float]) -> Decoded:
    """Return the parts of a recording, which begin at ``begins`` seconds, as one utterance."""
    return Decoded(
        parts[0].name,
        phones=[phone for part in parts for phone in part.phones],
        phones_ngram=[phone for part in parts for phone in part.phones_ngram],
        words=[word for part in parts for word in part.words],
        hypotheses=[],
        timed=[
            (word, begin + start, seconds, confidence)
            for part, begin in zip(parts, begins, strict=True)
            for word, start, seconds, confidence in part.timed
        ],
    )


def _seconds(paths: Sequence[Path], least: float, channel: int | None) -> list[float]:
    """Return the durations of recordings; raise `UserError` that names all unusable ones."""
    durations, errors = [], []
    for path in paths:
        try:
            info = audio.inspect(path)
            if info.seconds < least:
                raise UserError(f"{path} lasts {info.seconds:.2f} s, less than {least} s")
            if channel is not None and channel >= info.channels:
                raise UserError(f"{path} has no channel {channel}, only 0 to {info.channels - 1}")
            if info.channels > 1 and channel is None:
                log.warning("warning: %s: using the mean of its %d channels.", path, info.channels)
            durations.append(info.seconds)
        except UserError as error:
            errors.append(str(error))
    if errors:
        raise UserError("nothing was transcribed: " + "; ".join(errors) + ".")
    return durations


def _run_first(recipe: Recipe, root: Path) -> str:
    return f"Stages 0 to 4 of {recipe.name} have not run in {root}. Run them first: ./run.sh."
