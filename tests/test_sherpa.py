"""sherpa-onnx, a program of others, runs a bundle as it is, and recognises the same."""

import numpy as np
import pytest
import sherpa_onnx
from bundle_files import FILTERS, trained

from cascade.bundle.reader import opened
from cascade.corpora import audio
from cascade.export.pack import pack
from cascade.recognition.packed_system import PackedSystem
from cascade.recognition.recordings import transcribe

RATE = 16000


RUNNING = {"cmn": "online", "cmn_window": 50, "cmn_global": 10}
WAYS = [("lstm", {}), ("lstm", RUNNING), ("blstm", {}), ("blstm", RUNNING), ("conformer", {})]


@pytest.fixture(params=WAYS)
def experiment(tmp_path, raw, read, request):
    raw["encoder"], features = request.param
    return trained(tmp_path, raw, read, **features)


def recogniser(folder, model: str, **more):
    return sherpa_onnx.OfflineRecognizer.from_zipformer_ctc(
        model=str(folder / model), tokens=str(folder / "tokens.txt"), feature_dim=FILTERS, **more
    )


def result(recogniser, samples):
    stream = recogniser.create_stream()
    stream.accept_waveform(RATE, samples)
    recogniser.decode_stream(stream)
    return stream.result


def test_phones_and_words_are_ours(experiment, wav, tmp_path):
    pack(experiment, "plain")
    folder = experiment.layout.bundle("plain")
    lengths = np.linspace(0.4, 2.5, 12)
    paths = [wav(tmp_path / f"{i}.wav", seconds, seed=i) for i, seconds in enumerate(lengths)]
    phones = recogniser(folder, "model.onnx")
    graph = str(folder / "graph.fst")
    words = recogniser(folder, "words.onnx", ctc_graph=graph, ctc_max_active=3000)
    spoken = 0
    with opened(folder) as bundle:
        for path, ours in zip(paths, transcribe(PackedSystem(bundle, 0), paths), strict=True):
            samples = audio.read(path, RATE, 0.0, ours.seconds)
            (part,) = ours.parts
            assert result(phones, samples).tokens == part.decoded.phones
            assert [ours.table[i] for i in result(words, samples).words] == ours.words
            spoken += len(ours.words)
    assert spoken > 0
