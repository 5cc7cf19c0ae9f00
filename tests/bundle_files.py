"""A small experiment whose bundle can be packed: a network that has learnt nothing, its graphs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import kaldiio
import numpy as np
import torch
from support import SMALL

from cascade.config.experiment import Experiment
from cascade.config.layout import Layout
from cascade.config.recipe import Recipe, read_recipe
from cascade.export.pack import pack
from cascade.features.cmn import write_cms_init
from cascade.lm import graph
from cascade.lm.mixture import unigram
from cascade.model.network import Network
from cascade.model.saved_model import ModelConfig, save_model
from cascade.runtime.files import write_json, write_text, write_text_table
from cascade.text.phones import read_phones, write_phones

LEXICON = {"атта": ["a t t a"], "кот": ["k o t", "k a t"], "сок": ["s o k"]}
ENGLISH = "θ"  # a phone that Russian does not have
SCALES = {"acoustic_scale": 0.8, "blank_penalty": 1.5, "word_penalty": 0.75}
NEURONS, FILTERS, STACK = 16, 40, 3
WITHOUT = """
import sys
for name in ("torch", "lhotse", "numba", "kaldiio", "safetensors", "scipy", "onnx", "kaldialign"):
    sys.modules[name] = None  # an import fails
from cascade.cli.main import main
sys.exit(main())
"""  # the command, for Python's -c, in an environment that has only what bundles need
TEST = {
    "files": 2,
    "oov": 1.5,
    "systems": {"plain": {"WER": 61.0}},
    "significance": {
        "words": {"rates": {"plain": {"percent": 61.0, "interval": [55.5, 66.5]}}},
        "phones": {"rates": {"plain": {"percent": 30.0, "interval": None}}},
    },
}


def trained(
    folder: Path,
    raw: dict[str, Any],
    read: Callable[..., Any],
    scales: dict[str, float] = SCALES,
    **features: Any,
) -> Experiment:
    """Return an experiment in ``folder`` as stages 0 to 5 leave it, as far as stage 7 needs it."""
    raw = raw | {"features": {"filters": FILTERS, "stack": STACK, **features}}
    layout = Layout(folder / "exp" / "small", folder / "downloads", folder / "data")
    experiment = Experiment(read(raw), layout)
    write_phones(layout.phones, {"ru": {*"atkos"}, "en": {ENGLISH, "t"}})
    phones = read_phones(layout.phones)
    lexicon = {word: [pron.split() for pron in prons] for word, prons in LEXICON.items()}
    model = unigram(dict.fromkeys(LEXICON, 1 / 3))
    graph.build(lexicon, phones, model, layout.graph, layout.words)
    lines = [f"{word} {pron}\n" for word, prons in sorted(LEXICON.items()) for pron in prons]
    write_text(layout.lexicon, "".join(lines))
    of_phones = unigram(dict.fromkeys("atkos", 1 / 5))
    each = {phone: [[phone]] for phone in "atkos"}
    graph.build(each, phones, of_phones, layout.phone_graph, layout.phone_words)
    write_cms_init(layout.cms_init, np.linspace(-9, -4, FILTERS))
    write_json(layout.lang_summary, {"words": len(LEXICON), "oov": {"table": 1.5}})
    write_json(layout.root / "results.json", {"tests": {"table": TEST}})
    for key in experiment.dataset_keys():
        write_text_table(layout.num_frames(key), {"a": ["4500"], "b": ["4500"], "c": ["9999"]})
        write_text_table(layout.text(key, "speakers"), {"a": ["anna"], "b": ["boris"]})
    _write_speech(layout, "valid_ru")
    _write_speech(layout, "train_ru")
    prons = {word: prons[0].split() for word, prons in LEXICON.items()}
    write_text_table(layout.lang / "lexicon_ru.txt", prons)
    for seed, name in enumerate(experiment.recipe.systems):
        _save_network(layout, name, phones, seed, experiment.recipe.encoder_of(name))
        write_json(layout.search(name), {"found": scales, "trials": []})
        write_json(layout.phone_search(name), {"found": scales, "trials": []})
    return experiment


def packed(folder: Path, scales: dict[str, float] = SCALES, **features: Any) -> Path:
    """Return the bundle of such an experiment, in ``folder``."""

    def read(raw: dict[str, Any]) -> Recipe:
        path = folder / "recipe.json"
        write_json(path, raw)
        return read_recipe(path)

    experiment = trained(folder, SMALL, read, scales, **features)
    pack(experiment, "plain")
    return experiment.layout.bundle("plain")


def _write_speech(layout: Layout, key: str) -> None:
    """Features, words and phones of two utterances of a data set."""
    random = np.random.default_rng(0)
    lines = []
    for name in ("a", "b"):
        ark = layout.feats / f"{key}_{name}.ark"
        kaldiio.save_ark(str(ark), {name: random.normal(-7, 2, (90, FILTERS)).astype(np.float32)})
        lines.append(f"{name} {ark}:{len(name) + 1}\n")
    write_text(layout.scp(key), "".join(lines))
    write_text_table(layout.text(key, "words"), {"a": ["кот"], "b": ["атта", "сок"]})
    write_text_table(layout.text(key, "phones"), {"a": [*"kot"], "b": [*"attasok"]})
    write_text_table(layout.feature_digests(key), {"a": ["1"], "b": ["2"]})


def _save_network(layout: Layout, system: str, phones: list[str], seed: int, encoder: str) -> None:
    allowed = tuple(i for i, phone in enumerate(phones) if phone != ENGLISH)
    torch.manual_seed(seed)
    sizes = FILTERS * STACK, len(phones), (1, 1), NEURONS
    network = Network({"ru": allowed}, *sizes, encoder=encoder)
    config = ModelConfig("ru", *sizes, allowed, encoder)
    save_model(layout.system(system), network.path_of("ru"), config, layout.phones)
