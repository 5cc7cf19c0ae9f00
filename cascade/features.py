"""Stage 2: log-mel features, dumped with kaldiio and attached to the cuts."""

import hashlib
import logging
from collections.abc import Iterator
from pathlib import Path

import kaldiio
import numpy as np
from lhotse import CutSet, Fbank, FbankConfig
from lhotse.features.base import Features as LhotseFeatures
from tqdm import tqdm

from cascade import audio, workers
from cascade.cmn import write_cms_init
from cascade.errors import UserError
from cascade.files import replacing, write_jsonl_gz, write_text
from cascade.layout import Layout
from cascade.recipe import Features
from cascade.stage import Found

log = logging.getLogger("cascade")
SHARD = 500  # utterances an ark holds: fixed, so that the files do not depend on --nj
FRAME_SHIFT = 0.01  # seconds


def dump(key: str, layout: Layout, settings: Features, jobs: int) -> Found:
    """Computes the features of one data set: arks, scp, num_frames, and cuts that have them.

    Each matrix is (T, C) float32, T frames of 10 ms and C filters.
    """
    layout.feats.mkdir(parents=True, exist_ok=True)
    for old in layout.feats.glob(f"{key}.*.ark"):
        old.unlink()
    cuts = CutSet.from_jsonl_lazy(layout.cuts(key))
    tasks = (
        (layout.feats / f"{key}.{number}.ark", shard, settings)
        for number, shard in enumerate(_shards(cuts), 1)
    )
    total = sum(1 for _ in cuts)
    rows: list[tuple[str, str, int]] = []
    with workers.pool(jobs) as pool:
        bar = tqdm(total=total, desc=f"  {key}", unit="utt", disable=None, leave=False)
        for shard_rows in pool.map(_dump_shard, tasks):
            rows += shard_rows
            bar.update(len(shard_rows))
        bar.close()
    write_text(layout.scp(key), "".join(f"{name} {where}\n" for name, where, _ in rows))
    write_text(layout.num_frames(key), "".join(f"{name} {n}\n" for name, _, n in rows))
    write_jsonl_gz(layout.feature_cuts(key), _with_features(key, layout, settings, rows))
    arks = list(dict.fromkeys(Path(where.rpartition(":")[0]) for _, where, _ in rows))
    lines = (f"{hashlib.sha256(ark.read_bytes()).hexdigest()}  {ark}\n" for ark in arks)
    write_text(layout.ark_digests(key), "".join(lines))
    log.info("%s: %d utterances, %d frames", key, len(rows), sum(n for _, _, n in rows))
    return Found(outputs=arks)


def cms_init(keys: list[str], layout: Layout) -> None:
    """Writes the mean feature vector (C,) of the data sets ``keys``, the target's training."""
    total, frames = 0.0, 0
    for key in keys:
        for _, features in kaldiio.load_scp_sequential(str(layout.scp(key))):
            total = total + features.sum(axis=0, dtype=np.float64)
            frames += len(features)
    write_cms_init(layout.cms_init, total / frames)


def _shards(cuts: CutSet) -> Iterator[list]:
    shard = []
    for cut in cuts:
        shard.append(cut)
        if len(shard) == SHARD:
            yield shard
            shard = []
    if shard:
        yield shard


def _dump_shard(task) -> list[tuple[str, str, int]]:
    """Writes one ark; returns ``(utterance, ark:offset, frames)`` rows."""
    ark, cuts, settings = task
    extractor = Fbank(FbankConfig(sampling_rate=settings.rate, num_filters=settings.filters))
    rows = []
    with replacing(ark) as stream:
        for cut in cuts:
            path = Path(cut.recording.sources[0].source)
            samples = audio.read(path, settings.rate, cut.start, cut.duration)
            features = extractor.extract(samples, settings.rate)
            if not np.isfinite(features).all():
                raise UserError(
                    f"Utterance '{cut.id}' ({path}) gives features that are no numbers."
                )
            offset = stream.tell() + len(f"{cut.id} ".encode())  # an scp points behind the key
            rows.append((cut.id, f"{ark}:{offset}", len(features)))
            matrix = np.ascontiguousarray(features, dtype=np.float32)
            kaldiio.save_ark(stream, {cut.id: matrix})
    return rows


def _with_features(key: str, layout: Layout, settings: Features, rows) -> Iterator[dict]:
    """The cuts of a data set with their features attached, as Lhotse's dictionaries."""
    cuts = CutSet.from_jsonl_lazy(layout.cuts(key))
    for cut, (name, _, frames) in zip(cuts, rows, strict=True):
        assert cut.id == name
        cut.features = LhotseFeatures(
            type="kaldi-fbank",
            num_frames=frames,
            num_features=settings.filters,
            frame_shift=FRAME_SHIFT,
            sampling_rate=settings.rate,
            start=cut.start,
            duration=cut.duration,
            storage_type="kaldiio",
            storage_path=str(layout.scp(key)),
            storage_key=name,
            recording_id=cut.recording.id,
            channels=0,
        )
        yield cut.to_dict()
