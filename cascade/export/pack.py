"""Stage 7: packs a system into a bundle, a folder and a zip file of the same files."""

import hashlib
import logging
import os
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import onnx

from cascade.bundle.manifest import (
    FLOAT32,
    FORMAT,
    INT8,
    NAME,
    OPTIONAL,
    STREAM,
    File,
    Manifest,
    write_manifest,
)
from cascade.config.experiment import Experiment
from cascade.decoding.decoder import Search, phone_search_of, word_search_of
from cascade.export.int8 import add_int8
from cascade.export.model_card import model_card
from cascade.export.onnx_model import Exported, to_onnx
from cascade.export.phone_models import add_phone_models
from cascade.export.stream_model import Streamed, stream_to_onnx
from cascade.features.cmn import read_cms_init
from cascade.lm.const_fst import add_word_penalty, scale_graph
from cascade.lm.graph import read_words
from cascade.model.saved_model import load_model
from cascade.runtime.errors import UserError
from cascade.runtime.files import replacing_path, write_text
from cascade.runtime.stage import JobFiles
from cascade.runtime.tables import paragraph

log = logging.getLogger("cascade")
SHERPA_BEAM = 16.0  # of every search by sherpa-onnx
EPOCH = (1980, 1, 1, 0, 0, 0)  # of all files in a zip file, so that it has the same bytes again


def pack(experiment: Experiment, system: str) -> JobFiles:
    """Write ``SYSTEM/bundle/`` and ``SYSTEM/bundle.zip``.

    Raises `UserError` for a model of features that are not computed from audio.
    """
    layout = experiment.layout
    folder, partial = layout.bundle(system), layout.bundle(system).with_name(".bundle.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        _write(experiment, system, partial)
        with replacing_path(layout.bundle_zip(system)) as temporary:
            write_zip(partial, temporary)
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    size = layout.bundle_zip(system).stat().st_size / 2**20
    log.info("%s: packed into %s, %.1f MB", system, layout.bundle_zip(system), size)
    optional = (folder / name for name in OPTIONAL)
    return JobFiles(outputs=[path for path in optional if path.exists()])


def _write(experiment: Experiment, system: str, folder: Path) -> None:
    """Write all files of a bundle."""
    recipe, layout = experiment.recipe, experiment.layout
    words, phones = word_search_of(experiment, system), phone_search_of(experiment, system)
    scale = SHERPA_BEAM / words.settings.beam
    _write_models(experiment, system, folder, words, scale)
    source = layout.system(system)
    for name, path in {
        "tokens.txt": source / "phones.txt",
        "words.txt": words.words,
        "lexicon.txt": layout.lexicon,
        "phone_words.txt": phones.words,
        "cms_init.json": layout.cms_init,
        "model.safetensors": source / "model.safetensors",
        "model.json": source / "model.json",
    }.items():
        shutil.copyfile(path, folder / name)
    _write_graph(words, folder / "graph.fst", read_words(words.words))
    scale_graph(folder / "graph.fst", scale)
    _write_graph(phones, folder / "phone_graph.fst", [])
    rates = add_int8(experiment, system, folder)
    add_phone_models(experiment, system, folder)
    write_text(folder / "README.md", model_card(experiment, system, [_weights(folder, rates)]))
    manifest = Manifest(
        format=FORMAT,
        made_by=f"cascade {version('cascade')}",
        recipe=recipe.name,
        system=system,
        language=recipe.target,
        rule=replace(recipe.target_language, lexicon=None, texts=(), dictionaries=()),
        features=recipe.features,
        limits=recipe.limits,
        words=replace(words.settings, word_penalty=0.0),
        phones=replace(phones.settings, word_penalty=0.0),
        cost_scale=scale,
        valid_per=rates,
        files={path.name: _file(path) for path in sorted(folder.iterdir())},
    )
    write_manifest(folder, manifest)


def _weights(folder: Path, rates: Mapping[str, float]) -> str:
    """Return the paragraph of the model card on weights of 8 bits."""
    text = (
        f"The figures are of `{FLOAT32}`. Its phone error rate on valid is"
        f" {rates['float32']:.2f} %; with weights of 8 bits it is {rates['int8']:.2f} %"
    )
    if not (folder / INT8).exists():
        return paragraph(f"{text}, which is too many more errors, so the bundle has no `{INT8}`.")
    small, large = ((folder / name).stat().st_size / 1e6 for name in (INT8, FLOAT32))
    return paragraph(f"{text}. `{INT8}` has {small:.1f} MB in place of {large:.1f}.")


def _write_models(
    experiment: Experiment, system: str, folder: Path, words: Search, scale: float
) -> None:
    """Write the ONNX files: log-probabilities, scores of the search for words, single steps."""
    recipe, layout = experiment.recipe, experiment.layout
    network, config = load_model(layout.system(system))
    features, mean = recipe.features, read_cms_init(layout.cms_init)
    if len(mean) != features.filters or config.inputs != features.filters * features.stack:
        raise UserError(
            f"{layout.system(system)} takes {config.inputs} values in a step, but {features.stack}"
            f" frames of {features.filters} filters are computed from audio. A bundle computes"
            " features from audio, so it cannot have this model."
        )
    comment = f"{recipe.name} {system}"
    for name, search in (("model.onnx", None), ("words.onnx", words.settings)):
        model = Exported(network, config.language, features, mean, search, scale)
        onnx.save(to_onnx(model, comment), folder / name)
    if config.encoder == "lstm":
        onnx.save(stream_to_onnx(Streamed(network, config.language)), folder / STREAM)
    else:
        log.info(
            "%s: the bundle has no %s: a %s needs the complete recording, so it cannot recognise"
            " while somebody speaks",
            system,
            STREAM,
            config.encoder,
        )


def _write_graph(search: Search, path: Path, names: list[str]) -> None:
    """Write a graph with the penalty of words in it, so that no client has to add it."""
    shutil.copyfile(search.graph, path)
    add_word_penalty(path, search.settings.word_penalty, names)


def write_zip(folder: Path, path: Path) -> None:
    """Pack the files of a bundle; the same files give the same bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as packed:
        for file in sorted(folder.iterdir(), key=lambda file: (file.name != NAME, file.name)):
            info = zipfile.ZipInfo(file.name, EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o100644 << 16
            info.file_size = file.stat().st_size
            with file.open("rb") as stream, packed.open(info, "w") as output:
                shutil.copyfileobj(stream, output, 1 << 20)


def _file(path: Path) -> File:
    with path.open("rb") as stream:
        return File(path.stat().st_size, hashlib.file_digest(stream, "sha256").hexdigest())
