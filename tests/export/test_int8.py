import logging

import pytest
from bundle_files import trained

from cascade.bundle.manifest import FLOAT32, INT8, PHONE_MODELS, STREAM
from cascade.bundle.network import Network
from cascade.bundle.reader import opened
from cascade.export import int8
from cascade.export.pack import pack
from cascade.model.encoders import ENCODERS


@pytest.fixture(params=["lstm"])
def experiment(tmp_path, raw, read, request):
    raw["encoder"] = request.param
    return trained(tmp_path, raw, read)


@pytest.mark.parametrize("experiment", ENCODERS, indirect=True)
def test_a_smaller_network_that_is_as_good_is_packed(experiment, monkeypatch):
    monkeypatch.setattr(int8, "MOST", 100.0)
    level = logging.getLogger().level
    files = pack(experiment, "plain")
    assert logging.getLogger().level == level
    with opened(experiment.layout.bundle_zip("plain")) as bundle:
        small, large = (bundle.folder / name for name in (INT8, FLOAT32))
        if experiment.recipe.encoder != "conformer":  # so small a block has few weights
            assert small.stat().st_size < large.stat().st_size
        rates = bundle.manifest.valid_per
        for kind, path in (("int8", small), ("float32", large)):
            assert rates[kind] == int8.phone_error_rate(Network(path, ""), experiment, "plain")
        card = (bundle.folder / "README.md").read_text(encoding="utf-8")
    assert f"error rate on valid is {rates['float32']:.2f} %" in " ".join(card.split())
    stream = {STREAM} if experiment.recipe.encoder == "lstm" else set()
    assert {path.name for path in files.outputs} == {INT8, PHONE_MODELS} | stream


def test_one_with_more_errors_is_left_out(experiment, monkeypatch, caplog):
    caplog.set_level("INFO", "cascade")
    rates = iter([20.0, 20.31])
    monkeypatch.setattr(int8, "phone_error_rate", lambda *_: next(rates))
    files = pack(experiment, "plain")
    assert "plain: weights of 8 bits are left out: PER on valid rises by 0.31" in caplog.text
    assert {path.name for path in files.outputs} == {PHONE_MODELS, STREAM}
    with opened(experiment.layout.bundle("plain")) as bundle:
        assert INT8 not in bundle.manifest.files
        assert not (bundle.folder / INT8).exists()
        card = " ".join((bundle.folder / "README.md").read_text(encoding="utf-8").split())
    assert "with weights of 8 bits it is 20.31 %, which is too many more errors" in card
