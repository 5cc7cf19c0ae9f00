"""A bundle as a recogniser, with onnxruntime in place of torch."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnxruntime

from cascade.bundle.reader import Bundle
from cascade.config.sections import FRAMES_PER_SECOND, Features, Limits
from cascade.decoding.decoder import Decoder, Search
from cascade.features.numpy_filterbank import NumpyFilterbank
from cascade.lm.const_fst import check_graph
from cascade.recognition.recordings import Recogniser
from cascade.runtime.errors import UserError

FLOAT32, INT8 = "model.onnx", "model.int8.onnx"
ERRORS_ONLY = 3  # onnxruntime's name for this level of its log
EXTERNAL = "session.model_external_initializers_file_folder_path"


@dataclass(frozen=True)
class PackedSystem:
    """The system of a bundle; ``nbest`` is the length of its n-best lists, ``network`` its file.

    The values differ from those of the experiment in the last digits.
    """

    bundle: Bundle
    nbest: int
    network: str = FLOAT32

    @property
    def features(self) -> Features:
        return self.bundle.manifest.features

    @property
    def limits(self) -> Limits:
        return self.bundle.manifest.limits

    def load(self) -> Recogniser:
        """Load the network and the graphs; raise `UserError` where they do not go together."""
        decoder, features = self._decoder(), self.features
        network = Network(self.bundle.folder / self.network, self.bundle.name)
        if network.inputs != features.filters or network.phones != len(decoder.phones):
            raise UserError(
                f"{self.bundle.name} is refused: {self.network} takes {network.inputs} filters and"
                f" gives {network.phones} phones; the bundle has {features.filters} and"
                f" {len(decoder.phones)}."
            )
        return Recogniser(
            NumpyFilterbank(features.rate, features.filters).energies, network, decoder
        )

    def _decoder(self) -> Decoder:
        folder, manifest = self.bundle.folder, self.bundle.manifest
        words = Search(
            folder / "graph.fst",
            folder / "words.txt",
            replace(manifest.words, nbest=self.nbest),
        )
        phones = Search(folder / "phone_graph.fst", folder / "phone_words.txt", manifest.phones)
        seconds = self.features.stack / FRAMES_PER_SECOND
        outputs = _lines(folder / "tokens.txt")
        for search in (words, phones):  # before anything reads it
            if problem := check_graph(search.graph, outputs, _lines(search.words)):
                raise UserError(f"{self.bundle.name} is refused: {search.graph.name}: {problem}.")
        return Decoder(folder / "tokens.txt", words, phones, folder / "lexicon.txt", seconds)


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n")


class Network:
    """A network as an ONNX file: features (T, C) in, log-probabilities (steps, phones) out.

    ``bundle`` names the bundle for messages. Raises `UserError` for a file that is no such network.
    """

    def __init__(self, path: Path, bundle: str):
        self._name = f"{bundle} is refused: {path.name}"
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = ERRORS_ONLY
        options.add_session_config_entry(EXTERNAL, str(path.parent))  # nothing from elsewhere
        try:
            content = path.read_bytes()
            self._session = onnxruntime.InferenceSession(
                content, options, providers=["CPUExecutionProvider"]
            )
            inputs = {one.name: one.shape for one in self._session.get_inputs()}
            outputs = [one.shape for one in self._session.get_outputs()]
            self.inputs, self.phones = inputs["x"][2], outputs[0][2]
            assert len(inputs["x_lens"]) == len(outputs[1]) == 1
        except Exception as error:  # onnxruntime has its own classes, all below this one
            reason = " ".join(str(error).split())
            raise UserError(f"{self._name} is no network ({reason}).") from None

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Return log-probabilities (steps, phones) of features (T, C)."""
        lengths = np.array([len(features)], np.int64)
        log_probs, steps = self._session.run(None, {"x": features[None], "x_lens": lengths})
        if log_probs.ndim != 3 or log_probs.shape[2] != self.phones:  # onnxruntime only warns
            raise UserError(f"{self._name} gives outputs of another size than it says.")
        result: np.ndarray = log_probs[0, : int(steps[0])]  # (1, steps, phones) -> (steps, phones)
        return result
