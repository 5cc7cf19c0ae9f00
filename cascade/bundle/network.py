"""The network of a bundle, run by onnxruntime."""

from pathlib import Path

import numpy as np
import onnxruntime

from cascade.runtime.errors import UserError

ERRORS_ONLY = 3  # onnxruntime's name for this level of its log
EXTERNAL = "session.model_external_initializers_file_folder_path"


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
