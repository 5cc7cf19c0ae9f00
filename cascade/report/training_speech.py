"""The speech that systems were trained on: how much of whom."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from cascade.config.experiment import Experiment
from cascade.config.sections import FRAMES_PER_SECOND, Dataset
from cascade.corpora import corpus
from cascade.runtime.files import read_text_table
from cascade.runtime.tables import markdown_table

COLUMNS = ("training speech", "minutes", "speakers", "heard by")


def training_speech(experiment: Experiment) -> dict[str, dict[str, dict[str, Any]]]:
    """Return for each system and stream the language, minutes, utterances and speakers.

    ``speakers`` is None if not all are known. ``synthetic`` are the minutes that programs spoke.
    Of speech without transcripts, only what the teacher transcribed for the system counts.
    """
    recipe = experiment.recipe
    sizes: dict[Path, _Size] = {}  # by the table of transcripts
    result: dict[str, dict[str, dict[str, Any]]] = {}
    for system in recipe.systems:
        streams: dict[str, list[Dataset]] = {}
        for dataset in (d for datasets in recipe.speech_of(system).values() for d in datasets):
            name = recipe.target if dataset.role == "train" else dataset.stream_name
            streams.setdefault(name, []).append(dataset)
        result[system] = {}
        for name, datasets in streams.items():
            parts = []
            for dataset in datasets:
                path = _transcripts(experiment, system, dataset)
                if path not in sizes:
                    sizes[path] = _size(experiment, dataset, path)
                parts.append(sizes[path])
            speakers = set[str]().union(*(part.speakers for part in parts))
            result[system][name] = {
                "language": datasets[0].language,
                "minutes": round(sum(part.minutes for part in parts), 1),
                "utterances": sum(part.utterances for part in parts),
                "speakers": None if "unknown" in speakers else len(speakers),
                "synthetic": round(sum(part.synthetic for part in parts), 1),
            }
    return result


class _Size(NamedTuple):
    """How much a data set has."""

    minutes: float
    synthetic: float
    utterances: int
    speakers: frozenset[str]


def _transcripts(experiment: Experiment, system: str, dataset: Dataset) -> Path:
    """Return the table of the phones that ``system`` learnt from a data set."""
    key, layout = experiment.dataset_key(dataset), experiment.layout
    return (
        layout.text(key, "phones")
        if dataset.transcribed
        else layout.transcript(system, key, "phones")
    )


def _size(experiment: Experiment, dataset: Dataset, transcripts: Path) -> _Size:
    """Count what a data set has of the utterances in ``transcripts``."""
    key, layout = experiment.dataset_key(dataset), experiment.layout
    lengths = read_text_table(layout.num_frames(key))
    speakers = read_text_table(layout.text(key, "speakers"))
    names = list(read_text_table(transcripts))
    minutes = sum(int(lengths[name][0]) for name in names) / FRAMES_PER_SECOND / 60
    synthetic = minutes if corpus.synthetic(dataset.corpus) else 0.0
    return _Size(minutes, synthetic, len(names), frozenset(speakers[n][0] for n in names))


def table(training: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the table of ``RESULTS.md``; ``training`` is that of ``results.json``.

    >>> speech = {"ru": {"language": "ru", "minutes": 15.1, "speakers": 1, "synthetic": 0.0}}
    >>> print(table({"plain": {"speech": speech}, "cascade": {"speech": speech}}))
    | training speech   | minutes   | speakers   | heard by     |
    |-------------------|-----------|------------|--------------|
    | ru                | 15.1      | 1          | every system |
    """
    heard: dict[tuple[str, ...], list[str]] = {}  # systems by what they heard
    for system, figures in training.items():
        for name, stream in figures.get("speech", {}).items():
            notes = [stream["language"]] if stream["language"] != name else []
            if stream["synthetic"]:
                partly = stream["synthetic"] < stream["minutes"]
                notes.append("partly synthetic" if partly else "synthetic")
            label = name + (f" ({', '.join(notes)})" if notes else "")
            speakers = "not known" if stream["speakers"] is None else f"{stream['speakers']:,}"
            heard.setdefault((label, f"{stream['minutes']:,.1f}", speakers), []).append(system)
    rows = [
        (*row, "every system" if len(systems) == len(training) > 1 else ", ".join(systems))
        for row, systems in heard.items()
    ]
    return markdown_table([COLUMNS, *rows]) if rows else ""
