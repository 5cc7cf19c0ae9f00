"""A system of an experiment as a recogniser: one that stage 4 has decoded with."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cascade.config.experiment import Experiment
from cascade.config.recipe import Recipe
from cascade.config.sections import FRAMES_PER_SECOND, Features, Language, Limits
from cascade.decoding.decoder import decoder_of
from cascade.features.cmn import read_cms_init
from cascade.pipeline import stages
from cascade.recognition.recordings import Heard, Recogniser
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


@dataclass(frozen=True)
class TrainedSystem:
    """A system of an experiment; ``nbest`` is the length of its n-best lists.

    With 0 only the best hypothesis is searched for, and words have no times: twice as fast.
    Raises `UserError` if stages 0 to 4 have not run.
    """

    experiment: Experiment
    system: str
    nbest: int

    def __post_init__(self) -> None:
        layout, system = self.experiment.layout, self.system
        for path in (
            *(layout.phones, layout.lexicon, layout.graph, layout.words),
            *(layout.phone_graph, layout.phone_words),
            *(layout.cms_init, layout.model(system), layout.search(system)),
            layout.phone_search(system),
        ):
            if not path.exists():
                run_first = _run_first(self.experiment.recipe, layout.root)
                raise UserError(f"{path} is missing. {run_first}")
        stages.warn(_in_one_pass(self.experiment), (3, 4))

    @property
    def features(self) -> Features:
        return self.experiment.recipe.features

    @property
    def limits(self) -> Limits:
        return self.experiment.recipe.limits

    @property
    def language(self) -> str:
        return self.experiment.recipe.target

    @property
    def rule(self) -> Language:
        return self.experiment.recipe.target_language

    @property
    def training(self) -> list[Path]:
        recipe, layout = self.experiment.recipe, self.experiment.layout
        used, system = list(recipe.role("valid")), self.system
        while system:
            used += [d for stream in recipe.speech_of(system).values() for d in stream]
            system = recipe.before(system) or ""
        keys = dict.fromkeys(map(self.experiment.dataset_key, used))
        return [layout.cuts(key) for key in keys if layout.cuts(key).exists()]

    def load(self) -> Recogniser:
        """Load the network and the graphs; raise `UserError` where they do not go together."""
        import torch  # takes seconds

        from cascade.adaptation.adapt import RecognisedSpeech, adapt
        from cascade.decoding.network_outputs import AcousticModel
        from cascade.features.filterbank import Filterbank
        from cascade.features.inputs import network_inputs

        torch.set_num_threads(1)
        layout, features = self.experiment.layout, self.features
        acoustic = AcousticModel(layout.system(self.system))
        acoustic.check_phones(layout)
        if acoustic.config.inputs != features.filters * features.stack:
            raise UserError(
                f"{layout.system(self.system)} takes {acoustic.config.inputs} values in a step, but"
                f" {features.stack} frames of {features.filters} filters are computed from audio:"
                " it was trained with other settings, or on features without audio."
            )
        mean = read_cms_init(layout.cms_init)

        def log_probs(matrix: np.ndarray) -> np.ndarray:
            inputs = network_inputs(matrix, features, mean)  # (steps, C)
            return acoustic(inputs[None])[0]  # (steps, phones)

        def adapted(heard: Sequence[Heard]) -> None:
            speech = RecognisedSpeech(heard, acoustic.phones, features, mean)
            seconds, recipe = speech.frames.sum() / FRAMES_PER_SECOND, self.experiment.recipe
            if not len(speech) or seconds < recipe.adapt.min_seconds:
                log.warning(
                    "warning: %.1f s of speech were recognised, less than adapt.min_seconds: %g."
                    " The network stays as it is.",
                    *(seconds, recipe.adapt.min_seconds),
                )
                return
            log.info("%s adapts to %.1f s of speech.", self.system, seconds)
            adapt(acoustic.network, speech, range(len(speech)), recipe, self.system, 0)

        filterbank = Filterbank(features.rate, features.filters)
        decoder = decoder_of(self.experiment, self.system, self.nbest)
        return Recogniser(filterbank.energies, log_probs, decoder, adapted)


def _in_one_pass(experiment: Experiment) -> Experiment:
    """Return the experiment without the tests in which networks adapt: nothing here uses them."""
    datasets = tuple(replace(dataset, adapt=None) for dataset in experiment.recipe.datasets)
    return replace(experiment, recipe=replace(experiment.recipe, datasets=datasets))


def _run_first(recipe: Recipe, root: Path) -> str:
    return (
        f"Stages 0 to 4 of {recipe.name} have not run in {root}. Run them first: ./run.sh with the"
        " same --recipe and --exp."
    )
