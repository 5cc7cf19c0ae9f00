"""A system that starts from a bundle, which may come from somebody else."""

import pytest
import torch
from bundle_files import FILTERS, NEURONS, STACK, trained

from cascade.export.pack import pack
from cascade.model.network import Network
from cascade.model.saved_model import load_model
from cascade.pipeline import model_jobs
from cascade.runtime.errors import UserError
from cascade.training.setup import _load_start

PHONES = ["<blk>", "a", "b", "k", "o", "s", "t", "ʒ"]  # the bundle has none of b and ʒ


@pytest.mark.parametrize("kind", ["bundle", "bundle.zip"])
def test_weights_of_a_bundle_are_loaded_and_new_phones_are_named(tmp_path, raw, read, kind):
    packed = trained(tmp_path / "theirs", raw, read)
    pack(packed, "plain")
    start = packed.layout.system("plain") / kind
    raw["systems"]["more"] = {"layers": [1, 1], "neurons": NEURONS, "start": str(start)}
    experiment = trained(tmp_path / "ours", raw, read)
    outputs = dict.fromkeys(("ru", "en"), range(len(PHONES)))
    network = Network(outputs, FILTERS * STACK, len(PHONES), [1, 1], NEURONS)
    torch.nn.init.zeros_(network.upper["shared"][-1].weight)
    message = _load_start(experiment, "more", network, PHONES, write=True)
    assert f"starts from {start}:" in message
    assert message.endswith("; phones that it lacks, new: b ʒ")
    theirs = load_model(packed.layout.system("plain"))[0].path_of("ru")
    ours = network.path_of("ru")
    assert torch.equal(ours["layer1.lstm.weight_ih_l0"], theirs["layer1.lstm.weight_ih_l0"])
    rows = ours["output.weight"]
    assert torch.equal(rows[PHONES.index("o")], theirs["output.weight"][3])
    assert not rows[PHONES.index("ʒ")].any() and not rows[PHONES.index("b")].any()
    job = next(job for job in model_jobs.systems(experiment, 1, False) if job.name == "more")
    assert start in job.inputs or start / "model.safetensors" in job.inputs


def test_a_model_of_another_encoder_is_refused(tmp_path, raw, read):
    packed = trained(tmp_path / "theirs", raw | {"encoder": "conformer"}, read)
    start = f"{packed.layout.system('plain')}"
    raw["systems"]["more"] = {"layers": [1, 1], "neurons": NEURONS, "start": start}
    experiment = trained(tmp_path / "ours", raw, read)
    outputs = dict.fromkeys(("ru", "en"), range(len(PHONES)))
    for encoder in ("lstm", "blstm", "conformer"):
        sizes = FILTERS * STACK, len(PHONES), [1, 1], NEURONS
        network = Network(outputs, *sizes, encoder=encoder)
        if encoder == "conformer":
            message = _load_start(experiment, "more", network, PHONES, write=False)
            assert "upper.shared.1" not in message and "tensors loaded" in message
            continue
        with pytest.raises(
            UserError, match=r"systems\.more: the layers of the model in .* are not"
        ):
            _load_start(experiment, "more", network, PHONES, write=False)


def test_a_bundle_that_is_missing_is_said_before_anything_runs(tmp_path, raw, read):
    raw["systems"] = {"more": {"layers": [4], "start": "models/theirs.zip"}}
    with pytest.raises(UserError, match=r"models/theirs\.zip, but models/theirs\.zip is missing"):
        model_jobs.check_training(trained(tmp_path, raw, read))
