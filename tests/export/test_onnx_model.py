import numpy as np
import onnxruntime
import pytest
from bundle_files import FILTERS, STACK, trained

from cascade.config.sections import Decode, Features
from cascade.decoding.network_outputs import AcousticModel
from cascade.decoding.word_search import WordSearch
from cascade.export.onnx_model import Exported, to_onnx
from cascade.features.cmn import read_cms_init
from cascade.features.inputs import network_inputs
from cascade.model.encoders import ENCODERS

LENGTHS = (200, 151, 32)
MEANS = [
    {"cmn": "utterance"},
    {"cmn": "utterance", "smooth": 0.25},
    {"cmn": "online", "cmn_window": 60, "cmn_global": 20},
    {"cmn": "online", "cmn_window": 600, "cmn_global": 200},
    {"cmn": "online", "cmn_window": 600, "cmn_global": 20, "cmn_start": 100},
    {"cmn": "online", "cmn_window": 10, "cmn_global": 0, "smooth": 0.5},
]


@pytest.fixture(params=["lstm"])
def acoustic(tmp_path, raw, read, request):
    raw["encoder"] = request.param
    experiment = trained(tmp_path, raw, read)
    mean = read_cms_init(experiment.layout.cms_init)
    return AcousticModel(experiment.layout.system("plain")), mean


def features(seed=0) -> np.ndarray:
    """Three utterances (N, T, C), padded with rubbish."""
    return np.random.default_rng(seed).normal(-8, 3, (3, 200, FILTERS)).astype(np.float32)


def run(model: Exported, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    session = onnxruntime.InferenceSession(to_onnx(model, "a test").SerializeToString())
    names = [output.name for output in session.get_outputs()]
    assert names == ["log_probs", "log_probs_len"]
    return session.run(None, {"x": x, "x_lens": np.array(LENGTHS[: len(x)])})


@pytest.mark.parametrize(
    ("acoustic", "means"),
    [*(("lstm", means) for means in MEANS), ("blstm", MEANS[1]), ("conformer", MEANS[1])],
    indirect=["acoustic"],
)
def test_log_probabilities_are_those_of_torch(acoustic, means):
    network, mean = acoustic
    settings = Features(filters=FILTERS, stack=STACK, **means)
    x = features()
    log_probs, lengths = run(Exported(network.network, "ru", settings, mean), x)
    assert lengths.tolist() == [n // STACK for n in LENGTHS]
    allowed = list(network.config.allowed)
    for row, utterance, frames in zip(log_probs, x, LENGTHS, strict=True):
        inputs = network_inputs(utterance[:frames], settings, mean)
        expected = network(inputs[None])[0]
        ours = row[: frames // STACK]
        assert np.abs(ours - expected)[:, allowed].max() < 1e-4
        others = np.delete(ours, allowed, axis=1)
        assert others.shape[1] == 1 and others.max() < -9000  # phones of other languages


def test_scores_are_those_of_the_search_for_words(acoustic):
    network, mean = acoustic
    settings = Features(filters=FILTERS, stack=STACK)
    search = Decode(acoustic_scale=0.8, blank_penalty=1.5)
    log_probs, _ = run(Exported(network.network, "ru", settings, mean), features()[:1])
    scores, _ = run(Exported(network.network, "ru", settings, mean, search), features()[:1])
    expected = WordSearch.scores(log_probs[0], search)
    assert np.allclose(scores[0], expected, rtol=1e-6, atol=1e-5)


def test_metadata_is_that_of_a_zipformer(acoustic):
    network, mean = acoustic
    model = to_onnx(Exported(network.network, "ru", Features(stack=STACK), mean), "ru_en lower")
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    assert metadata == {
        "model_type": "zipformer2_ctc",
        "version": "1",
        "model_author": "cascade",
        "comment": "ru_en lower",
        "vocab_size": "7",
        "subsampling_factor": "3",
    }


@pytest.mark.parametrize("acoustic", ENCODERS, indirect=True)
def test_the_same_model_gives_the_same_bytes(acoustic):
    network, mean = acoustic
    model = Exported(network.network, "ru", Features(stack=STACK), mean)
    first, second = (to_onnx(model, "").SerializeToString() for _ in range(2))
    assert first == second
