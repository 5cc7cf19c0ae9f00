"""What a trained network computes: log-probabilities of phones, frame by frame."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from cascade.config.experiment import Experiment
from cascade.config.layout import Layout
from cascade.features.batches import UtteranceSet
from cascade.features.cmn import read_cms_init
from cascade.model.saved_model import load_model
from cascade.runtime.errors import UserError
from cascade.runtime.workers import FromFiles, working_on
from cascade.text.phones import read_phones

BATCH_SECONDS = 60.0  # fixed, and batches are never split: --nj changes no figure


class AcousticModel:
    """A trained network: stacked features of utterances in, log-probabilities of phones out."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.network, self.config = load_model(folder)
        self.phones = read_phones(folder / "phones.txt")

    def check_phones(self, layout: Layout) -> None:
        """Raise `UserError` where the graphs have other phones."""
        if self.phones != read_phones(layout.phones):
            raise UserError(
                f"{self.folder} was trained on other phones than those of {layout.phones}, which"
                " the graphs are of. Run stage 3 again."
            )

    @torch.inference_mode()
    def __call__(self, inputs: np.ndarray, lengths: np.ndarray | None = None) -> np.ndarray:
        """Return log-probabilities (N, T, phones) for inputs (N, T, C).

        ``lengths`` (N,) are the frames of each utterance; default: all are T frames long.
        """
        language = self.config.language
        sizes = None if lengths is None else {language: torch.from_numpy(lengths)}
        log_probs: torch.Tensor = self.network({language: torch.from_numpy(inputs)}, sizes)[0]
        return log_probs.numpy()


class NetworkOutputs(FromFiles):
    """The log-probabilities that a system gives the utterances of some data sets.

    A batch is computed when it is asked for. Raises `UserError` where the system was trained
    on other phones or other features.
    """

    def __init__(self, experiment: Experiment, system: str, keys: Sequence[str]):
        layout = experiment.layout
        self.acoustic = AcousticModel(layout.system(system))
        mean, phones = read_cms_init(layout.cms_init), self.acoustic.phones
        self.acoustic.check_phones(layout)
        size = len(mean) * experiment.recipe.features.stack
        if self.acoustic.config.inputs != size:
            raise UserError(
                f"{self.acoustic.folder} takes {self.acoustic.config.inputs} values in a step, and"
                f" the features have {size}: it was trained on others. Run stage 3 again."
            )
        features = experiment.recipe.features
        self.utterances = UtteranceSet(layout, keys, phones, features, mean, keep_short=True)

    def batches(self, indices: Iterable[int] | None = None) -> Iterator[list[int]]:
        """Yield ``indices`` batch by batch. Default: those of all utterances."""
        return self.utterances.in_order(BATCH_SECONDS, indices)

    def __call__(self, indices: Sequence[int]) -> list[tuple[str, np.ndarray]]:
        """Return the names of a batch's utterances, each with log-probabilities (T, phones)."""
        working_on(self.utterances.ids[indices[0]])  # the first of those in this batch
        batch = self.utterances.batch(indices)
        log_probs = self.acoustic(batch.inputs.numpy(), batch.lengths.numpy())
        rows = zip(batch.ids, log_probs, batch.lengths.tolist(), strict=True)
        return [(name, row[:length]) for name, row, length in rows]
