"""The network of a bundle, run by onnxruntime: on complete recordings, or step by step."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from cascade.runtime.errors import UserError

ERRORS_ONLY = 3  # onnxruntime's name for this level of its log
EXTERNAL = "session.model_external_initializers_file_folder_path"
State = tuple[np.ndarray, np.ndarray]  # outputs and cells of the LSTMs: (layers, 1, neurons) each


class Network:
    """A network as an ONNX file: features (T, C) in, log-probabilities (steps, phones) out.

    ``bundle`` names the bundle for messages. Raises `UserError` for a file that is no such network.
    """

    def __init__(self, path: Path, bundle: str):
        self._name = f"{bundle} is refused: {path.name}"
        try:
            self._session = _session(path)
            inputs, outputs = _shapes(self._session)
            self.inputs, self.phones = inputs["x"][2], outputs["log_probs"][2]
            assert len(inputs["x_lens"]) == len(outputs["log_probs_len"]) == 1
        except Exception as error:  # onnxruntime has its own classes, all below this one
            raise _no_network(self._name, error) from None

    def check(self, filters: int, phones: int) -> None:
        """Raise `UserError` for another number of filters or phones than the bundle has."""
        if (self.inputs, self.phones) != (filters, phones):
            raise UserError(
                f"{self._name} takes {self.inputs} filters and gives {self.phones} phones; the"
                f" bundle has {filters} and {phones}."
            )

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Return log-probabilities (steps, phones) of features (T, C)."""
        lengths = np.array([len(features)], np.int64)
        log_probs, steps = self._session.run(None, {"x": features[None], "x_lens": lengths})
        _check_size(self._name, log_probs, self.phones)
        result: np.ndarray = log_probs[0, : int(steps[0])]  # (1, steps, phones) -> (steps, phones)
        return result


class StreamNetwork:
    """A network as an ONNX file with its state: steps (T, C) in, (T, phones) and a state out.

    C is filters times stacked frames, normalised. Arguments and errors are those of `Network`.
    """

    def __init__(self, path: Path, bundle: str):
        self._name = f"{bundle} is refused: {path.name}"
        try:
            self._session = _session(path)
            inputs, outputs = _shapes(self._session)
            self.inputs, self.phones = inputs["x"][2], outputs["log_probs"][2]
            layers, _, neurons = inputs["h"]
            self._zeros = np.zeros((layers, 1, neurons), np.float32)
            assert inputs["c"][::2] == outputs["next_h"][::2] == outputs["next_c"][::2]
            assert inputs["c"][::2] == [layers, neurons]
        except Exception as error:
            raise _no_network(self._name, error) from None

    def initial(self) -> State:
        """Return the state before the first step."""
        return self._zeros, self._zeros

    def __call__(self, steps: np.ndarray, state: State) -> tuple[np.ndarray, State]:
        """Return log-probabilities (T, phones) of the next steps (T, C), and the state after them.

        Of the same steps in one call or in several, the last digits may differ.
        """
        h, c = state
        feeds = {"x": steps[None], "h": h, "c": c}  # (T, C) -> (1, T, C)
        log_probs, h, c = self._session.run(["log_probs", "next_h", "next_c"], feeds)
        _check_size(self._name, log_probs, self.phones)
        return log_probs[0], (h, c)  # (1, T, phones) -> (T, phones)


def _session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = ERRORS_ONLY
    options.add_session_config_entry(EXTERNAL, str(path.parent))  # nothing from elsewhere
    return onnxruntime.InferenceSession(
        path.read_bytes(), options, providers=["CPUExecutionProvider"]
    )


def _shapes(session: onnxruntime.InferenceSession) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the shapes of the inputs and of the outputs by name."""
    inputs = {one.name: one.shape for one in session.get_inputs()}
    return inputs, {one.name: one.shape for one in session.get_outputs()}


def _no_network(name: str, error: Exception) -> UserError:
    return UserError(f"{name} is no network ({' '.join(str(error).split())}).")


def _check_size(name: str, log_probs: np.ndarray, phones: int) -> None:
    """Raise `UserError` for outputs of another size than the file says: onnxruntime only warns."""
    if log_probs.ndim != 3 or log_probs.shape[2] != phones:
        raise UserError(f"{name} gives outputs of another size than it says.")
