import logging

import numpy as np
import pytest
from bundle_files import trained

from cascade.bundle.manifest import STREAM
from cascade.bundle.reader import opened
from cascade.export.pack import pack
from cascade.features.cmn import write_cms_init
from cascade.runtime.errors import UserError
from cascade.streaming.live_system import load


@pytest.fixture
def bundle(tmp_path, raw, read, request):
    experiment = trained(tmp_path, raw, read, cmn=request.param)
    pack(experiment, "plain")
    with opened(experiment.layout.bundle("plain")) as bundle:
        yield bundle


@pytest.mark.parametrize("bundle", ["online", "utterance"], indirect=True)
def test_means_are_running_ones(bundle, caplog):
    with caplog.at_level(logging.WARNING, "cascade"):
        parts = load(bundle, 3)
    assert parts.features.cmn == "online"
    assert parts.decoder.search.settings.nbest == 3
    warned = "trained with the mean of the complete recording" in caplog.text
    assert warned == (bundle.manifest.features.cmn == "utterance")


@pytest.mark.parametrize("bundle", ["online"], indirect=True)
def test_a_bundle_of_an_older_version(bundle):
    del bundle.manifest.files[STREAM]
    with pytest.raises(UserError, match=r"has no stream.onnx: an older version packed it\. Pack"):
        load(bundle, 1)


@pytest.mark.parametrize("cmn", ["online", "utterance"])
@pytest.mark.parametrize("encoder", ["blstm", "conformer"])
def test_a_network_that_needs_the_complete_recording_is_refused(tmp_path, raw, read, encoder, cmn):
    raw["systems"]["plain"]["encoder"] = encoder
    experiment = trained(tmp_path, raw, read, cmn=cmn)
    pack(experiment, "plain")
    sentence = rf"bundle\.zip cannot recognise while .* a {encoder}, needs the complete recording\."
    zipped = experiment.layout.bundle_zip("plain")
    with opened(zipped) as bundle, pytest.raises(UserError, match=sentence):
        load(bundle, 1)


@pytest.mark.parametrize("bundle", ["online"], indirect=True)
def test_a_network_of_other_sizes_is_refused(bundle):
    tokens = bundle.folder / "tokens.txt"
    tokens.write_text(tokens.read_text() + "ɬ 7\n")
    with pytest.raises(UserError, match=r"refused: stream.onnx takes 120 .* gives 7 phones; .* 8"):
        load(bundle, 1)


@pytest.mark.parametrize("bundle", ["online"], indirect=True)
def test_a_mean_or_shape_that_does_not_fit_is_refused(bundle):
    write_cms_init(bundle.folder / "cms_init.json", np.zeros(39))
    with pytest.raises(UserError, match=r"refused: cms_init.json has 39 values; .* 40 filters\."):
        load(bundle, 1)
    (bundle.folder / "model.json").write_text("[]")
    with pytest.raises(UserError, match=r"refused: its model.json cannot be read\."):
        load(bundle, 1)
