"""A bundle against stage 4, and in streams: see bundle.sh, sherpa.sh and stream.sh."""

import argparse
import json
import os
import resource
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import sherpa_onnx
import soundfile

from cascade.bundle.reader import Bundle, opened
from cascade.config.experiment import Experiment
from cascade.config.layout import Layout
from cascade.config.recipe import read_recipe
from cascade.corpora import audio
from cascade.features.inputs import network_inputs
from cascade.lm.graph import read_words
from cascade.lm.spelling import joined
from cascade.runtime.files import read_jsonl_gz, read_text_table
from cascade.streaming.live_system import load
from cascade.streaming.stream import Final, Stream, Utterance

NEVER = -9000  # phones of other languages have less
KINDS = ("phones", "phones_ngram", "words")
GRAPHS = """
import sys, time
from pathlib import Path
from cascade.bundle.reader import opened
from cascade.recognition.packed_system import PackedSystem
begun = time.process_time()
with opened(Path(sys.argv[1])) as bundle:
    PackedSystem(bundle, 10).decoder()
print(time.process_time() - begun)
"""
Key = tuple[str, str]  # a test set and an utterance


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("system", nargs="?")
    parser.add_argument("--python", help="a Python without torch; default: run sherpa-onnx")
    parser.add_argument("--stream", action="store_true", help="streams against complete recordings")
    options = parser.parse_args()
    recipe = read_recipe(Path("recipes") / options.folder.name / "recipe.yaml")
    layout = Layout(options.folder, Path("downloads"), Path("data"))
    experiment = Experiment(recipe, layout)
    system = options.system or next(iter(recipe.systems))
    if options.stream:
        with tempfile.TemporaryDirectory() as temporary, opened(layout.bundle(system)) as bundle:
            in_streams(bundle, dict(recordings(experiment, Path(temporary))))
        return
    decoded = {
        (dataset.label, name, kind): tokens
        for dataset in recipe.role("test")
        for kind in KINDS
        for name, tokens in read_text_table(
            layout.decode(system, dataset.label) / f"{kind}.txt"
        ).items()
    }
    with tempfile.TemporaryDirectory() as temporary, opened(layout.bundle(system)) as bundle:
        paths = dict(recordings(experiment, Path(temporary)))
        if options.python:
            without_torch(options.python, bundle, paths, decoded)
        else:
            by_sherpa(bundle, paths, decoded)


def recordings(experiment: Experiment, temporary: Path) -> Iterator[tuple[Path, Key]]:
    """Yield the test utterances as files; parts of a recording are written to ``temporary``."""
    rate = experiment.recipe.features.rate
    for dataset in experiment.recipe.role("test"):
        for cut in read_jsonl_gz(experiment.layout.cuts(experiment.dataset_key(dataset))):
            path = Path(cut["recording"]["sources"][0]["source"])
            if cut["start"] or abs(audio.inspect(path).seconds - cut["duration"]) > 0.01:
                samples = audio.read(path, rate, cut["start"], cut["duration"], channel_of(cut))
                path = temporary / f"{dataset.label}-{cut['id'].replace('/', '_')}.wav"
                soundfile.write(path, samples, rate, subtype="FLOAT")
            yield path.absolute(), (dataset.label, cut["id"])


def channel_of(cut: dict) -> int | None:
    """The channel of a cut; None for the mean of several."""
    channel = cut.get("channel", 0)
    return channel if isinstance(channel, int) else None


def without_torch(python: str, bundle: Bundle, paths: dict[Path, Key], decoded: dict) -> None:
    """Transcribe in another environment; print the differences and what it takes."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    environment["OMP_NUM_THREADS"] = "1"

    def run(*command: object) -> tuple[str, float]:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [python, *map(str, command)],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return done.stdout, spent

    assert subprocess.run([python, "-c", "import torch"], capture_output=True).returncode != 0
    lengths = {path: audio.inspect(path).seconds for path in paths}
    shortest = min(lengths, key=lambda path: lengths[path])
    command = ("-m", "cascade", "transcribe", "--json", "--bundle", bundle.folder.absolute())
    _, first = run(*command, shortest)  # fills the caches of Python
    _, first = run(*command, shortest)
    graphs = float(run("-c", GRAPHS, bundle.folder.absolute())[0])
    output, spent = run(*command, *paths)
    phones = words = 0
    for line in output.splitlines():
        row = json.loads(line)
        key = paths[Path(row["file"])]
        said = " ".join(part["phones"] for part in row["parts"]).split()
        phones += said != decoded[(*key, "phones_ngram")]
        words += row["text"].split() != decoded[(*key, "words")]
    assert len(output.splitlines()) == len(paths)
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    rates = bundle.manifest.valid_per
    speech = sum(lengths.values())
    print(f"{len(paths)} recordings, {speech:.0f} s; {graphs:.2f} s for graphs and words")
    print(
        f"phones_differ={phones} words_differ={words} rtf={(spent - first) / speech:.4f}"
        f" rss_mb={memory} start_s={first - graphs:.2f}"
        f" int8_per={rates['int8'] - rates['float32']:.2f}"
    )


def by_sherpa(bundle: Bundle, paths: dict[Path, Key], decoded: dict) -> None:
    """Recognise with sherpa-onnx; print every difference, and their number."""
    folder, features = bundle.folder, bundle.manifest.features
    rate = features.rate

    def recogniser(model: str, **more: object) -> sherpa_onnx.OfflineRecognizer:
        return sherpa_onnx.OfflineRecognizer.from_zipformer_ctc(
            model=str(folder / model),
            tokens=str(folder / "tokens.txt"),
            sample_rate=rate,
            feature_dim=features.filters,
            **more,
        )

    of_phones = recogniser("model.onnx")
    active = bundle.manifest.words.max_active
    of_words = recogniser("words.onnx", ctc_graph=str(folder / "graph.fst"), ctc_max_active=active)
    table = read_words(folder / "words.txt")
    differ = dict.fromkeys(("phones", "words"), 0)
    for path, key in paths.items():
        samples = audio.read(path, rate, 0.0, audio.inspect(path).seconds)

        def result(recogniser, samples=samples):
            stream = recogniser.create_stream()
            stream.accept_waveform(rate, samples)
            recogniser.decode_stream(stream)
            return stream.result

        found = {
            "phones": list(result(of_phones).tokens),
            "words": joined(table[i] for i in result(of_words).words),
        }
        for kind, tokens in found.items():
            differ[kind] += report(key, kind, tokens, decoded[(*key, kind)])
    print(
        f"utterances={len(paths)} phones_differ={differ['phones']} words_differ={differ['words']}"
    )


def in_streams(bundle: Bundle, paths: dict[Path, Key]) -> None:
    """Recognise complete recordings, and the same in pieces; print the differences.

    Both have running means. All pieces must give equal results. Words, phones and times must be
    those of the complete recording. Its outputs of the network differ in the last digits (by less
    than 0.001), and so the confidences may: paths at the edge of the pruned lattice come or go.
    """
    parts = load(bundle, 10)
    rate, random = parts.features.rate, np.random.default_rng(0)
    differ, farthest, least_sure = 0, 0.0, 0.0
    for path, key in paths.items():
        samples = audio.read(path, rate, 0.0, audio.inspect(path).seconds)
        steps = network_inputs(parts.bank.energies(samples), parts.features, parts.mean)
        expected, _ = parts.network(steps, parts.network.initial())
        whole = Utterance(parts.decoder, 0, expected).end()
        sizes = {f"{ms} ms": np.full(len(samples), ms * rate // 1000) for ms in (10, 100, 1000)}
        sizes["random"] = random.integers(1, rate, len(samples))
        first = None
        for name, pieces in sizes.items():
            ends = np.cumsum(pieces)
            ends = ends[ends < len(samples)]
            stream = Stream(parts, None)
            events = [event for piece in np.split(samples, ends) for event in stream.accept(piece)]
            ours = [*events, *stream.finish()][-1]
            assert isinstance(ours, Final)
            first = first or ours
            outputs = stream.utterance.log_probs()
            distance = np.inf
            if outputs.shape == expected.shape:
                distance = np.abs(outputs - expected)[expected > NEVER].max(initial=0)
            farthest = max(farthest, distance)
            same = distance < 1e-3 and ours == first
            if not same or without_confidences(ours) != without_confidences(whole):
                print(f"{' '.join(key)}, pieces of {name}: {ours} | {whole}")
                differ += 1
            else:
                sure = [abs(a[3] - b[3]) for a, b in zip(ours.timed, whole.timed, strict=True)]
                least_sure = max(least_sure, *sure, 0.0)
    print(f"Against complete recordings, outputs of the network differ by {farthest:.6f} at most,")
    print(f"confidences by {least_sure:.4f} at most.")
    print(f"utterances={len(paths)} differ={differ}")


def without_confidences(result: Final) -> tuple:
    """What must be equal to the last bit."""
    times = [timed[:3] for timed in result.timed]
    return result.words, result.phones, result.begin, result.end, times


def report(key: Key, kind: str, ours: Sequence[str], theirs: Sequence[str]) -> bool:
    """Print what differs from stage 4; return whether anything does."""
    if list(ours) != list(theirs):
        print(f"{' '.join(key)}: {kind}: {' '.join(ours)} | {' '.join(theirs)}")
        return True
    return False


if __name__ == "__main__":
    main()
