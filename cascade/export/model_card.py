"""The model card, ``README.md`` of a bundle (Mitchell et al., arXiv:1810.03993)."""

import importlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cascade.config.experiment import Experiment
from cascade.config.recipe import Recipe
from cascade.config.sections import FRAMES_PER_SECOND, Dataset
from cascade.corpora import corpus
from cascade.runtime.files import read_text_table
from cascade.runtime.tables import markdown_table, paragraph

OWN = "your own file, under whatever licence it has"
NETWORKS = {
    "lstm": "an LSTM network",
    "blstm": "a bidirectional LSTM network",
    "conformer": "a Conformer network",
}
FEW = 10  # with fewer training speakers of its language, a model has learnt these voices
RUN = """```bash
cascade transcribe --bundle . recording.wav
```

sherpa-onnx reads the same files. Its phones, and its words as numbers of `words.txt`:

```python
import sherpa_onnx
phones = sherpa_onnx.OfflineRecognizer.from_zipformer_ctc(
    model="model.onnx", tokens="tokens.txt", sample_rate={rate}, feature_dim={filters}
)
words = sherpa_onnx.OfflineRecognizer.from_zipformer_ctc(
    model="words.onnx", tokens="tokens.txt", sample_rate={rate}, feature_dim={filters},
    ctc_graph="graph.fst", ctc_max_active={active},
)
```"""


def model_card(experiment: Experiment, system: str, notes: Sequence[str] = ()) -> str:
    """Return the model card of a system that stage 5 has scored.

    ``notes`` are more paragraphs for its section of error rates.
    """
    recipe = experiment.recipe
    results = _results(experiment)
    shape = json.loads((experiment.layout.system(system) / "model.json").read_text("utf-8"))
    phones, encoder = len(shape["allowed"]) - 1, shape.get("encoder", "lstm")  # without the blank
    words = json.loads(experiment.layout.lang_summary.read_text(encoding="utf-8"))["words"]
    what = (
        f"A speech recogniser for the language `{recipe.target}`: {NETWORKS[encoder]} of"
        f" {phones} phones, trained with CTC by the system `{system}` of the recipe"
        f" `{recipe.name}` of cascade, and a decoding graph of {words:,} words."
    )
    features = recipe.features
    run = RUN.format(rate=features.rate, filters=features.filters, active=recipe.decode.max_active)
    sections = {
        "Speech that it learnt from": [
            markdown_table(_speech(experiment, system)),
            VALID,
            *_other_models(recipe, system),
        ],
        "Texts of the language model": [markdown_table(_texts(experiment))],
        "Licences": [paragraph(LICENCES)],
        "Error rates": [*_error_rates(results, system), *notes],
        "What it is not good for": ["\n".join(_limits(experiment, system, results))],
        "How to run it": [run],
    }
    parts = [f"# Model card: {recipe.target}, {recipe.name}, {system}", paragraph(what)]
    for title, paragraphs in sections.items():
        parts += [f"## {title}", *paragraphs]
    return "\n\n".join(parts) + "\n"


VALID = "Speech of the role `valid` chose the best step of the training and the search's settings."
LICENCES = (
    "The speech and the texts keep the licences that the tables name. Whether a model is a derived"
    " work of what it learnt from is not settled. If you pass this bundle on, pass these names and"
    " licences on, too; `words.txt`, `lexicon.txt` and the graphs hold words of the texts and"
    " dictionaries themselves."
)


def _speech(experiment: Experiment, system: str) -> list[tuple[str, ...]]:
    """Return a row for each data set that the system has used, the header first."""
    recipe = experiment.recipe
    used = [d for name in _ancestors(recipe, system) for d in _speech_of(recipe, name)]
    rows: list[tuple[str, ...]] = [("role", "language", "corpus", "hours", "speakers", "licence")]
    for dataset in recipe.datasets:
        if dataset in used or dataset.role == "valid":
            licence = getattr(corpus.load(dataset.corpus), "LICENCE", "")
            hours = f"{_hours(experiment, dataset):.2f}"
            speakers, name = _speakers(experiment, dataset), plain(dataset.corpus)
            row = (dataset.role, dataset.language, name, hours, speakers, plain(licence))
            rows.append(row)
    return rows


def _ancestors(recipe: Recipe, system: str) -> list[str]:
    """Return the system, its teacher and those that it starts from, and theirs."""
    names = [system]
    for name in names:  # it grows
        names += [other for other in recipe.needs(name) if other not in names]
    return names


def _other_models(recipe: Recipe, system: str) -> list[str]:
    """Return a paragraph on models from elsewhere that the weights started from."""
    starts = {recipe.systems[name].start for name in _ancestors(recipe, system)}
    others = sorted(start for start in starts if start and start not in recipe.systems)
    text = "Its weights started from another model, with speech of its own: "
    return [paragraph(f"{text}{plain(', '.join(others))}.")] if others else []


def _speech_of(recipe: Recipe, system: str) -> list[Dataset]:
    return [dataset for stream in recipe.speech_of(system).values() for dataset in stream]


def _hours(experiment: Experiment, dataset: Dataset) -> float:
    frames = read_text_table(experiment.layout.num_frames(experiment.dataset_key(dataset)))
    chosen = read_text_table(experiment.layout.text(experiment.dataset_key(dataset), "speakers"))
    return sum(int(frames[name][0]) for name in chosen) / FRAMES_PER_SECOND / 3600


def _speakers(experiment: Experiment, dataset: Dataset) -> str:
    """Return the number of speakers, ``unknown`` where they have no names."""
    table = read_text_table(experiment.layout.text(experiment.dataset_key(dataset), "speakers"))
    names = {name for (name,) in table.values()}
    return "unknown" if "unknown" in names else str(len(names))


def _texts(experiment: Experiment) -> list[tuple[str, ...]]:
    """Return a row for each text and dictionary of the language model, the header first."""
    language = experiment.recipe.target_language
    rows: list[tuple[str, ...]] = [("what", "name", "licence")]
    rows.append(("transcripts", "of the role `train`", "as above"))
    for what, names in (("text", language.texts), ("dictionary", language.dictionaries)):
        for name in names:
            licence = OWN
            if not Path(name).is_file():
                licence = importlib.import_module(corpus.module_name(name)).LICENCE
            rows.append((what, plain(Path(name).name), plain(licence)))
    return rows


def _results(experiment: Experiment) -> dict[str, Any]:
    path = experiment.layout.root / "results.json"
    results: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return results


def _one_pass(results: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the tests in which no network adapted: a bundle cannot."""
    yield from ((name, test) for name, test in results["tests"].items() if "adapted" not in test)


def _error_rates(results: Mapping[str, Any], system: str) -> list[str]:
    """Return the table of error rates with 95 % intervals."""
    rows: list[tuple[str, ...]] = [
        ("test", "recordings", "words wrong (WER)", "phones wrong (PER)", "unknown words")
    ]
    for name, test in _one_pass(results):
        rates = test.get("significance", {})
        cells = [_rate(rates.get(unit, {}), system) for unit in ("words", "phones")]
        rows.append((plain(name), f"{test['files']:,}", *cells, f"{test['oov']:.1f} %"))
    text = "In per cent, with 95 % intervals over the recordings or speakers of the test."
    return [text, markdown_table(rows)]


def _rate(significance: Mapping[str, Any], system: str) -> str:
    rate = significance.get("rates", {}).get(system)
    if not rate or rate["percent"] is None:
        return "n/a"
    interval = "" if rate["interval"] is None else " ({:.1f} to {:.1f})".format(*rate["interval"])
    return f"{rate['percent']:.1f}{interval}"


def _limits(experiment: Experiment, system: str, results: Mapping[str, Any]) -> list[str]:
    """Return what the data say the model will do badly, an item each."""
    recipe = experiment.recipe
    own = [d for d in recipe.speech_of(system)[recipe.target] if d.language == recipe.target]
    speakers, unknown = set[str](), False
    for dataset in own:
        key = experiment.dataset_key(dataset)
        table = read_text_table(experiment.layout.text(key, "speakers"))
        names = {name for (name,) in table.values()}
        speakers |= {f"{key} {name}" for name in names}
        unknown |= "unknown" in names
    hours = sum(_hours(experiment, dataset) for dataset in own)
    items = []
    if unknown:
        items.append(
            f"Other voices, ages, dialects and microphones than in its {hours:.2f} hours of"
            " training speech. How many speakers these have is not known."
        )
    elif len(speakers) < FEW:
        voices = "one speaker" if len(speakers) == 1 else f"{len(speakers)} speakers"
        items.append(
            f"Other voices. It learnt {hours:.2f} hours of its language from {voices}; another"
            " voice, age, dialect or microphone has more errors, as the tests show."
        )
    else:
        items.append(
            f"Voices, ages, dialects and microphones that are not in its {hours:.2f} hours of"
            " training speech."
        )
    for name, test in _one_pass(results):
        rate = test.get("systems", {}).get(system, {}).get("WER")
        if rate is not None and rate >= 50:
            items.append(f"Speech such as {plain(name)}: {rate:.0f} % of its words are wrong.")
    items.append(
        "Words that `words.txt` lacks, such as most names: it writes others in their place."
        if not recipe.language_model.open
        else "Names and foreign words: it spells words that `words.txt` lacks as it hears them."
    )
    items.append("Noise, music, and several people who talk at once: no test has them.")
    if (encoder := recipe.encoder_of(system)) != "lstm":
        items.append(
            f"Recognition while somebody speaks: {NETWORKS[encoder]} needs the complete recording."
        )
    elif recipe.features.cmn != "online":
        items.append(
            "Recognition while somebody speaks: it subtracts the mean of the complete recording."
        )
    items.append("Decisions about people, and any use where a wrong word does harm.")
    return [paragraph(f"- {item}", indent="  ") for item in items]


def plain(text: str) -> str:
    r"""Return text from elsewhere as Markdown shows it, on one line.

    >>> plain("a *b* [c](d)\n<e>")
    'a \\*b\\* \\[c\\](d) \\<e\\>'
    """
    return re.sub(r"([\\`*_\[\]<>#])", r"\\\1", " ".join(text.split()))
