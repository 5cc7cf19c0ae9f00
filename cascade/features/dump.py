"""Stage 2: takes the features of a data set from the store and attaches them to its cuts."""

import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from lhotse.features.base import Features as LhotseFeatures

from cascade.config.experiment import Experiment
from cascade.config.layout import Layout
from cascade.config.sections import FRAME_SHIFT, Dataset
from cascade.corpora.kaldi_archives import size_mismatch
from cascade.features import store
from cascade.features.cmn import write_cms_init
from cascade.features.sources import recording_place, sum_of_frames
from cascade.runtime.errors import UserError
from cascade.runtime.files import jsonl_gz, read_jsonl_gz, replacing, text_rows
from cascade.runtime.kept import Kept
from cascade.runtime.stage import JobFiles

log = logging.getLogger("cascade")
Rows = Iterator[dict[str, Any]]


def dump(experiment: Experiment, dataset: Dataset, jobs: int, force: bool = False) -> JobFiles:
    """Write where the features of one data set are, and cuts with these features.

    The store has the features of every utterance that passed the checks, also of those
    beyond ``target_minutes``: all recipes with this corpus share them, and all parts of it
    that a sweep uses. Each matrix is (T, C) float32: T frames of 10 ms and C filters, or any
    C where the corpus has features in place of audio. Sample lines:

    - ``scp``: ``ru_0011 data/feats/festvox_ru.27a8051e97163a16/1.ark:8``
    - ``num_frames``: ``ru_0011 1631``
    - ``sha256``, of the matrix's bytes: ``ru_0011 17e32604db...``

    With ``store_features: false`` the features of training speech are computed, but not stored: see
    `cascade.features.sources` for the ``scp``. All other figures are the same.
    """
    recipe, layout = experiment.recipe, experiment.layout
    key, rate = experiment.dataset_key(dataset), recipe.features.rate
    stored = store.provide(
        layout.speech(key),
        dataset.corpus,
        layout.feature_store,
        rate,
        recipe.features.filters,
        jobs,
        force,
        matrices := recipe.stores_features(dataset),
    )
    utterances, frames = 0, 0
    with (
        replacing(layout.scp(key)) as scp,
        replacing(layout.num_frames(key)) as num_frames,
        replacing(layout.feature_digests(key)) as digests,
        jsonl_gz(layout.feature_cuts(key)) as cuts,
    ):
        rows = store.rows(stored.folder)
        if not matrices:
            rows = _of_recordings(layout.speech(key), rows)
        for cut, row in _chosen(layout.cuts(key), rows):
            scp.write(f"{row['id']} {row['at']}\n".encode())
            num_frames.write(f"{row['id']} {row['frames']}\n".encode())
            digests.write(f"{row['id']} {row['sha256']}\n".encode())
            if matrices:
                cut["features"] = _attached(cut, row, stored, rate).to_dict()
            cuts(cut)
            utterances, frames = utterances + 1, frames + row["frames"]
    _link(layout, key, stored if matrices else None)
    where = str(stored.folder)
    if stored.reason:
        where += f", computed now: {stored.reason}"
    log.info("%s: %d utterances, %d frames, in %s", key, utterances, frames, where)
    return JobFiles(outputs=list(stored.files), output_digests=stored.files)


def _of_recordings(speech: Path, rows: Rows) -> Rows:
    """Yield rows of the store's index whose places are those of recordings."""
    for utterance, row in zip(read_jsonl_gz(speech), rows, strict=True):
        yield row | {"at": recording_place(utterance, row)}


def _chosen(cuts: Path, rows: Rows) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield cuts with their rows of the store's index; both have the order of the corpus."""
    for cut in read_jsonl_gz(cuts):  # dictionaries: Lhotse's objects take longer
        row = next((row for row in rows if row["id"] == cut["id"]), None)
        if row is None:
            raise UserError(
                f"{cuts} has the utterance '{cut['id']}', but the list of utterances beside it"
                " lacks it. Run stage 0 again."
            )
        yield cut, row


def _link(layout: Layout, key: str, stored: Kept | None) -> None:
    """Link the shared arks in the experiment's own folder: ``KEY.1.ark``, ``KEY.2.ark``, ..."""
    for old in layout.feats.glob(f"{key}.*.ark"):
        old.unlink()
    for ark in stored.files if stored else ():
        if ark.suffix == ".ark":
            link = layout.feats / f"{key}.{ark.name}"
            link.symlink_to(os.path.relpath(ark, os.path.realpath(link.parent)))


def _attached(cut: dict[str, Any], row: dict[str, Any], stored: Kept, rate: int) -> LhotseFeatures:
    """Return what Lhotse needs to load the features of a cut."""
    return LhotseFeatures(
        type="kaldi-fbank" if "recording" in cut else "kaldi",
        num_frames=row["frames"],
        num_features=row["dim"],
        frame_shift=FRAME_SHIFT,
        sampling_rate=rate,
        start=cut["start"],
        duration=cut["duration"],
        storage_type="kaldiio",
        storage_path=str(stored.folder / "feats.scp"),
        storage_key=row["id"],
        recording_id=cut["supervisions"][0]["recording_id"],
        channels=cut["channel"],
    )


def cms_init(keys: list[str], layout: Layout, others: Sequence[str] = ()) -> None:
    """Write the mean feature vector (C,) of the data sets ``keys``, the target's training data.

    Raises `UserError` where one of them, or of ``others``, has features of another size.
    """
    if message := size_mismatch({key: _size(key, layout) for key in (*keys, *others)}):
        raise UserError(message)
    total, frames = np.zeros(_size(keys[0], layout)), 0  # (C,)
    for key in keys:
        for row in text_rows(layout.scp(key)):
            total += sum_of_frames(" ".join(row.tokens))
        frames += sum(int(row.tokens[0]) for row in text_rows(layout.num_frames(key)))
    write_cms_init(layout.cms_init, total / frames)


def _size(key: str, layout: Layout) -> int:
    """Return C, the size of the features of a data set."""
    return len(sum_of_frames(" ".join(next(text_rows(layout.scp(key))).tokens)))
