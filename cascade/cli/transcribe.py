"""Recordings without a transcript, put into words by a system that stage 4 has decoded with."""

import dataclasses
import logging
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
import torch

from cascade.config.experiment import Experiment
from cascade.config.recipe import Recipe
from cascade.config.sections import FRAMES_PER_SECOND
from cascade.corpora import audio
from cascade.decoding.decode import Decoded, Decoder
from cascade.decoding.network_outputs import AcousticModel
from cascade.features.batches import normalised, stacked
from cascade.features.cmn import read_cms_init
from cascade.features.filterbank import Filterbank
from cascade.pipeline import stages
from cascade.report import training_curves as learning
from cascade.runtime.errors import UserError
from cascade.runtime.stamp import digest

log = logging.getLogger("cascade")


def choose(experiment: Experiment, system: str | None) -> str:
    """``system``, or the one with the fewest phone errors on valid where none is named.

    Raises `UserError` where the recipe has no such system, or none that is trained.
    """
    recipe, layout = experiment.recipe, experiment.layout
    if system is not None:
        if system not in recipe.systems:
            raise UserError(f"{recipe.name} has no system '{system}': {', '.join(recipe.systems)}.")
        return system
    trained = [name for name in recipe.systems if layout.search(name).exists()]
    if not trained:
        raise UserError(_first(recipe, layout.root))
    rates = {name: learning.trained(layout.system(name))["valid_per"] for name in trained}
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
    """What is said in each recording, in the order of ``paths``.

    Those of more than ``limits.max_seconds`` are searched in parts, cut at pauses: as one they
    would lose good paths for bad ones far away. ``channel`` counts from 0; None is the mean
    of all. Without ``times`` no hypothesis but the best one is looked for, and
    words have no times: that is twice as fast.

    Raises `UserError` before anything is decoded, for all recordings that cannot be read and
    for what stages 0 to 4 have not made.
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
            raise UserError(f"There is no {path}. {_first(recipe, layout.root)}")
    stages.warn(experiment, (3, 4))
    features, nbest = recipe.features, max(recipe.decode.nbest, 1) if times else 0
    step = (features.stack + 1) / FRAMES_PER_SECOND  # what one step of the network needs
    least = max(recipe.limits.min_seconds, step)
    seconds = _seconds(paths, least, channel)
    acoustic = AcousticModel(layout.system(system))
    acoustic.check_phones(layout)
    if acoustic.config.inputs != features.filters * features.stack:
        raise UserError(
            f"{layout.system(system)} takes {acoustic.config.inputs} values in a step, and"
            f" {features.stack} frames of {features.filters} filters were computed from audio: it"
            " was trained on features that came from elsewhere, or with other settings."
        )
    decode = dataclasses.replace(recipe.decode, nbest=nbest)
    tuned = dataclasses.replace(recipe, decode=decode)
    decoder = Decoder(dataclasses.replace(experiment, recipe=tuned), system)
    filterbank, mean = Filterbank(features.rate, features.filters), read_cms_init(layout.cms_init)
    for path, length in zip(paths, seconds, strict=True):
        row = {"id": path.name, "audio": path, "start": 0.0, "duration": length, "channel": channel}
        found = filterbank.features({**row, "sha256": digest(path).sha256})  # (frames, filters)
        inputs = stacked(normalised(found, features, mean), features.stack)
        log_probs = acoustic(inputs[None])[0]  # (T, phones)
        most = int(recipe.limits.max_seconds * FRAMES_PER_SECOND / features.stack)
        begins = [0, *cuts(log_probs.argmax(axis=1) == 0, most)]
        found = [decoder(path.name, part) for part in np.split(log_probs, begins[1:])]
        yield joined(found, [begin * decoder.seconds for begin in begins])


def cuts(blank: np.ndarray, most: int) -> list[int]:
    """Where to cut so that no part has more than ``most`` frames: in the longest pauses.

    ``blank`` (T,) says of each frame whether the network hears no phone. A part is cut in the
    middle of the longest pause that its middle half has; where it has none, in two halves.
    """
    found, waiting = [], [(0, len(blank))]
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
            found.append(cut)
            waiting += [(begin, cut), (cut, end)]
    return sorted(found)


def joined(parts: Sequence[Decoded], begins: Sequence[float]) -> Decoded:
    """The parts of a recording, which begin at ``begins`` seconds, as one utterance."""
    lists = {
        field: list(chain.from_iterable(getattr(part, field) for part in parts))
        for field in ("phones", "phones_ngram", "words")
    }
    timed = [
        (word, begin + start, seconds, sure)
        for part, begin in zip(parts, begins, strict=True)
        for word, start, seconds, sure in part.timed
    ]
    return dataclasses.replace(parts[0], **lists, hypotheses=[], timed=timed)


def _seconds(paths: Sequence[Path], least: float, channel: int | None) -> list[float]:
    """How long recordings are; raises `UserError` that names all that cannot be used."""
    found, wrong = [], []
    for path in paths:
        try:
            info = audio.inspect(path)
            if info.seconds < least:
                raise UserError(f"{path} lasts {info.seconds:.2f} s: {least} s is the least")
            if channel is not None and channel >= info.channels:
                raise UserError(
                    f"{path} has no channel {channel}: they are 0 to {info.channels - 1}"
                )
            if info.channels > 1 and channel is None:
                log.warning("warning: %s: the mean of its %d channels.", path, info.channels)
            found.append(info.seconds)
        except UserError as error:
            wrong.append(str(error))
    if wrong:
        raise UserError("nothing was transcribed: " + "; ".join(wrong) + ".")
    return found


def _first(recipe: Recipe, root: Path) -> str:
    return f"Stages 0 to 4 of {recipe.name} are not done in {root}: run them, by ./run.sh, first."
