import numpy as np
import onnx
import pytest
from bundle_files import FILTERS, NEURONS, STACK, trained

from cascade.bundle.network import StreamNetwork
from cascade.decoding.network_outputs import AcousticModel
from cascade.export.stream_model import Streamed, stream_to_onnx
from cascade.runtime.errors import UserError

SIZE = FILTERS * STACK


@pytest.fixture
def acoustic(tmp_path, raw, read):
    experiment = trained(tmp_path, raw, read)
    return AcousticModel(experiment.layout.system("plain"))


def saved(acoustic, path):
    onnx.save(stream_to_onnx(Streamed(acoustic.network, "ru")), path)
    return StreamNetwork(path, "bundle")


def test_single_steps_give_what_torch_gives_for_all_of_them(acoustic, tmp_path):
    network = saved(acoustic, tmp_path / "stream.onnx")
    steps = np.random.default_rng(0).normal(0, 2, (60, SIZE)).astype(np.float32)
    expected = acoustic(steps[None])[0]  # (steps, phones)
    state, rows = network.initial(), []
    assert (network.inputs, network.phones) == (SIZE, expected.shape[1])
    assert [part.shape for part in state] == [(2, 1, NEURONS)] * 2
    for step in steps:
        row, state = network(step[None], state)
        rows.append(row)
    ours, allowed = np.concatenate(rows), list(acoustic.config.allowed)
    assert np.abs(ours - expected)[:, allowed].max() < 1e-4
    assert np.abs(ours - network(steps, network.initial())[0])[:, allowed].max() < 1e-4
    others = np.delete(ours, allowed, axis=1)
    assert others.shape[1] == 1 and others.max() < -9000  # phones of other languages


def test_the_state_counts(acoustic, tmp_path):
    network = saved(acoustic, tmp_path / "stream.onnx")
    step = np.ones((1, SIZE), np.float32)
    first, state = network(step, network.initial())
    second, _ = network(step, state)
    assert np.abs(first - second).max() > 1e-3
    assert np.array_equal(first, network(step, network.initial())[0])  # nothing else is kept


def test_another_network_is_refused(acoustic, tmp_path):
    path = tmp_path / "stream.onnx"
    path.write_bytes(b"no")
    with pytest.raises(UserError, match=r"bundle is refused: stream.onnx is no network"):
        StreamNetwork(path, "bundle")


def test_the_same_model_gives_the_same_bytes(acoustic):
    model = Streamed(acoustic.network, "ru")
    first, second = (stream_to_onnx(model).SerializeToString() for _ in range(2))
    assert first == second
