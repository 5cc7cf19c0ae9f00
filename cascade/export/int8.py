"""A network with weights of 8 bits, and whether it is as good as that of 32 bits."""

import logging
from pathlib import Path

import numpy as np
import onnx
from kaldialign import edit_distance
from onnxruntime.quantization import QuantType, quantize_dynamic

from cascade.bundle.manifest import FLOAT32, INT8
from cascade.bundle.network import Network
from cascade.config.experiment import Experiment
from cascade.features.batches import UtteranceSet
from cascade.features.cmn import read_cms_init
from cascade.model.greedy import greedy
from cascade.text.phones import read_phones

MOST = 0.3  # points of phone error rate on valid that the smaller network may be worse
log = logging.getLogger("cascade")


def add_int8(experiment: Experiment, system: str, folder: Path) -> dict[str, float]:
    """Write ``model.int8.onnx`` into ``folder``, unless its phone error rate on valid is too high.

    Return the rates of both networks in per cent. The layers compute with 8 bits, too
    (onnxruntime's dynamic quantisation). Convolutions do not: onnxruntime has none with
    weights of this kind, and depthwise ones have few weights.
    """
    nodes = onnx.load(folder / FLOAT32, load_external_data=False).graph.node
    convolutions = [node.name for node in nodes if node.op_type == "Conv"]
    level = logging.getLogger().level
    logging.getLogger().setLevel(logging.ERROR)  # it logs to the root, on each operator
    try:
        quantize_dynamic(
            folder / FLOAT32,
            folder / INT8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=convolutions,
        )
    finally:
        logging.getLogger().setLevel(level)
    rates = {
        kind: phone_error_rate(Network(folder / name, system), experiment, system)
        for kind, name in (("float32", FLOAT32), ("int8", INT8))
    }
    worse = rates["int8"] - rates["float32"]
    if worse > MOST:
        (folder / INT8).unlink()
        log.info("%s: weights of 8 bits are left out: PER on valid rises by %.2f", system, worse)
    return rates


def phone_error_rate(network: Network, experiment: Experiment, system: str) -> float:
    """Return the error rate of greedy phones on valid in per cent."""
    recipe, layout = experiment.recipe, experiment.layout
    phones = read_phones(layout.system(system) / "phones.txt")
    mean, keys = read_cms_init(layout.cms_init), experiment.dataset_keys("valid")
    utterances = UtteranceSet(layout, keys, phones, recipe.features, mean, keep_short=True)
    errors = count = 0
    for index, labels in enumerate(utterances.labels):
        log_probs = network(np.asarray(utterances.features(index), np.float32))
        (best,) = greedy(log_probs.argmax(axis=1)[None], [len(log_probs)])
        errors += edit_distance(labels.tolist(), best)["total"]
        count += len(labels)
    return round(100 * errors / count, 4) if count else 0.0
